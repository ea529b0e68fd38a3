package web

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	uses    = regexp.MustCompile(`var\((--[a-z0-9-]+)\)`)
	defines = regexp.MustCompile(`(--[a-z0-9-]+)\s*:`)
	colours = regexp.MustCompile(`#[0-9a-f]{3,8}\b|rgb\(`)
)

func names(re *regexp.Regexp, sheet string) map[string]bool {
	found := map[string]bool{}
	for _, m := range re.FindAllStringSubmatch(sheet, -1) {
		found[m[1]] = true
	}
	return found
}

// TestStylesheetsFitTogether holds that every name a rule uses is given, by the
// tokens or by both palettes, and that only palettes hold colours.
func TestStylesheetsFitTogether(t *testing.T) {
	t.Parallel()
	a := assets()
	tokens, light, contrast := names(defines, a.text("core-tokens.min.css")), names(defines, a.text("claro.css")), names(defines, a.text("contraste.css"))
	if !maps.Equal(light, contrast) {
		t.Errorf("the palettes differ: %v and %v", slices.Sorted(maps.Keys(light)), slices.Sorted(maps.Keys(contrast)))
	}
	for name := range names(uses, a.text("claro.css")) {
		if !tokens[name] {
			t.Errorf("claro.css uses %s, which is no token", name)
		}
	}
	used := names(uses, a.text("selo.css"))
	for name := range used {
		if !tokens[name] && !light[name] {
			t.Errorf("selo.css uses %s, which nobody gives", name)
		}
	}
	for name := range light {
		if tokens[name] || !used[name] {
			t.Errorf("%s of the palettes is a token's name, or unused", name)
		}
	}
	if found := colours.FindString(a.text("selo.css")); found != "" {
		t.Errorf("selo.css holds the colour %s", found)
	}
}

func TestBundleRefersToHashedNames(t *testing.T) {
	t.Parallel()
	a := assets()
	sheet := string(a.served[strings.TrimPrefix(a.href(bundle), staticPath)].body)
	found := regexp.MustCompile(`url\("?([^")]*)"?\)`).FindAllStringSubmatch(sheet, -1)
	if len(found) < 2 {
		t.Fatalf("the bundle refers to %d files", len(found))
	}
	for _, m := range found {
		if a.served[strings.TrimPrefix(m[1], staticPath)] == nil {
			t.Errorf("the bundle refers to %s, which is not served", m[1])
		}
	}
}

var symbol = regexp.MustCompile(`<symbol id="([a-z0-9-]+)"`)

func TestMessageIconsAreInTheSprite(t *testing.T) {
	t.Parallel()
	known := names(symbol, string(assets().plain["icones.svg"]))
	for kind, name := range messageIcons {
		if !known[name] {
			t.Errorf("%s has no icon %s", kind, name)
		}
	}
}
