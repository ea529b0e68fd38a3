package cycletest_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"

	"selo/certificate"
	"selo/certifier"
	"selo/fault"
	"selo/job"
	"selo/registry"
	"selo/remessa"
	"selo/store"

	"pgregory.net/rapid"
)

// prepare makes the next remessa and its file.
func (s *teller) prepare() {
	b := s.b
	scope := one(s.T, []remessa.Scope{remessa.Partial, remessa.Partial, remessa.Full}, "scope")
	key, waiting, accepted := "", 0, 0
	for _, r := range b.records {
		if r.approved != "" {
			waiting++
			if !b.sendable(r) {
				key = "remessa.problems"
			}
		}
		if r.accepted != "" {
			accepted++
		}
	}
	switch {
	case b.outstanding() != nil:
		key = "remessa.outstanding"
	case key != "":
	case waiting == 0 && (scope == remessa.Partial || accepted == 0):
		key = "remessa.empty"
	}
	if !s.write(key, "prepare", func(tx certifier.Tx) error {
		if err := b.resume(tx); err != nil {
			return err
		}
		_, err := certifier.Prepare(b.ctx, tx, ana, b.keys, b.out, scope)
		return err
	}, "remessa.outstanding") {
		return
	}
	var made *certifier.Remessa
	b.must(b.db.Read(b.ctx, func(tx certifier.Tx) (err error) {
		made, err = certifier.FindOutstanding(b.ctx, tx)
		return err
	}))
	sequence, digest := b.lastRemessa()
	if made.Sequence != sequence+1 || made.Previous != digest {
		b.Fatalf("%s: remessa %d follows %d", b.sigla, made.Sequence, sequence)
	}
	file, err := os.ReadFile(b.out.Path(made.File))
	b.must(err)
	ship := &shipment{sequence: made.Sequence, digest: made.Digest, previous: made.Previous, file: file,
		carried: b.depart(), at: certifier.Prepared}
	b.remessas = append(b.remessas, ship)
	b.old = append(b.old, ship)
	b.outbox()
}

func (s *teller) cancel() {
	b := s.b
	out := b.outstanding()
	key := ""
	switch {
	case out == nil:
		key = "remessa.none"
	case out.at == certifier.Sent:
		key = "remessa.sent"
	}
	if s.write(key, "cancel", func(tx certifier.Tx) error {
		if err := b.resume(tx); err != nil {
			return err
		}
		_, err := certifier.Cancel(b.ctx, tx, ana, b.out)
		return err
	}, "remessa.none") {
		b.settle(out, certifier.Withdrawn)
		b.outbox()
	}
}

// send delivers the outstanding remessa as the program does: it counts as sent
// before the first byte leaves, and no more when the registry refuses it.
func (s *teller) send() {
	b := s.b
	out := b.outstanding()
	key := ""
	if out == nil {
		key = "remessa.none"
	}
	if !s.write(key, "mark sent", func(tx certifier.Tx) error {
		if err := b.resume(tx); err != nil {
			return err
		}
		_, err := certifier.MarkSent(b.ctx, tx, ana, certifier.ByHTTPS)
		return err
	}) {
		return
	}
	before := out.at
	out.at = certifier.Sent
	file, err := os.ReadFile(b.out.Path(remessa.FileName(b.sigla, out.sequence)))
	b.must(err)
	if !bytes.Equal(file, out.file) {
		b.Fatalf("%s: the file of remessa %d is not the one that was prepared", b.sigla, out.sequence)
	}
	if s.hand(out) || before == certifier.Sent && s.byHand(out) {
		return
	}
	if s.write("", "mark refused", func(tx certifier.Tx) error {
		return certifier.MarkRefused(b.ctx, tx, ana, out.sequence)
	}) {
		out.at = certifier.Prepared
	}
}

// byHand tells whether a remessa left as a file before; then nothing takes that back.
func (s *teller) byHand(out *shipment) bool {
	var r *certifier.Remessa
	s.b.must(s.b.db.Read(s.b.ctx, func(tx certifier.Tx) (err error) {
		r, err = certifier.FindOutstanding(s.b.ctx, tx)
		return err
	}))
	return r.Sequence == out.sequence && r.How == certifier.ByFile
}

// export hands the remessa's file to a person.
func (s *teller) export() {
	b := s.b
	out := b.outstanding()
	key := ""
	if out == nil {
		key = "remessa.none"
	}
	dir := filepath.Join(b.dir, "pendrive")
	b.must(os.MkdirAll(dir, 0o700))
	if s.write(key, "export", func(tx certifier.Tx) error {
		if err := b.resume(tx); err != nil {
			return err
		}
		_, err := certifier.Export(b.ctx, tx, ana, b.out, dir)
		return err
	}) {
		out.at = certifier.Sent
		copied, err := os.ReadFile(filepath.Join(dir, remessa.FileName(b.sigla, out.sequence)))
		b.must(err)
		if !bytes.Equal(copied, out.file) {
			b.Fatalf("%s: the copy of remessa %d differs", b.sigla, out.sequence)
		}
	}
}

// hand delivers a remessa and tells whether the registry has it now.
func (s *teller) hand(ship *shipment) bool {
	b := s.b
	fresh, key := b.there.receive(ship)
	var got bool
	var gotKey string
	err := b.world.act(func() (err error) {
		got, gotKey, err = b.deliver(ship.file)
		return err
	})
	if gotKey != key || (err == nil) != (key == "") || got != fresh && b.last != afterwards {
		b.Fatalf("%s: delivery of remessa %d: fresh=%v %q %v, want fresh=%v %q", b.sigla, ship.sequence, got, gotKey, err, fresh, key)
	}
	if fresh {
		b.there.waiting = ship
	}
	return key == ""
}

// deliverOld delivers any file that was ever made: again, late, in another
// order, from before a restoration, or one that was cancelled.
func (s *teller) deliverOld() {
	if len(s.b.old) == 0 {
		s.notNow()
	}
	ship := s.b.old[draw(s.T, 0, len(s.b.old)-1, "file")]
	if ship.at == certifier.Withdrawn && draw(s.T, 0, 3, "cancelled too") > 0 {
		s.notNow()
	}
	s.hand(ship)
}

// deliverDamaged delivers a file with one bit flipped, or cut.
func (s *teller) deliverDamaged() {
	b := s.b
	if len(b.old) == 0 {
		s.notNow()
	}
	ship := b.old[draw(s.T, 0, len(b.old)-1, "file")]
	file := slices.Clone(ship.file)
	at := draw(s.T, 0, len(file)-1, "byte")
	if rapid.Bool().Draw(s.T, "cut") {
		file = file[:at]
	} else {
		file[at] ^= 1 << draw(s.T, 0, 7, "bit")
	}
	fresh, key := b.there.receive(ship)
	got, gotKey, err := b.deliver(file)
	switch {
	case err != nil && fault.Of(err) == nil:
		b.Fatalf("%s: a damaged file gave %v", b.sigla, err)
	case err == nil && fresh != got || err == nil && key != "" && gotKey != key:
		b.Fatalf("%s: a damaged file was taken: fresh=%v", b.sigla, got)
	case err == nil && fresh: // a bit that means nothing, such as a file's time in the ZIP
		b.there.waiting = ship
	}
}

// process ends the waiting remessa of the body.
func (s *teller) process() {
	b := s.b
	ship := b.there.waiting
	if ship == nil {
		s.notNow()
	}
	b.must(b.world.act(func() error { return b.processOnce(ship.sequence) }))
	outcome := b.there.process()
	res, err := b.result(ship.sequence)
	b.must(err)
	if res == nil || res.Outcome != outcome || (len(res.Reasons) > 0) != (outcome == remessa.Invalidated) {
		b.Fatalf("%s: remessa %d ended %+v, want %s", b.sigla, ship.sequence, res, outcome)
	}
}

// processOnce does what a job runner does: claim, process, complete. Claims of
// processes that died have run out by then.
func (b *body) processOnce(sequence int64) error {
	b.clock.Advance(2 * time.Second)
	var claims []job.Claim
	err := b.base.DB.Write(b.ctx, func(tx *store.Tx) (err error) {
		claims, err = tx.ClaimJobs(b.ctx, job.Want{Kinds: []string{registry.ProcessKind}, Token: rand.Text(), Until: tx.Now().Add(time.Second), Limit: 10})
		return err
	})
	if err != nil {
		return err
	}
	args := registry.ProcessArgs{Body: b.sigla, Sequence: sequence}
	for _, claim := range claims {
		var got registry.ProcessArgs
		if err := json.Unmarshal(claim.Job.Args, &got); err != nil {
			return err
		}
		if got == args {
			return b.registry.Process(b.ctx, args, func(tx registry.Tx) error { return tx.CompleteJob(b.ctx, claim.ID, claim.Token) })
		}
	}
	// It was done before the process died: doing it again must change nothing.
	return b.registry.Process(b.ctx, args, func(registry.Tx) error { return nil })
}

// scope gives or takes the accreditation for one class, and makes the release.
func (s *teller) scope() {
	s.b.grant(!s.b.there.granted)
	if rapid.Bool().Draw(s.T, "release") {
		s.b.release()
	}
}

func (b *body) grant(on bool) {
	b.Helper()
	period := certificate.Period{From: day("2010-01-01")}
	if !on {
		period.To = day("2020-01-01")
	}
	b.must(b.world.act(func() error {
		return b.base.Write(b.ctx, func(tx registry.Tx) error {
			return b.registry.PutScope(b.ctx, tx, registry.Scope{Body: b.sigla, Class: classSometimes, Period: period}, "teste")
		})
	}))
	b.there.granted = on
}

func (b *body) release() {
	b.Helper()
	var r registry.Release
	b.must(b.world.act(func() error {
		return b.base.Write(b.ctx, func(tx registry.Tx) (err error) {
			r, _, err = b.registry.Release(b.ctx, tx, b.sigla, "teste")
			return err
		})
	}))
	if n := len(b.there.releases); r.Number == n+1 {
		b.there.releases = append(b.there.releases, release{r.Number, r.Signed, b.there.granted})
	} else if r.Number != n {
		b.Fatalf("%s: release %d follows %d", b.sigla, r.Number, n)
	}
}

// applyTables applies any release, the newest most often.
func (s *teller) applyTables() {
	b := s.b
	n := len(b.there.releases)
	r := b.there.releases[one(s.T, []int{n - 1, n - 1, max(0, n-2), 0}, "release")]
	out := b.outstanding()
	key := ""
	switch {
	case r.number == b.tables:
	case r.number < b.tables:
		key = "tables.older"
	case out != nil && out.at == certifier.Sent:
		key = "tables.awaiting_result"
	}
	if s.write(key, "apply release", func(tx certifier.Tx) error {
		_, err := certifier.ApplyRelease(b.ctx, tx, ana, r.signed)
		return err
	}) {
		b.tables, b.accredited = r.number, r.accredited
	}
}

func (s *teller) publish() {
	var p registry.Publication
	s.must(s.act(func() error {
		return s.base.Write(s.ctx, func(tx registry.Tx) (err error) {
			p, _, err = s.registry.Publish(s.ctx, tx, "teste")
			return err
		})
	}))
	if n := len(s.heads); p.Head != s.heads[n-1] {
		s.Fatalf("publication %d shows %d revisions, the ledger has %d", p.Number, p.Head.Size, s.heads[n-1].Size)
	}
}

// restart lets one side's process end and start again.
func (s *teller) restart() {
	if rapid.Bool().Draw(s.T, "registry") {
		s.reopen()
	} else {
		s.b.reopen()
	}
}

// wait lets time pass: results come in on another day.
func (s *teller) wait() {
	s.clock.Advance(time.Duration(draw(s.T, 1, 40, "hours")) * time.Hour)
}

// finishProcessing processes what waits at the registry.
func (s *teller) finishProcessing() {
	if s.b.there.waiting != nil {
		s.process()
	}
}
