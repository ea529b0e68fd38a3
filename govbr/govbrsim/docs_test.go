package govbrsim

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentation: docs/govbr-sim.md names every route and switch there is,
// and no test that there is not.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../docs/govbr-sim.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(content)
	var code strings.Builder
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		part, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(part)
	}
	_, table, _ := strings.Cut(doc, "## Conformance")
	for _, name := range regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`).FindAllString(table, -1) {
		if !strings.Contains(code.String(), "func "+name+"(") {
			t.Errorf("there is no %s", name)
		}
	}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if last := cells[max(len(cells)-2, 0)]; len(cells) > 3 && !strings.Contains(line, "tested by") && !strings.Contains(line, "---") &&
			!strings.Contains(last, "Test") && !strings.Contains(last, "Fuzz") && !strings.Contains(last, "not simulated") {
			t.Errorf("no test and no word that it is not simulated: %s", line)
		}
	}
	for _, rt := range still(t).Routes() {
		path := strings.Replace(rt.Path, "{$}", "", 1)
		for _, tail := range []string{"/{cnpj}/participantes/{cpf}", "/{id}/historico-acessos", "/{cnpj}"} { // "and /{cnpj}…"
			if strings.HasPrefix(path, "/sim/api/") {
				path = strings.TrimSuffix(path, tail)
			}
		}
		if last := "/" + filepath.Base(path); strings.HasPrefix(path, "/login/") || path == "/" || last == "/confiabilidades" || last == "/categorias" {
			continue // "and what lies below it", "also …"
		}
		if !strings.Contains(doc, path) {
			t.Errorf("%s is not documented", rt.Path)
		}
	}
	switches := reflect.TypeFor[Switches]()
	for i := range switches.NumField() {
		name, _, _ := strings.Cut(switches.Field(i).Tag.Get("json"), ",")
		if !strings.Contains(doc, "`"+name+"`") {
			t.Errorf("the switch %s is not documented", name)
		}
	}
	for _, flaw := range flaws() {
		if !strings.Contains(doc, "`"+string(flaw)+"`") {
			t.Errorf("the flaw %s is not documented", flaw)
		}
	}
}
