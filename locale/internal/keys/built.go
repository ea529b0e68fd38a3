package keys

import (
	"slices"
	"strings"
)

// built lists what the running program puts in the place of "*" in each
// pattern of the sources. A pattern that stands in one only fails a test.
var built = map[string][]string{
	"cli.remessa.*":  {"confirmada", "invalidada"},
	"demo.result.*":  {"confirmada", "invalidada"},
	"mail.*.subject": {"confirmada", "invalidada"},
	"mail.*.text":    {"confirmada", "invalidada"},
}

// BuiltPatterns lists the patterns that [Built] knows, sorted.
func BuiltPatterns() []string {
	var list []string
	for pattern := range built {
		list = append(list, pattern)
	}
	slices.Sort(list)
	return list
}

// Built returns the keys that stand behind a pattern; none when it is not listed.
func Built(pattern string) []string {
	before, after, _ := strings.Cut(pattern, "*")
	var list []string
	for _, middle := range built[pattern] {
		list = append(list, before+middle+after)
	}
	return list
}
