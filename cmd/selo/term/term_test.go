package term

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"selo/clock"
	"selo/fault"
	"selo/locale"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func start() *clock.Manual {
	return clock.NewManual(time.Date(2025, 3, 1, 15, 0, 0, 0, time.UTC))
}

// golden compares what was written with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (run with -update and read the change):\n%s", path, got)
	}
}

// gallery writes one of everything.
func gallery(p *Printer) {
	p.Heading("fault.title.unavailable")
	p.Done("term.finished", "total", "1.234", "tempo", "3,2 s")
	p.Note("mail.insecure", "servidor", "correio.inmetro.example:587")
	p.Failed("store.full")
	p.Section("fault.title.invalid")
	p.Paragraph("mail.unsupported", "servidor", "correio.inmetro.example:587")
	p.Line("http://127.0.0.1:8080/certificados/CCB/FB-BRIN-108%2F17.001?em=2025-03-01&formato=completo")
	p.Blank()
	p.Pairs(
		Pair{"term.empty", "12.ABC.345/01DE-35"},
		Pair{"fault.title.not_found", "Companhia Fictícia de Brinquedos Ltda, Rua das Invenções 100, São Paulo"},
		Pair{"fault.title.conflict", ""},
	)
	p.Blank()
	p.Table(
		[]Column{{Key: "fault.title.not_found"}, {Key: "term.empty"}, {Key: "fault.title.forbidden", Right: true}},
		[][]string{
			{"FB-BRIN-108/17.001", "Bonecas Ação — família de modelos com olhos móveis", "12"},
			{"42", "玩具 (brinquedo)", "1.234.567"},
			{"CE\u0301U-7", "", "3"},
		},
	)
	p.Blank()
	p.Table([]Column{{Key: "term.empty"}}, nil)
	p.Fault(exampleFault(23), "/dados/relatorio.txt")
}

func exampleFault(problems int) *fault.Fault {
	f := fault.New(fault.Invalid, "mail.address", "valor", "ana@")
	for i := range problems {
		p := fault.Problem{
			Record: fmt.Sprintf("certificado %d", 2500+i), Field: fmt.Sprintf("empresas[%d].cnpj", i),
			Code: "cnpj.characters", Args: fault.Pairs("valor", "12?45"),
		}
		switch i % 4 {
		case 1:
			p.Field = ""
		case 2:
			p.Record = ""
		case 3:
			p = fault.Problem{Code: "date.impossible", Args: fault.Pairs("valor", "30/02/2025")}
		}
		f.Problems = append(f.Problems, p)
	}
	return f
}

func TestGallery(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.Langs() {
		for _, width := range []int{80, 40} {
			for _, colour := range []bool{false, true} {
				if lang != locale.PT && (colour || width == 40) {
					continue
				}
				name := fmt.Sprintf("gallery_%s_%d.txt", lang, width)
				if colour {
					name = fmt.Sprintf("gallery_%s_%d_colour.txt", lang, width)
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					var b bytes.Buffer
					p := New(&b, Options{Lang: lang, Colour: colour, Width: width, Clock: start()})
					gallery(p)
					if err := p.Err(); err != nil {
						t.Fatal(err)
					}
					golden(t, name, b.Bytes())
					checkLines(t, b.String(), width, colour)
				})
			}
		}
	}
}

// checkLines checks what holds whatever the golden files say.
func checkLines(t *testing.T, out string, width int, colour bool) {
	t.Helper()
	if strings.Contains(out, "\x1b") != colour {
		t.Errorf("colour codes: %v", !colour)
	}
	plain := stripANSI(out)
	for _, line := range strings.Split(plain, "\n") {
		if strings.HasSuffix(line, " ") {
			t.Errorf("space at the end of %q", line)
		}
		if Width(line) > width && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("%d columns: %q", Width(line), line)
		}
		if strings.HasPrefix(strings.TrimSpace(line), "[") {
			t.Errorf("a key without text: %q", line)
		}
	}
}

// stripANSI removes colour codes.
func stripANSI(s string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, "\x1b[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, s, _ = strings.Cut(after, "m")
	}
}

func TestColourChangesNoText(t *testing.T) {
	t.Parallel()
	var plain, coloured bytes.Buffer
	gallery(New(&plain, Options{}))
	gallery(New(&coloured, Options{Colour: true}))
	if stripANSI(coloured.String()) != plain.String() {
		t.Error("texts differ")
	}
}

func TestProblemsAtTheLimit(t *testing.T) {
	t.Parallel()
	for problems, more := range map[int]string{20: "", 21: "e mais 1", 1020: "e mais 1.000"} {
		var b bytes.Buffer
		New(&b, Options{}).Fault(exampleFault(problems), "")
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		if last := strings.TrimSpace(lines[len(lines)-1]); (more == "") == strings.HasPrefix(last, "e mais") || more != "" && last != more {
			t.Errorf("%d problems end in %q", problems, last)
		}
		if !strings.Contains(b.String(), "\n 20. ") || strings.Contains(b.String(), "\n 21. ") {
			t.Errorf("%d problems: wrong count shown", problems)
		}
	}
}

func TestValuesCannotDriveTheTerminal(t *testing.T) {
	t.Parallel()
	attack := "a\x1b[31mb\x1b]0;t\a\u009bc\u202ed\r\ne\xff"
	var b bytes.Buffer
	p := New(&b, Options{Lang: locale.EN})
	p.Done("lang.unknown", "valor", attack)
	p.Line(attack)
	p.Pairs(Pair{"term.empty", attack})
	p.Table([]Column{{Key: "term.empty"}}, [][]string{{attack}})
	f := fault.New(fault.Invalid, "lang.unknown", "valor", attack)
	f.Problems = []fault.Problem{{Record: attack, Field: attack, Code: "lang.unknown", Args: fault.Pairs("valor", attack)}}
	p.Fault(f, attack)
	if strings.ContainsAny(b.String(), "\x1b\a\r\u009b\u202e") || !utf8.ValidString(b.String()) {
		t.Errorf("got %q", b.String())
	}
}

func TestWidthAndWrap(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{"": 0, "ação": 4, "ac\u0327a\u0303o": 4, "玩具": 4, "✓ —": 3, "\u200bx": 1} {
		if got := Width(s); got != want {
			t.Errorf("Width(%q) = %d, want %d", s, got, want)
		}
	}
	tests := []struct {
		text string
		cols int
		hard bool
		want string
	}{
		{"", 10, false, ""},
		{"um dois três", 8, false, "um dois|três"},
		{"um  dois", 7, false, "um dois"},
		{"http://example.org/a b", 8, false, "http://example.org/a|b"},
		{"abcdefgh ij", 3, true, "abc|def|gh|ij"},
		{"x abcdefgh", 4, true, "x|abcd|efgh"},
		{"玩具玩", 3, true, "玩|具|玩"},
		{"玩", 1, true, "玩"},
		{"a", 0, true, "a"},
	}
	for _, tt := range tests {
		if got := strings.Join(wrap(tt.text, tt.cols, tt.hard), "|"); got != tt.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", tt.text, tt.cols, got, tt.want)
		}
	}
}

func TestForFileIsPlainOnAFile(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "saida.txt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // written and read below; closing adds nothing
	p := ForFile(f, locale.ES, func(name string) string { return map[string]string{"COLUMNS": "33"}[name] })
	if p.colour || p.live || p.width != 33 || p.Lang() != locale.ES {
		t.Errorf("%+v", p)
	}
	p.Done("fault.title.not_found")
	got, err := os.ReadFile(f.Name())
	if err != nil || string(got) != "✓ No encontrado\n" {
		t.Errorf("%q, %v", got, err)
	}
}

type brokenPipe struct{ writes int }

func (b *brokenPipe) Write([]byte) (int, error) {
	b.writes++
	return 0, errors.New("broken pipe")
}

func TestFirstWriteErrorStopsThePrinter(t *testing.T) {
	t.Parallel()
	w := &brokenPipe{}
	p := New(w, Options{})
	gallery(p)
	if p.Err() == nil || w.writes != 1 {
		t.Errorf("%d writes, %v", w.writes, p.Err())
	}
}

func TestLiveProgress(t *testing.T) {
	t.Parallel()
	for _, width := range []int{80, 40} {
		for _, colour := range []bool{false, true} {
			name := fmt.Sprintf("progress_%d.txt", width)
			if colour {
				name = fmt.Sprintf("progress_%d_colour.txt", width)
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var b bytes.Buffer
				c := start()
				p := New(&b, Options{Live: true, Colour: colour, Width: width, Clock: c})
				g := p.Progress()
				g.Start("fault.title.not_found", 1_000_000)
				for i := range 10 {
					c.Advance(700 * time.Millisecond)
					g.Add(100_000)
					g.Add(0) // too soon to redraw
					if i == 4 {
						p.Note("fault.title.conflict")
					}
				}
				g.Done()
				g.Done() // twice does nothing
				g.Start("fault.title.forbidden", 0)
				c.Advance(2 * time.Second)
				g.Add(5000)
				g.Start("fault.title.forbidden", 10)
				g.Add(4)
				g.Done()
				out := stripANSI(strings.ReplaceAll(b.String(), eraseLine, "⏎"))
				for _, line := range strings.FieldsFunc(out, func(r rune) bool { return r == '⏎' || r == '\n' }) {
					if Width(line) >= width && strings.ContainsAny(line, "━╌") {
						t.Errorf("%d columns: %q", Width(line), line)
					}
				}
				golden(t, name, []byte(strings.ReplaceAll(b.String(), eraseLine, "⏎\n")))
			})
		}
	}
}

func TestQuietProgress(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	c := start()
	g := New(&b, Options{Clock: c}).Progress()
	g.Add(1) // before Start: nothing
	g.Start("fault.title.not_found", 3600)
	for range 3600 {
		c.Advance(10 * time.Millisecond)
		g.Add(1)
	}
	g.Done()
	want := "• Não encontrado · 27% · falta 26 s · 1.000 · 100/s\n" +
		"• Não encontrado · 55% · falta 16 s · 2.000 · 100/s\n" +
		"• Não encontrado · 83% · falta 6 s · 3.000 · 100/s\n" +
		"✓ Não encontrado · 3.600 em 36 s · 100/s\n"
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

type record struct {
	mu     sync.Mutex
	events []string
}

func (r *record) add(e string) { r.mu.Lock(); r.events = append(r.events, e); r.mu.Unlock() }

func (r *record) Start(label string, total int64) { r.add(fmt.Sprintf("start %s %d", label, total)) }
func (r *record) Add(n int64)                     { r.add(fmt.Sprintf("add %d", n)) }
func (r *record) Done()                           { r.add("done") }

func TestFunc(t *testing.T) {
	t.Parallel()
	r := &record{}
	report := Func(r, "some.label")
	for _, done := range []int64{0, 10, 10, 30, 30, 30} {
		report(done, 30)
	}
	want := "start some.label 30, add 10, add 20, done"
	if got := strings.Join(r.events, ", "); got != want {
		t.Errorf("got %s", got)
	}
}

func TestPrinterIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	p := New(&b, Options{Live: true})
	g := p.Progress()
	g.Start("fault.title.not_found", 800)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				g.Add(1)
				p.Note("fault.title.conflict")
			}
		})
	}
	wg.Wait()
	g.Done()
	if n := strings.Count(b.String(), "• Não é possível agora\n"); n != 800 {
		t.Errorf("%d whole lines", n)
	}
	if !strings.Contains(b.String(), "✓ Não encontrado · 800 em ") {
		t.Error("no closing line")
	}
}
