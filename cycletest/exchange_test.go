package cycletest_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
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
	"selo/store/certifierstore"

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
	before := certifier.Prepared
	if !s.write(key, "mark sent", func(tx certifier.Tx) error {
		if err := b.resume(tx); err != nil {
			return err
		}
		_, err := certifier.MarkSent(b.ctx, tx, ana, certifier.ByHTTPS)
		return err
	}) {
		return
	}
	before, out.at = out.at, certifier.Sent
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

// apply applies a result and tells whether it ended a remessa.
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
	case len(b.remessas) == 0 || !slices.ContainsFunc(b.remessas, func(r *shipment) bool { return r.at != certifier.Withdrawn }):
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

// backup is a copy of a body's base with what the model said then.
type backup struct {
	path string
	*state
}

func (s *teller) backup() {
	b := s.b
	path := filepath.Join(b.dir, fmt.Sprintf("cópia %d.db", len(b.copies)))
	b.must(certifierstore.Backup(b.ctx, b.path(), path))
	b.copies = append(b.copies, &backup{path, b.state.clone()})
}

// restore brings an old copy back. Nobody reconciles: that may come later.
func (s *teller) restore() {
	b := s.b
	if len(b.copies) == 0 {
		s.notNow()
	}
	c := b.copies[draw(s.T, 0, len(b.copies)-1, "copy")]
	b.must(b.db.Close())
	_, err := certifierstore.Restore(b.ctx, c.path, b.path(), b.clock.Now())
	b.must(err)
	b.clock.Advance(time.Second)
	b.open()
	b.must(b.db.Write(b.ctx, b.resume))
	b.state = c.state.clone()
	b.outbox()
}

// reconcile makes the body's base equal to the registry's and returns how many
// differences there were.
func (s *teller) reconcile() int {
	b := s.b
	bundle := s.fetchBase()
	var o certifier.Official
	for _, e := range b.there.ended {
		res, err := b.result(e.sequence)
		b.must(err)
		o.Results = append(o.Results, *res)
	}
	before, _ := b.read()
	log := b.countLog()
	found := 0
	s.write("", "reconcile", func(tx certifier.Tx) error {
		var err error
		if o.Index, err = certifier.IndexOf(b.ctx, tx, bundle); err != nil {
			return err
		}
		differences, err := certifier.Reconcile(b.ctx, tx, ana, b.keys, o, certifier.FetchFrom(bundle, o.Index))
		found = len(differences)
		return err
	})
	b.must(b.db.Write(b.ctx, b.resume))
	s.nothingLost(before)
	if now := b.countLog(); now < log {
		b.Fatalf("%s: reconciling left %d of %d revisions in the log", b.sigla, now, log)
	}
	b.learn()
	return found
}

// fetchBase gets the registry's bundle of the body.
func (s *teller) fetchBase() *remessa.Bundle {
	b := s.b
	var file bytes.Buffer
	if b.server != nil {
		b.must(b.client().Base(b.ctx, &file))
	} else {
		b.must(b.base.Read(b.ctx, func(tx registry.Tx) error {
			file.Reset()
			_, err := b.registry.ExportBase(b.ctx, tx, b.sigla, func(h remessa.Head) *remessa.Writer {
				return remessa.NewWriter(io.Writer(&file), h, b.world.keys.Sign)
			})
			return err
		}))
	}
	bundle, err := remessa.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), remessa.Limits{})
	b.must(err)
	return bundle
}

// nothingLost wants every draft and everything that waited before a
// reconciliation to be there still: as draft, in the log, or at the registry.
func (s *teller) nothingLost(before map[certificate.ID]*held) {
	b := s.b
	after, _ := b.read()
	for id, was := range before {
		is := after[id]
		if is == nil || is.newest() == "" {
			b.merged(id, was)
			continue
		}
		if turned(was, after) {
			continue
		}
		if was.draft != "" && is.draft != was.draft {
			b.Fatalf("%s: the draft of %s %s changed in a reconciliation:\n%s\n%s", b.sigla, was.kind, id, was.draft, is.draft)
		}
		chain := b.there.chains[id]
		official := func(c content) bool {
			return slices.ContainsFunc(chain, func(a accepted) bool { return a.content == c })
		}
		if was.approved != "" && is.approved != was.approved && is.draft == "" && !official(was.approved) {
			b.Fatalf("%s: what waited of %s %s neither waits nor is a draft: %+v", b.sigla, was.kind, id, is.record)
		}
		if len(chain) > 0 && is.travelling == "" && (is.number != len(chain) || is.accepted != chain[len(chain)-1].content) {
			b.Fatalf("%s: %s %s is revision %d after reconciling, the registry has %d", b.sigla, was.kind, id, is.number, len(chain))
		}
	}
	for id := range b.there.chains {
		if after[id] == nil || after[id].accepted == "" {
			b.Fatalf("%s: %s is at the registry and not here after reconciling", b.sigla, id)
		}
	}
}

// merged wants the record to be gone because the registry has one of that name.
func (b *body) merged(id certificate.ID, was *held) {
	b.Helper()
	if was.newest() == "" {
		return // it was retired before
	}
	var heir certificate.ID
	b.must(b.db.Read(b.ctx, func(tx certifier.Tx) (err error) {
		heir, err = certifier.FindByKey(b.ctx, tx, was.revision())
		return err
	}))
	if heir == id || len(b.there.chains[heir]) == 0 {
		b.Fatalf("%s: %s %s vanished in a reconciliation; its name is that of %q", b.sigla, was.kind, id, heir)
	}
}

// turned tells whether a certificate links to a record that was merged into another.
func turned(was *held, after map[certificate.ID]*held) bool {
	if was.kind != certificate.KindCertificate || was.newest() == "" {
		return false
	}
	return slices.ContainsFunc(linksOf(was.certificate()), func(id certificate.ID) bool {
		return after[id] == nil || after[id].newest() == ""
	})
}

func (b *body) countLog() int64 {
	b.Helper()
	var n int64
	b.must(b.db.Read(b.ctx, func(tx certifier.Tx) error {
		return tx.(*certifierstore.Tx).QueryRow(b.ctx, `SELECT COUNT(*) FROM revision`).Scan(&n)
	}))
	return n
}

// learn takes over into the model what a reconciliation made of the base.
func (b *body) learn() {
	b.Helper()
	found, remessas := b.read()
	s := newState()
	s.tables, s.accredited, s.names = b.tables, b.accredited, b.given
	for _, id := range slices.Sorted(maps.Keys(found)) {
		r := found[id].record
		if r.newest() == "" {
			continue
		}
		s.records[id] = &r
		was := b.records[id]
		if r.kind == certificate.KindCertificate && r.draft != "" && (b.unsure[id] || was == nil || was.draft != r.draft || was.accepted != r.accepted) {
			s.unsure[id] = true
		}
	}
	for _, r := range remessas {
		ship := &shipment{sequence: r.Sequence, digest: r.Digest, previous: r.Previous, at: r.State}
		for _, old := range b.old {
			if old.digest == r.Digest {
				ship.file, ship.carried = old.file, old.carried
			}
		}
		s.remessas = append(s.remessas, ship)
	}
	b.state = s
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
