package locale

import (
	"slices"
	"strings"
)

// Keys lists the messages whose key begins with prefix, sorted.
func Keys(prefix string) []string {
	var list []string
	for key := range catalog(PT) {
		if strings.HasPrefix(key, prefix) {
			list = append(list, key)
		}
	}
	slices.Sort(list)
	return list
}
