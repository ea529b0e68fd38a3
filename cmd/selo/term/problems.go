package term

import (
	"strconv"
	"strings"

	"selo/fault"
	"selo/locale"
)

// shownProblems is how many problems a person is shown at once.
const shownProblems = 20

// Fault writes what happened, the rule, the next step and every problem, up to
// twenty; where names the place that holds them all ("relatorio.txt"), if any.
func (p *Printer) Fault(f *fault.Fault, where string) {
	p.Failure(locale.Fault(p.lang, f), where)
}

// Failure is Fault for a failure already in words, such as locale.Internal.
func (p *Printer) Failure(f locale.Failure, where string) {
	p.mark("✗", red, clean(f.Detail))
	p.ruleAndAction("  ", f.Rule, f.Action)
	if len(f.Problems) > 0 {
		p.Blank()
		p.Problems(f.Problems, where)
	}
}

// Problems writes broken rules, numbered: record, field, message, rule and
// remedy. It shows twenty, then how many more there are and where.
func (p *Printer) Problems(list []locale.Rendered, where string) {
	total := int64(len(list))
	p.write(p.block("", bold, "", p.text("term.problems", "total", locale.Number(p.lang, total))))
	shown := list[:min(len(list), shownProblems)]
	numbers := len(strconv.Itoa(len(shown)))
	for i, r := range shown {
		n := strconv.Itoa(i + 1)
		number := strings.Repeat(" ", 1+numbers-len(n)) + n + ". "
		indent := strings.Repeat(" ", len(number))
		first := p.paint(red, number)
		p.Blank()
		if subject := subjectOf(r); subject != "" {
			p.write(p.block(first, bold, indent, subject))
			first = indent
		}
		p.write(p.block(first, "", indent, clean(r.Message)))
		p.ruleAndAction(indent, r.Rule, r.Action)
	}
	if more := total - int64(len(shown)); more > 0 {
		number := locale.Number(p.lang, more)
		text := p.text("term.more", "numero", number)
		if where != "" {
			text = p.text("term.more_where", "numero", number, "onde", where)
		}
		p.write("\n" + p.block(" ", "", " ", text))
	}
}

// subjectOf names the record and field of a problem in the manual's words.
func subjectOf(r locale.Rendered) string {
	if r.Subject != "" {
		return clean(r.Subject)
	}
	return clean(strings.Trim(r.Record+" · "+r.Field, " ·"))
}

func (p *Printer) ruleAndAction(indent, rule, action string) {
	if action != "" {
		p.write(p.block(indent+p.paint(cyan, "→")+" ", "", indent+"  ", clean(action)))
	}
	if rule != "" {
		p.write(p.block(indent, dim, indent, p.text("term.rule", "regra", rule)))
	}
}
