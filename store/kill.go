//go:build !faulttest

package store

// killPoint does nothing in a program built for use.
func killPoint() {}
