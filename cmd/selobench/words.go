package main

import (
	"fmt"
	"strconv"
)

// Why a target is missed: the limiting factor, found with --profile.
const (
	whyBinary          = ""
	whyRemessaSQLite   = ""
	whyRemessaPostgres = ""
	whyMemory          = ""
	whyFull            = ""
	whyUpdate          = ""
	whyStart           = ""
	whyResident        = ""
	whyLookUp          = ""
	whySearch          = ""
	whySearchRatio     = ""
)

// grouped writes a number with a comma for each thousand.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

func seconds(s float64) string { return fmt.Sprintf("%.2f s", s) }

func spent(s, cpu float64) string { return fmt.Sprintf("%.2f s, %.2f s of processor", s, cpu) }

func milliseconds(p50, p99 float64) string { return fmt.Sprintf("p50 %.2f, p99 %.2f ms", p50, p99) }

func ratio(r float64) string { return fmt.Sprintf("%.2f", r) }
