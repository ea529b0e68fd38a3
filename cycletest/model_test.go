package cycletest_test

import (
	"encoding/json"
	"maps"
	"slices"

	"selo/certificate"
	"selo/certifier"
	"selo/remessa"
)

// content is a certificate, company or product as JSON; empty is none.
type content string

func contentOf(r *certificate.Revision) content {
	var v any
	switch {
	case r.Certificate != nil:
		v = r.Certificate
	case r.Company != nil:
		v = r.Company
	default:
		v = r.Product
	}
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return content(data)
}

// record is what a body must hold of one record (docs/architecture.md).
type record struct {
	kind                                  certificate.Kind
	draft, approved, travelling, accepted content
	number                                int // of the accepted revision
}

func (r *record) frozen() bool { return r.approved+r.travelling+r.accepted != "" }

func (r *record) newest() content {
	for _, c := range []content{r.draft, r.approved, r.travelling, r.accepted} {
		if c != "" {
			return c
		}
	}
	return ""
}

// bases are the contents that the next revision may come to stand on.
func (r *record) bases() []content {
	var list []content
	for _, c := range []content{r.accepted, r.travelling} {
		if c != "" {
			list = append(list, c)
		}
	}
	if len(list) == 0 && r.approved != "" {
		list = append(list, r.approved)
	}
	return list
}

func (r *record) revision() *certificate.Revision { return revisionOf(r.kind, r.newest()) }

func (r *record) certificate() *certificate.Certificate { return r.revision().Certificate }

func revisionOf(kind certificate.Kind, c content) *certificate.Revision {
	rev := &certificate.Revision{}
	var into any
	switch kind {
	case certificate.KindCertificate:
		rev.Certificate = &certificate.Certificate{}
		into = rev.Certificate
	case certificate.KindCompany:
		rev.Company = &certificate.Company{}
		into = rev.Company
	case certificate.KindProduct:
		rev.Product = &certificate.Product{}
		into = rev.Product
	}
	if err := json.Unmarshal([]byte(c), into); err != nil {
		panic(err)
	}
	return rev
}

// shipment is one remessa as the body knows it, with its file.
type shipment struct {
	sequence int64
	digest   remessa.Digest
	previous remessa.Digest
	file     []byte
	carried  map[certificate.ID]content // what is new in it
	at       certifier.RemessaState     // at the body
}

// state is what a body's base must hold: what a backup brings back.
type state struct {
	records    map[certificate.ID]*record
	remessas   []*shipment // those of the base, oldest first
	tables     int
	accredited bool // for classSometimes, by those tables
	names      int  // how many names were given; a restored base gives some again
	// unsure are the certificates whose draft a reconciliation made or put on
	// another state: whether it can be approved as it is depends on what differs.
	unsure map[certificate.ID]bool
}

func newState() *state {
	return &state{records: map[certificate.ID]*record{}, unsure: map[certificate.ID]bool{}}
}

func (s *state) clone() *state {
	c := *s
	c.records = make(map[certificate.ID]*record, len(s.records))
	for id, r := range s.records {
		copied := *r
		c.records[id] = &copied
	}
	c.remessas, c.unsure = nil, maps.Clone(s.unsure)
	for _, r := range s.remessas {
		copied := *r
		c.remessas = append(c.remessas, &copied)
	}
	return &c
}

// ids lists the records of a kind that pass the filter, in a stable order.
func (s *state) ids(kind certificate.Kind, keep func(*record) bool) []certificate.ID {
	var list []certificate.ID
	for _, id := range slices.Sorted(maps.Keys(s.records)) {
		if r := s.records[id]; (kind == "" || r.kind == kind) && (keep == nil || keep(r)) {
			list = append(list, id)
		}
	}
	return list
}

func (s *state) outstanding() *shipment {
	for _, r := range s.remessas {
		if r.at.Outstanding() {
			return r
		}
	}
	return nil
}

// known finds a remessa that the base has and did not withdraw.
func (s *state) known(sequence int64, digest remessa.Digest) *shipment {
	for _, r := range s.remessas {
		if r.at != certifier.Withdrawn && r.sequence == sequence && r.digest == digest {
			return r
		}
	}
	return nil
}

// lastRemessa is the sequence and digest that the next remessa follows.
func (s *state) lastRemessa() (sequence int64, digest remessa.Digest) {
	for _, r := range s.remessas {
		if r.at != certifier.Withdrawn && r.sequence > sequence {
			sequence, digest = r.sequence, r.digest
		}
	}
	return sequence, digest
}

// approvable tells whether a record's draft may be frozen now.
func (s *state) approvable(r *record) bool {
	bases := r.bases()
	if r.kind != certificate.KindCertificate {
		return true
	}
	if len(bases) == 0 {
		return s.accredited || r.certificate().Class != classSometimes
	}
	return !slices.ContainsFunc(bases, func(base content) bool { return !legalMove(base, r.draft) })
}

// sendable tells whether a waiting revision may travel on top of what is accepted.
func (s *state) sendable(r *record) bool {
	return r.kind != certificate.KindCertificate || r.accepted != "" || s.accredited ||
		revisionOf(r.kind, r.approved).Certificate.Class != classSometimes
}

// legalMove tells whether no situation goes from cancelled to suspended
// (manual 2.2.1.3: a cancelled certificate may only be reactivated).
func legalMove(from, to content) bool {
	a, b := revisionOf(certificate.KindCertificate, from).Certificate, revisionOf(certificate.KindCertificate, to).Certificate
	bad := func(x, y certificate.Situation) bool { return x == certificate.Cancelled && y == certificate.Suspended }
	if bad(a.Situation, b.Situation) {
		return false
	}
	for _, x := range a.Products {
		for _, y := range b.Products {
			if x.Product == y.Product && bad(x.Situation, y.Situation) {
				return false
			}
		}
	}
	for _, x := range a.Companies {
		for _, y := range b.Companies {
			if x.Company == y.Company && x.Role == y.Role && bad(x.Situation, y.Situation) {
				return false
			}
		}
	}
	return true
}

// drafted lists the companies and products with a draft that a certificate's draft links to.
func (s *state) drafted(r *record) []certificate.ID {
	var list []certificate.ID
	if r.kind != certificate.KindCertificate || r.draft == "" {
		return nil
	}
	for _, id := range linksOf(r.certificate()) {
		if other := s.records[id]; other != nil && other.draft != "" && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

func linksOf(c *certificate.Certificate) []certificate.ID {
	var list []certificate.ID
	for _, l := range c.Companies {
		list = append(list, l.Company)
	}
	for _, l := range c.Products {
		list = append(list, l.Product, l.Company)
	}
	return list
}

func (s *state) approve(id certificate.ID) {
	if r := s.records[id]; r.draft != "" {
		r.approved, r.draft = r.draft, ""
	}
	delete(s.unsure, id)
}

// reopen gives a waiting revision back to the draft.
func (r *record) reopen() {
	if r.draft == "" {
		r.draft = r.approved
	}
	r.approved = ""
}

// depart makes what is approved travel and returns it.
func (s *state) depart() map[certificate.ID]content {
	carried := map[certificate.ID]content{}
	for id, r := range s.records {
		if r.approved != "" {
			carried[id] = r.approved
			r.travelling, r.approved = r.approved, ""
		}
	}
	return carried
}

// settle ends the journey of the outstanding remessa.
func (s *state) settle(out *shipment, at certifier.RemessaState) {
	out.at = at
	for _, r := range s.records {
		switch {
		case r.travelling == "":
			continue
		case at == certifier.Confirmed:
			r.accepted = r.travelling
			r.number++
		case r.approved == "":
			r.approved = r.travelling
		}
		r.travelling = ""
	}
}

// accepted is one revision of a chain at the registry.
type accepted struct {
	kind    certificate.Kind
	content content
}

// official is what the registry must hold of a body.
type official struct {
	chains   map[certificate.ID][]accepted
	sequence int64 // of the last processed remessa
	digest   remessa.Digest
	waiting  *shipment // received, not processed
	ended    []ended   // processed remessas, in order
	granted  bool      // accredited for classSometimes
	releases []release
}

type ended struct {
	*shipment
	outcome remessa.Outcome
}

type release struct {
	number     int
	signed     string
	accredited bool
}

func newOfficial() *official { return &official{chains: map[certificate.ID][]accepted{}} }

// receive says with which fault the registry answers a delivery; fresh tells
// whether it is a new one.
func (o *official) receive(s *shipment) (fresh bool, key string) {
	known := o.waiting != nil && o.waiting.digest == s.digest
	taken := s.sequence <= o.sequence || o.waiting != nil && o.waiting.sequence == s.sequence
	for _, e := range o.ended {
		known = known || e.digest == s.digest
	}
	switch {
	case known:
		return false, ""
	case taken:
		return false, "remessa.sequence_used"
	case o.waiting != nil:
		return false, "remessa.outstanding"
	case s.sequence != o.sequence+1:
		return false, "remessa.sequence_skipped"
	case s.previous != o.digest:
		return false, "remessa.previous"
	}
	return true, ""
}

// process ends the waiting remessa: all of it or nothing.
func (o *official) process() remessa.Outcome {
	s := o.waiting
	outcome := remessa.Confirmed
	for id, c := range s.carried {
		kind := kindOf(c)
		if kind == certificate.KindCertificate && len(o.chains[id]) == 0 && !o.granted &&
			revisionOf(kind, c).Certificate.Class == classSometimes {
			outcome = remessa.Invalidated
		}
	}
	if outcome == remessa.Confirmed {
		for id, c := range s.carried {
			o.chains[id] = append(o.chains[id], accepted{kindOf(c), c})
		}
	}
	o.sequence, o.digest, o.waiting = s.sequence, s.digest, nil
	o.ended = append(o.ended, ended{s, outcome})
	return outcome
}

// size is the number of accepted revisions.
func (o *official) size() int {
	n := 0
	for _, chain := range o.chains {
		n += len(chain)
	}
	return n
}

// kindOf tells the kind of a content by a field that only it always has.
func kindOf(c content) certificate.Kind {
	var fields map[string]any
	if err := json.Unmarshal([]byte(c), &fields); err != nil {
		panic(err)
	}
	if _, ok := fields["marca"]; ok {
		return certificate.KindProduct
	}
	if _, ok := fields["razao_social"]; ok {
		return certificate.KindCompany
	}
	return certificate.KindCertificate
}
