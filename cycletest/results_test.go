package cycletest_test

import (
	"slices"

	"selo/certifier"
	"selo/fault"
	"selo/remessa"
)

// fetch asks for the result of the outstanding remessa and applies it.
func (s *teller) fetch() {
	b := s.b
	out := b.outstanding()
	if out == nil {
		s.notNow()
	}
	res, err := b.result(out.sequence)
	if err != nil {
		if f := fault.Of(err); f == nil || f.Kind != fault.NotFound {
			b.Fatalf("%s: result of remessa %d: %v", b.sigla, out.sequence, err)
		}
		return
	}
	if res != nil {
		s.apply(*res)
	}
}

// apply applies a result, whichever it is of.
func (s *teller) apply(res remessa.Result) {
	b := s.b
	mine := b.known(res.Sequence, res.Digest)
	key := ""
	if mine == nil {
		key = "result.unknown_remessa"
	}
	if s.write(key, "result", func(tx certifier.Tx) error {
		_, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, res)
		return err
	}) {
		s.ended(mine, res.Outcome)
	}
}

func (s *teller) ended(mine *shipment, outcome remessa.Outcome) {
	if mine.at.Outstanding() {
		s.b.settle(mine, map[remessa.Outcome]certifier.RemessaState{
			remessa.Confirmed: certifier.Confirmed, remessa.Invalidated: certifier.Invalidated}[outcome])
	}
}

// oldResult applies the result of any remessa that the registry ever processed.
func (s *teller) oldResult() {
	res := s.anyResult()
	s.apply(*res)
}

func (s *teller) anyResult() *remessa.Result {
	b := s.b
	if len(b.there.ended) == 0 {
		s.notNow()
	}
	e := b.there.ended[draw(s.T, 0, len(b.there.ended)-1, "result")]
	res, err := b.result(e.sequence)
	b.must(err)
	if res == nil || res.Digest != e.digest || res.Outcome != e.outcome {
		b.Fatalf("%s: result of remessa %d is %+v, want %s", b.sigla, e.sequence, res, e.outcome)
	}
	return res
}

// unlock pastes the code of the outstanding remessa, without network.
func (s *teller) unlock() {
	b := s.b
	out := b.outstanding()
	if out == nil || !slices.ContainsFunc(b.there.ended, func(e ended) bool { return e.digest == out.digest }) {
		s.notNow()
	}
	res, err := b.result(out.sequence)
	b.must(err)
	s.paste(res)
}

// oldCode pastes the code of any remessa.
func (s *teller) oldCode() { s.paste(s.anyResult()) }

func (s *teller) paste(res *remessa.Result) {
	b := s.b
	mine, out := b.known(res.Sequence, res.Digest), b.outstanding()
	key := ""
	switch {
	case mine == nil && slices.ContainsFunc(b.remessas, func(r *shipment) bool { return r.digest == res.Digest }):
		key = "unlock.withdrawn" // and yet somebody carried its file to the registry
	case !slices.ContainsFunc(b.remessas, func(r *shipment) bool { return r.at != certifier.Withdrawn }):
		key = "unlock.none"
	case mine == nil:
		key = "unlock.wrong"
	case out != nil && out != mine:
		key = "unlock.other_remessa"
	}
	if s.write(key, "unlock", func(tx certifier.Tx) error {
		_, err := certifier.Unlock(b.ctx, tx, ana, b.keys, " "+res.Code+"\n")
		return err
	}) {
		s.ended(mine, res.Outcome)
	}
}

// wrongCode pastes a code that is of no remessa, or of another body.
func (s *teller) wrongCode() {
	b := s.b
	other := b.bodies[0]
	if other == b {
		other = b.bodies[1]
	}
	code := "0123456789ABCDEFGHJK"
	if n := len(other.there.ended); n > 0 {
		res, err := other.result(other.there.ended[n-1].sequence)
		b.must(err)
		s.write("result.other_body", "another body's result", func(tx certifier.Tx) error {
			_, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, *res)
			return err
		})
		code = res.Code
	}
	key := "unlock.none"
	if slices.ContainsFunc(b.remessas, func(r *shipment) bool { return r.at != certifier.Withdrawn }) {
		key = "unlock.wrong"
	}
	s.write(key, "wrong code", func(tx certifier.Tx) error {
		_, err := certifier.Unlock(b.ctx, tx, ana, b.keys, code)
		return err
	})
	if out := b.outstanding(); out != nil {
		forged := remessa.Result{Body: b.sigla, Sequence: out.sequence, Digest: out.digest, Outcome: remessa.Confirmed, Code: code}
		s.write("result.code", "forged result", func(tx certifier.Tx) error {
			_, err := certifier.ApplyResult(b.ctx, tx, ana, b.keys, forged)
			return err
		})
	}
}
