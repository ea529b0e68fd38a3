package cycletest_test

import (
	"errors"
	"flag"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"

	"selo/certificate"
	"selo/certifier"
	"selo/store"
	"selo/store/storetest"

	"pgregory.net/rapid"
)

// storyLength is how many steps a story has, or a few more.
var storyLength = flag.Int("cycle.steps", 100, "steps of a story, at least")

// TestMain makes the usual run short, because a check is a whole story of a
// registry and two bodies: -rapid.checks and -cycle.steps ask for more.
func TestMain(m *testing.M) {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{"rapid.checks": strconv.Itoa(stories), "rapid.nofailfile": "true"} {
		if !given[name] {
			if err := flag.Set(name, value); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}

// TestNothingIsLost lets two bodies and the registry do anything in any order,
// with crashes in between, and compares both sides after every step; in the end
// everything is delivered, processed, reconciled, published and verified.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		first := true
		rapid.Check(t, func(rt *rapid.T) {
			engine := e
			if !first { // each story begins with empty bases
				engine = map[store.Dialect]func(testing.TB) *storetest.Engine{
					store.SQLite: storetest.NewSQLite, store.Postgres: storetest.NewPostgres}[e.Dialect](t)
			}
			first = false
			w := newWorld(t, rt, engine, rapid.Bool().Draw(rt, "over HTTP"))
			defer w.close()
			w.run(rt)
		})
	})
}

// steps are what may happen, and how often against the others.
var steps = map[string]struct {
	weight int
	do     func(*teller)
}{
	"new certificate": {3, (*teller).newCertificate}, "edit": {3, (*teller).edit}, "add product": {2, (*teller).addProduct},
	"describe": {2, (*teller).describe}, "situation": {3, (*teller).situation}, "company situation": {2, (*teller).companySituation},
	"approve": {3, (*teller).approve}, "approve ready": {2, (*teller).approveReady},
	"reopen": {1, (*teller).reopenOne}, "discard": {1, (*teller).discard},
	"prepare": {3, (*teller).prepare}, "cancel": {1, (*teller).cancel}, "send": {3, (*teller).send}, "export": {1, (*teller).export},
	"deliver any": {3, (*teller).deliverOld}, "deliver damaged": {1, (*teller).deliverDamaged},
	"process": {3, (*teller).process}, "fetch": {3, (*teller).fetch}, "unlock": {2, (*teller).unlock},
	"any result": {1, (*teller).oldResult}, "any code": {1, (*teller).oldCode}, "wrong code": {1, (*teller).wrongCode},
	"exchange": {4, (*teller).exchange},
	"scope":    {1, (*teller).scope}, "tables": {1, (*teller).applyTables},
	"backup": {1, (*teller).backup}, "restore": {1, (*teller).restore}, "reconcile": {2, func(s *teller) { s.reconcile() }},
	"publish": {1, (*teller).publish}, "restart": {1, (*teller).restart}, "wait": {1, (*teller).wait},
}

// exchange does a whole cycle at once, so that stories get somewhere.
func (s *teller) exchange() {
	for _, step := range []func(){s.approveReady, s.prepare, s.send, s.process, s.fetch} {
		s.try(step)
	}
}

// errNotNow ends a step that the moment does not allow.
var errNotNow = errors.New("not now")

func (s *teller) notNow() { panic(errNotNow) }

func (s *teller) try(step func()) {
	defer func() {
		if p := recover(); p != nil && p != any(errNotNow) {
			panic(p)
		}
	}()
	step()
}

// run does random steps and then brings everything to rest.
func (w *world) run(rt *rapid.T) {
	w.crash = func() crash { return drawCrash(rt) }
	w.compareAll()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(steps)) {
		names = append(names, slices.Repeat([]string{name}, steps[name].weight)...)
	}
	which := rapid.Custom(func(rt *rapid.T) string { return one(rt, names, "step") })
	for _, name := range rapid.SliceOfN(which, *storyLength, *storyLength*2).Draw(rt, "story") {
		s := &teller{T: rt, world: w, b: w.bodies[draw(rt, 0, len(w.bodies)-1, name)]}
		s.try(func() { steps[name].do(s) })
		w.compareAll()
	}
	w.crash = func() crash { return crash{} }
	w.rest(rt)
}

// rest delivers, processes, fetches and reconciles until nothing is under way,
// and verifies all.
func (w *world) rest(rt *rapid.T) {
	for _, b := range w.bodies {
		s := &teller{T: rt, world: w, b: b}
		s.finishProcessing()
		s.reconcile()
		if out := b.outstanding(); out != nil { // prepared and never sent, or refused
			s.send()
			s.finishProcessing()
			s.reconcile()
		}
		if b.outstanding() != nil {
			w.Fatalf("%s: remessa %d never ends", b.sigla, b.outstanding().sequence)
		}
		if found := s.reconcile(); found > 0 {
			w.Fatalf("%s: reconciling again found %d differences", b.sigla, found)
		}
		w.must(b.act(b.resume))
		b.outbox()
		for id, r := range b.records {
			chain := b.there.chains[id]
			if (r.accepted == "") != (len(chain) == 0) || r.accepted != "" && (r.number != len(chain) || r.accepted != chain[r.number-1].content) {
				w.Fatalf("%s: %s %s is revision %d here and %d there", b.sigla, r.kind, id, r.number, len(chain))
			}
		}
	}
	w.compareAll()
	w.snapshot()
	w.sound()
}

// teller does one step of the story.
type teller struct {
	*rapid.T
	*world
	b *body
}

func drawCrash(rt *rapid.T) crash {
	kind := one(rt, []crashKind{nothing, nothing, nothing, nothing, failingCall, failingCall, pulled, afterwards}, "crash")
	c := crash{kind: kind}
	if kind == failingCall {
		c.call = draw(rt, 1, 30, "call")
	}
	return c
}

// pick draws one of the IDs, or ends the step when there is none.
func (s *teller) pick(ids []certificate.ID, what string) certificate.ID {
	if len(ids) == 0 {
		s.notNow()
	}
	return ids[draw(s.T, 0, len(ids)-1, what)]
}

// want checks an answer against the fault that the model expects; empty is success.
func (s *teller) want(key string, err error, what string) bool {
	s.T.Helper()
	if key == "" && err != nil || key != "" && keyOf(err) != key {
		s.T.Fatalf("%s: %s: got %v, want fault %q", s.b.sigla, what, err, key)
	}
	return err == nil
}

func (s *teller) write(key, what string, op func(tx certifier.Tx) error, again ...string) bool {
	s.T.Helper()
	return s.want(key, s.b.act(op, again...), what)
}

// draw draws an evenly spread number. Those of rapid.IntRange lean so much to
// the small ones that most stories would do the first few steps only.
func draw(rt *rapid.T, low, high int, what string) int {
	return rapid.Custom(func(rt *rapid.T) int {
		n := 0
		for range 10 {
			n <<= 1
			if rapid.Bool().Draw(rt, "bit") {
				n |= 1
			}
		}
		return low + n%(high-low+1)
	}).Draw(rt, what)
}

// one draws one of the values, each as often as any other.
func one[T any](rt *rapid.T, values []T, what string) T {
	return values[draw(rt, 0, len(values)-1, what)]
}
