package main

import (
	"fmt"
	"strconv"
)

// Why a target is missed: the limiting factor, found with --profile. A machine
// shared with other work, as the load average tells, comes on top of each.
const (
	whyBinary        = "the program holds every room and both databases' drivers"
	whyRemessaSQLite = "one core writes while the other decodes; the writing one needs 46 s for 10⁶ products, two thirds of it " +
		"B-tree inserts and the pages they push out of the cache into the WAL"
	whyRemessaPostgres = "the server's process is the limit, with COPY as the largest part, and it shares two cores with the program"
	whyMemory          = "batches, pools and caches fill up as they are used: 70 MB at 10⁶ products beside 47 MB at 10⁴; on SQLite its page cache of 64 MiB is among them"
	whyFull            = "the program needs 40 s of processor for 10⁶ products, half of it reading, decoding and rendering one after another; what PostgreSQL itself adds is not told apart"
	whyUpdate          = "about a third is copying, digesting and syncing the whole file, which never changes in place"
	whyStart           = "opening the base and the snapshot"
	whyResident        = "the program and what it keeps of the snapshot"
	whyLookUp          = "the answer is 3 kB read by one SQLite statement: a profile gave it 12 of some 50 µs of processor, net/http 21, the rest to the API; the empty handler sends nothing"
	whySearch          = "beginnings of two and three letters merge the lists of all words that begin so, as the bare query does"
	whySearchPage      = "a page asks more than its hits: filters with their counts, spellings where nothing is found; and it is drawn and compressed"
	whyWeight          = "styles and scripts of the design system are the largest part"
	whyNodeStart       = "every byte of the snapshot is digested before it is shown"
	whySearchRatio     = "a hit is read from its row and held against today's date; the bare query gives numbers of rows only"
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

// kilobytes writes bytes in thousands.
func kilobytes(bytes int64) string { return fmt.Sprintf("%.1f KB", float64(bytes)/1e3) }

func ratio(r float64) string { return fmt.Sprintf("%.2f", r) }
