package certifier

import (
	"context"
	"crypto/hmac"
	"fmt"
	"strings"

	"selo/fault"
	"selo/remessa"
)

// Answer says what a result or a code did.
type Answer struct {
	Remessa *Remessa
	Outcome remessa.Outcome
	Already bool // it was applied before: nothing changed
}

// ApplyResult takes the registry's answer to a remessa: confirmed, everything in
// it is accepted; invalidated, it is approved again for the next remessa, and
// the reasons stand at their records (manual 2.2.5). The result's unlock code
// is checked, so that nobody but the registry can end a remessa. Applying it
// again changes nothing, except that reasons are added which a code alone could
// not bring.
//
// Faults: Conflict "result.unknown_remessa", "result.contradicts" (another
// outcome was applied before), "result.other_body", "enrolment.missing";
// Invalid "result.code".
func ApplyResult(ctx context.Context, tx Tx, actor Actor, keys remessa.Keys, res remessa.Result) (Answer, error) {
	body, secret, err := unlocking(ctx, tx, keys)
	if err != nil {
		return Answer{}, err
	}
	if res.Body != body.Sigla {
		return Answer{}, fault.New(fault.Conflict, "result.other_body",
			"organismo", fmt.Sprintf("%.8s", string(res.Body)), "esperado", string(body.Sigla))
	}
	code, err := remessa.ParseCode(res.Code)
	want := remessa.UnlockCode(secret, res.Body, res.Sequence, res.Digest, res.Outcome)
	if err != nil || !hmac.Equal([]byte(code), []byte(want)) || stateOf(res.Outcome) == "" {
		return Answer{}, fault.New(fault.Invalid, "result.code", "numero", number(res.Sequence))
	}
	all, err := tx.ListRemessas(ctx, 0)
	if err != nil {
		return Answer{}, fmt.Errorf("list remessas: %w", err)
	}
	for i := range all {
		r := &all[i]
		if r.State == Withdrawn || r.Sequence != res.Sequence || r.Digest != res.Digest {
			continue
		}
		return settle(ctx, tx, actor, r, res.Outcome, code, &res)
	}
	return Answer{}, fault.New(fault.Conflict, "result.unknown_remessa", "numero", number(res.Sequence))
}

// Unlock takes a senha de desbloqueio as it was pasted from the e-mail; it needs
// no network. The code itself tells the outcome; the reasons of an invalidation
// come with [ApplyResult]. The code of a remessa that is unlocked already is no
// error while none is outstanding.
//
// Faults: Invalid "unlock.format", "unlock.wrong"; Conflict
// "unlock.other_remessa" with the number of the earlier remessa it belongs to,
// "unlock.withdrawn" when that one was withdrawn here but reached the registry
// nevertheless (see [Reconcile]),
// "result.contradicts", "unlock.none" when no remessa was ever prepared,
// "enrolment.missing".
func Unlock(ctx context.Context, tx Tx, actor Actor, keys remessa.Keys, pasted string) (Answer, error) {
	code, err := remessa.ParseCode(pasted)
	if err != nil {
		return Answer{}, err
	}
	body, secret, err := unlocking(ctx, tx, keys)
	if err != nil {
		return Answer{}, err
	}
	all, err := tx.ListRemessas(ctx, 0)
	if err != nil {
		return Answer{}, fmt.Errorf("list remessas: %w", err)
	}
	var current *Remessa
	for i := range all {
		if all[i].State.Outstanding() {
			current = &all[i]
		}
	}
	known := 0
	for i := range all {
		r := &all[i]
		if r.State != Withdrawn {
			known++
		}
		outcome, ok := remessa.CheckCode(secret, body.Sigla, r.Sequence, r.Digest, code)
		switch {
		case !ok:
		case r.State == Withdrawn: // its file was carried to the registry nevertheless
			return Answer{}, fault.New(fault.Conflict, "unlock.withdrawn", "numero", number(r.Sequence))
		case current != nil && current != r:
			return Answer{}, fault.New(fault.Conflict, "unlock.other_remessa",
				"numero", number(r.Sequence), "esperado", number(current.Sequence))
		default:
			return settle(ctx, tx, actor, r, outcome, code, nil)
		}
	}
	if known == 0 {
		return Answer{}, fault.New(fault.Conflict, "unlock.none")
	}
	if current != nil {
		return Answer{}, fault.New(fault.Invalid, "unlock.wrong", "numero", number(current.Sequence))
	}
	return Answer{}, fault.New(fault.Invalid, "unlock.wrong", "numero", number(all[0].Sequence))
}

// unlocking returns the body and the secret under which its codes are made.
func unlocking(ctx context.Context, tx Tx, keys remessa.Keys) (Body, []byte, error) {
	body, err := CurrentBody(ctx, tx)
	if err != nil {
		return Body{}, nil, err
	}
	reg, err := CurrentRegistry(ctx, tx)
	if err != nil {
		return Body{}, nil, err
	}
	secret, err := remessa.SharedSecret(keys.Agree, reg.Keys.Agree)
	return body, secret, err
}

// resultEvents name the end of a remessa in the audit and in histories.
var resultEvents = map[remessa.Outcome]string{
	remessa.Confirmed:   "remessa.confirmed",
	remessa.Invalidated: "remessa.invalidated",
}

func stateOf(o remessa.Outcome) RemessaState {
	switch o {
	case remessa.Confirmed:
		return Confirmed
	case remessa.Invalidated:
		return Invalidated
	}
	return ""
}

// settle ends a remessa, or sees that it has ended just so. res is nil when only a code is known.
func settle(ctx context.Context, tx Tx, actor Actor, r *Remessa, outcome remessa.Outcome, code remessa.Code, res *remessa.Result) (Answer, error) {
	from, to := r.State, stateOf(outcome)
	answer := Answer{Remessa: r, Outcome: outcome}
	if !from.Outstanding() && from != to {
		return Answer{}, fault.New(fault.Conflict, "result.contradicts", "numero", number(r.Sequence), "estado", string(from))
	}
	if from == to {
		answer.Already = true
		if res == nil || len(res.Reasons) == 0 || len(r.Reasons) > 0 {
			return answer, nil
		}
	}
	r.State = to
	if res != nil {
		r.Reasons, r.Total = res.Reasons, res.Total
	}
	if !answer.Already {
		r.ResultAt, r.Code = tx.Now(), code.String()
	}
	if err := tx.UpdateRemessa(ctx, *r, from); err != nil {
		return Answer{}, err
	}
	if answer.Already {
		return answer, nil
	}
	if err := tx.Settle(ctx, outcome == remessa.Confirmed); err != nil {
		return Answer{}, fmt.Errorf("settle remessa %d: %w", r.Sequence, err)
	}
	return answer, logRemessa(ctx, tx, actor, resultEvents[outcome], r, map[string]string{"motivos": number(r.Total)})
}

// findReasons puts at a record why the last remessa that carried it was
// invalidated. They go when a later remessa carries it.
func findReasons(ctx context.Context, tx Tx, r *Record) error {
	carried, err := tx.RemessasOf(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read remessas of %s: %w", r.ID, err)
	}
	for len(carried) > 0 && carried[len(carried)-1].State == Withdrawn {
		carried = carried[:len(carried)-1]
	}
	if len(carried) == 0 || carried[len(carried)-1].State != Invalidated {
		return nil
	}
	last := carried[len(carried)-1]
	label := r.Label
	log, err := tx.Log(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("read log of %s: %w", r.ID, err)
	}
	for _, e := range log { // the label it had then
		if e.Hash == last.Hash {
			if rev, err := decode(e.Content); err == nil {
				label = rev.Label()
			}
		}
	}
	for _, p := range last.Reasons {
		if strings.EqualFold(p.Record, label) {
			r.Reasons = append(r.Reasons, p)
		}
	}
	return nil
}

// ListRemessas returns the remessas, newest first, those withdrawn included.
func ListRemessas(ctx context.Context, tx Tx, limit int) ([]Remessa, error) {
	list, err := tx.ListRemessas(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("list remessas: %w", err)
	}
	return list, nil
}
