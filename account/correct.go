package account

import (
	"context"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"selo/fault"
)

// Correct writes what a person says of herself beside what gov.br says, which
// stays (Lei 13.709/2018). An empty value takes the person's own word back. own
// holds every field of [Correctable]; revision is the one that the person saw.
//
// Faults: Invalid "account.correction" with its problems, Conflict
// "account.changed", NotFound "account.unknown".
func Correct(ctx context.Context, tx Tx, id ID, revision int64, own map[Field]string) (Person, error) {
	values, problems := corrected(own)
	if len(problems) > 0 {
		return Person{}, fault.WithProblems("account.correction", problems)
	}
	old, err := tx.LockPerson(ctx, id)
	if err != nil {
		return Person{}, err
	}
	if old.Revision != revision {
		return Person{}, fault.New(fault.Conflict, "account.changed")
	}
	p := old.clone()
	if p.Own == nil {
		p.Own = Facts{}
	}
	var changed []string
	for _, f := range Correctable() {
		value := values[f]
		if value == old.Own[f].Value {
			continue
		}
		changed = append(changed, string(f))
		if value == "" {
			delete(p.Own, f)
		} else {
			p.Own[f] = Fact{Value: value, At: tx.Now()}
		}
	}
	if len(changed) == 0 {
		return old, nil
	}
	if err := tx.UpdatePerson(ctx, &p); err != nil {
		return Person{}, err
	}
	return p, note(ctx, tx, id, "account.corrected", "campos", strings.Join(changed, ","))
}

// corrected reads the values that a person wrote.
func corrected(own map[Field]string) (map[Field]string, []fault.Problem) {
	values := map[Field]string{}
	var problems []fault.Problem
	wrong := func(f Field, code string) {
		problems = append(problems, fault.Problem{Field: string(f), Code: code})
	}
	for _, f := range slices.Sorted(maps.Keys(own)) {
		value := strings.TrimSpace(own[f])
		switch {
		case !slices.Contains(Correctable(), f):
			wrong(f, "account.correction.field")
		case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
			wrong(f, "account.correction.characters")
		case utf8.RuneCountInString(value) > maxText:
			wrong(f, "account.correction.length")
		case value == "":
		case f == Email && !isEmail(value):
			wrong(f, "account.correction.email")
		case f == Phone && !isPhone(value):
			wrong(f, "account.correction.phone")
		default:
			values[f] = value
		}
	}
	return values, problems
}

// isEmail takes a bare address, without a name beside it.
func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s {
		return false
	}
	_, domain, _ := strings.Cut(s, "@")
	return strings.Contains(strings.Trim(domain, "."), ".")
}

// isPhone takes 10 to 15 digits with what people write between them: a Brazilian
// number with its area, or an international one.
func isPhone(s string) bool {
	digits := 0
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune("+()-. ", r):
			return false
		}
	}
	return digits >= 10 && digits <= 15
}
