package web

import (
	"net/url"
	"strings"
	"testing"
)

// TestNoNewsAmongTheNewest leads to older ones where there are any.
func TestNoNewsAmongTheNewest(t *testing.T) {
	t.Parallel()
	r := verifyRequest()
	const none, older = "até aqui", "procurar mais para trás"
	for more, words := range map[bool][2]string{true: {older, none}, false: {none, older}} {
		var b strings.Builder
		if err := happenedList(r, happened{query: url.Values{paramBody: {"DEMO"}}, more: more}).Render(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.Contains(got, words[0]) || strings.Contains(got, words[1]) {
			t.Errorf("more %t: %s", more, got)
		}
	}
}
