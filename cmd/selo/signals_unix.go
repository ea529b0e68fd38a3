//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// init lets a write beyond the process's file size limit fail like any other
// full disk, in words, where the system's default is to kill the program.
func init() { signal.Ignore(syscall.SIGXFSZ) }
