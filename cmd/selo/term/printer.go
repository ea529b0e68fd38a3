// Package term writes what commands say: headings, steps, tables, problems
// and progress, calm and readable on a terminal, plain in a file.
//
// Texts are given by message key and come from package locale; values are
// written as they are. Colour appears only on a terminal and when NO_COLOR is
// not set (no-color.org); the marks ✓ ✗ • say the same without it. Control
// characters in values are shown as "·", so that data cannot drive the terminal.
//
// It reads no input and decides no exit code.
package term

import (
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/term"

	"selo/clock"
	"selo/fault"
	"selo/locale"
)

// Options say how a printer writes. The zero value writes Portuguese, plain, 80 wide.
type Options struct {
	Lang   locale.Lang
	Colour bool        // write ANSI colours
	Live   bool        // a terminal: progress redraws one line
	Width  int         // columns; 0 means 80, less than 20 means 20
	Clock  clock.Clock // measures progress; nil means the machine's
}

// Printer writes to one place. It is safe for concurrent use. The first error
// in writing stops it; see Err.
type Printer struct {
	lang   locale.Lang
	colour bool
	live   bool
	width  int
	clock  clock.Clock

	mu  sync.Mutex
	w   io.Writer
	err error
	bar string // the progress line on the screen, or ""
}

// New returns a printer that writes to w.
func New(w io.Writer, o Options) *Printer {
	if o.Width == 0 {
		o.Width = 80
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	return &Printer{
		w: w, lang: o.Lang, colour: o.Colour, live: o.Live, width: max(o.Width, 20), clock: o.Clock,
	}
}

// ForFile returns a printer for standard output or error: with colour and live
// progress when f is a terminal. getenv is os.Getenv; NO_COLOR, TERM=dumb and
// COLUMNS are heeded.
func ForFile(f *os.File, lang locale.Lang, getenv func(string) string) *Printer {
	o := Options{Lang: lang}
	if n, err := strconv.Atoi(getenv("COLUMNS")); err == nil && n > 0 {
		o.Width = n
	}
	fd := int(f.Fd())
	if term.IsTerminal(fd) {
		if width, _, err := term.GetSize(fd); err == nil && width > 0 {
			o.Width = width
		}
		o.Live = getenv("TERM") != "dumb" && enableANSI(f)
		o.Colour = o.Live && getenv("NO_COLOR") == ""
	}
	return New(f, o)
}

// Lang returns the language the printer writes.
func (p *Printer) Lang() locale.Lang { return p.lang }

// Err returns the first error in writing, or nil.
func (p *Printer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Heading opens a part of the output. Args are pairs of place and value, here
// and in all that follows.
func (p *Printer) Heading(key string, args ...string) {
	var b strings.Builder
	b.WriteString("\n")
	longest := 0
	for _, line := range wrap(p.text(key, args...), p.textWidth(), true) {
		longest = max(longest, Width(line))
		b.WriteString(p.paint(bold, line) + "\n")
	}
	b.WriteString(p.paint(dim, strings.Repeat("─", longest)) + "\n")
	p.write(b.String())
}

// Section opens a smaller part.
func (p *Printer) Section(key string, args ...string) {
	p.write("\n" + p.block("", bold, "", p.text(key, args...)))
}

// Done says that a step succeeded.
func (p *Printer) Done(key string, args ...string) { p.mark("✓", green, p.text(key, args...)) }

// Failed says that a step did not succeed.
func (p *Printer) Failed(key string, args ...string) { p.mark("✗", red, p.text(key, args...)) }

// Note says something that is neither.
func (p *Printer) Note(key string, args ...string) { p.mark("•", cyan, p.text(key, args...)) }

// Paragraph writes running text.
func (p *Printer) Paragraph(key string, args ...string) {
	p.write(p.block("", "", "", p.text(key, args...)))
}

// Line writes a value as it is, on a line of its own and never broken: an
// address to copy, a line of JSON.
func (p *Printer) Line(value string) { p.write(clean(value) + "\n") }

// Blank leaves a line empty.
func (p *Printer) Blank() { p.write("\n") }

// Pair is a label and its value.
type Pair struct {
	Key   string // message key of the label
	Value string
}

// Pairs writes labels and values, aligned.
func (p *Printer) Pairs(pairs ...Pair) {
	labels := make([]string, len(pairs))
	longest := 0
	for i, pair := range pairs {
		labels[i] = p.text(pair.Key)
		longest = max(longest, Width(labels[i]))
	}
	column := min(longest, max(p.width/2-4, 8))
	var b strings.Builder
	for i, pair := range pairs {
		left := wrap(labels[i], column, true)
		right := wrap(clean(pair.Value), max(p.width-column-4, 8), false)
		for n := range max(len(left), len(right)) {
			label, value := at(left, n), at(right, n)
			line := "  " + p.paint(dim, label)
			if value != "" {
				line += strings.Repeat(" ", column-Width(label)+2) + value
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	p.write(b.String())
}

func (p *Printer) mark(mark string, s style, text string) {
	p.write(p.block(p.paint(s, mark)+" ", "", "  ", text))
}

// text returns the message of a key; values cannot hold control characters.
func (p *Printer) text(key string, args ...string) string {
	return clean(locale.Text(p.lang, key, fault.Pairs(args...)))
}

// block wraps text behind a first prefix as wide as the indent of later lines.
func (p *Printer) block(first string, s style, indent, text string) string {
	var b strings.Builder
	for i, line := range wrap(text, p.textWidth()-Width(indent), false) {
		prefix := indent
		if i == 0 {
			prefix = first
		}
		b.WriteString(prefix + p.paint(s, line) + "\n")
	}
	return b.String()
}

// textWidth is how wide running text gets: lines beyond 100 columns tire the eye.
func (p *Printer) textWidth() int { return min(p.width, 100) }

// style is an ANSI code; empty means none.
type style string

const (
	bold  style = "1"
	dim   style = "2"
	red   style = "31"
	green style = "32"
	cyan  style = "36"
)

func (p *Printer) paint(s style, text string) string {
	if !p.colour || s == "" || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// eraseLine takes the cursor to the start of the line and clears it.
const eraseLine = "\r\x1b[K"

// write puts finished lines above the progress line, if there is one.
func (p *Printer) write(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != "" {
		text = eraseLine + text + p.bar
	}
	p.put(text)
}

// setBar draws the progress line, or removes it when line is empty.
func (p *Printer) setBar(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bar = line
	p.put(eraseLine + line)
}

func (p *Printer) put(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, text)
	}
}
