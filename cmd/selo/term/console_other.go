//go:build !windows

package term

import "os"

// enableANSI has nothing to do: terminals of these systems obey ANSI codes.
func enableANSI(*os.File) bool { return true }
