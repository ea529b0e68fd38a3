package term

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"selo/locale"
)

// Progress shows how far long work has come. Label is a message key, total is
// in the work's own units and 0 when unknown. Done ends what Start began.
type Progress interface {
	Start(label string, total int64)
	Add(n int64)
	Done()
}

// Func adapts a Progress to the plain function that domain code takes: it
// starts at the first call and is done when done reaches total.
func Func(p Progress, label string) func(done, total int64) {
	var mu sync.Mutex
	var last int64
	started, finished := false, false
	return func(done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		if finished {
			return
		}
		if !started {
			started = true
			p.Start(label, total)
		}
		if done > last {
			p.Add(done - last)
			last = done
		}
		if total > 0 && done >= total {
			finished = true
			p.Done()
		}
	}
}

const (
	redrawEvery = 100 * time.Millisecond // on a terminal
	reportEvery = 10 * time.Second       // elsewhere: one line
	rateAfter   = time.Second            // earlier, the rate says nothing
)

// Progress returns a progress line of this printer. On a terminal it redraws
// itself below what else is printed; elsewhere it writes a line every ten
// seconds at most. Both end with one line that stays. It is safe for
// concurrent use; one printer shows one progress at a time.
func (p *Printer) Progress() Progress { return &progress{printer: p} }

type progress struct {
	printer *Printer

	mu          sync.Mutex
	running     bool
	label       string
	total, done int64
	began, last time.Time // last: of the newest drawing or line
}

// Start begins; what was running before ends.
func (g *progress) Start(label string, total int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.finish()
	now := g.printer.clock.Now()
	g.label = g.printer.text(label)
	g.running, g.total, g.done, g.began, g.last = true, total, 0, now, now
	if g.printer.live {
		g.draw(now)
	}
}

func (g *progress) Add(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.running {
		return
	}
	g.done += n
	now := g.printer.clock.Now()
	switch {
	case g.printer.live && now.Sub(g.last) >= redrawEvery:
		g.draw(now)
	case !g.printer.live && now.Sub(g.last) >= reportEvery:
		g.last = now
		parts := append([]string{g.label}, g.facts(now)...)
		g.printer.mark("•", cyan, strings.Join(parts, " · "))
	}
}

func (g *progress) Done() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.finish()
}

// finish leaves a line that says how much was done in what time. Work that
// stopped before its total is not marked as done.
func (g *progress) finish() {
	if !g.running {
		return
	}
	g.running = false
	p := g.printer
	if p.live {
		p.setBar("")
	}
	elapsed := p.clock.Now().Sub(g.began)
	text := g.label + " · " + p.text("term.finished",
		"total", locale.Number(p.lang, g.done), "tempo", locale.Duration(p.lang, elapsed))
	if r, ok := g.rate(elapsed); ok {
		text += " · " + r
	}
	if g.done < g.total {
		p.mark("•", cyan, text+" · "+locale.Percent(g.done, g.total))
		return
	}
	p.mark("✓", green, text)
}

// rate returns units a second, once enough time has passed to say so.
func (g *progress) rate(elapsed time.Duration) (string, bool) {
	if elapsed < rateAfter {
		return "", false
	}
	perSecond := int64(float64(g.done) / elapsed.Seconds())
	return g.printer.text("term.rate", "numero", locale.Number(g.printer.lang, perSecond)), true
}

// facts returns share, time left, count and rate: the most useful first.
func (g *progress) facts(now time.Time) []string {
	p := g.printer
	var facts []string
	if g.total > 0 {
		facts = append(facts, locale.Percent(g.done, g.total))
	}
	elapsed := now.Sub(g.began)
	r, ok := g.rate(elapsed)
	if ok && g.done > 0 && g.total > g.done {
		left := time.Duration(float64(elapsed) / float64(g.done) * float64(g.total-g.done))
		facts = append(facts, p.text("term.remaining", "tempo", p.timeLeft(left)))
	}
	facts = append(facts, locale.Number(p.lang, g.done))
	if ok {
		facts = append(facts, r)
	}
	return facts
}

// timeLeft writes a guess, so never parts of a second.
func (p *Printer) timeLeft(left time.Duration) string {
	left = max(left.Round(time.Second), time.Second)
	if left < 10*time.Second {
		return strconv.Itoa(int(left/time.Second)) + " s"
	}
	return locale.Duration(p.lang, left)
}

// draw redraws the line: label, bar and as many facts as fit.
func (g *progress) draw(now time.Time) {
	g.last = now
	p := g.printer
	columns := p.width - 1 // a full line would make some terminals scroll
	label := cut(g.label, max(columns/2, 1))
	facts := g.facts(now)
	const smallest = 10
	room := func() int { return columns - Width(label) - Width(strings.Join(facts, "  ")) - 4 }
	for len(facts) > 1 && room() < smallest {
		facts = facts[:len(facts)-1]
	}
	tail := strings.Join(facts, "  ")
	if g.total <= 0 || room() < 3 {
		p.setBar(label + "  " + cut(tail, max(columns-Width(label)-2, 1)))
		return
	}
	cells := min(room(), 24)
	full := int(float64(cells) * min(1, float64(g.done)/float64(g.total)))
	bar := p.paint(green, strings.Repeat("━", full)) + p.paint(dim, strings.Repeat("╌", cells-full))
	p.setBar(label + "  " + bar + "  " + tail)
}
