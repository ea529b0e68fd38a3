package verify

import (
	"bytes"

	"selo/store"
)

// linesPage is how many lines or hashes are looked up together.
const linesPage = 500

// lineCheck compares a bundle's lines with what was applied of them.
type lineCheck struct {
	*bundlePass
	d         *delivered
	counts    [4]int64
	rank      int
	applied   applied
	unchanged []line // lines of a confirmed remessa that were not applied
}

// line is what must be accepted already for a line to change nothing.
type line struct {
	id     string
	number int64
	hash   hash
}

// line checks one line; its kind counts even when the remessa was refused.
func (l *lineCheck) line(content []byte) error {
	l.lines.Checked++
	l.advance(1)
	doc := parse(content)
	if doc == nil {
		if l.d.state == stateConfirmed {
			l.lines.find("verify.line.malformed", l.d.name(), "linha", text(l.lines.Checked))
		}
		return nil
	}
	rank := kindOrder[doc.kind()]
	l.counts[rank]++
	if rank < l.rank && l.d.state == stateConfirmed {
		l.lines.find("verify.line.order", l.d.name(), "nome", excerpt(doc.name()))
	}
	l.rank = max(l.rank, rank)
	if l.d.state != stateConfirmed {
		return nil
	}
	if doc.Body != l.d.body {
		l.lines.find("verify.line.other_body", l.d.name(), "nome", excerpt(doc.name()), "organismo", excerpt(doc.Body))
		return nil
	}
	h := leafHash(content)
	next, ok, err := l.applied.peek()
	if err != nil {
		return err
	}
	if ok && bytes.Equal(next, h[:]) {
		l.applied.take()
		return nil
	}
	l.unchanged = append(l.unchanged, line{id: doc.ID, number: doc.Number, hash: h})
	if len(l.unchanged) == linesPage {
		return l.lookUp()
	}
	return nil
}

// lookUp finds the lines that were neither applied nor known before.
func (l *lineCheck) lookUp() error {
	type place struct {
		id     string
		number int64
	}
	ids := make([]string, 0, len(l.unchanged))
	want := make(map[place]hash, len(l.unchanged))
	for _, u := range l.unchanged {
		ids = append(ids, u.id)
		want[place{u.id, u.number}] = u.hash
	}
	err := store.InChunks(ids, func(in string, args []any) error {
		return l.each(func(row *store.Rows) error {
			var at place
			var h []byte
			if err := row.Scan(&at.id, &at.number, &h); err != nil {
				return err
			}
			if w, ok := want[at]; ok && bytes.Equal(w[:], h) {
				delete(want, at)
			}
			return nil
		}, `SELECT record_id, number, hash FROM revision WHERE remessa_id < ? AND record_id IN (`+in+`)`,
			append([]any{l.d.id}, args...)...)
	})
	if err != nil {
		return err
	}
	for _, u := range l.unchanged {
		if _, missing := want[place{u.id, u.number}]; missing {
			l.lines.find("verify.line.not_applied", l.d.name(), "registro", excerpt(u.id), "revisao", text(u.number))
		}
	}
	l.unchanged = l.unchanged[:0]
	return nil
}

// end checks that nothing was applied that the bundle does not hold at its place.
func (l *lineCheck) end() error {
	if l.d.state != stateConfirmed {
		return nil
	}
	if err := l.lookUp(); err != nil {
		return err
	}
	if _, left, err := l.applied.peek(); err != nil || !left {
		return err
	}
	l.lines.find("verify.line.foreign", l.d.name(), "posicao", text(l.applied.taken))
	return nil
}

// applied reads the hashes of a remessa's revisions, in order, page by page.
type applied struct {
	*run
	remessa int64
	page    [][]byte
	after   int64 // position of the last one read, plus one
	taken   int64
	ended   bool
}

// peek returns the next hash; ok=false after the last.
func (a *applied) peek() (h []byte, ok bool, err error) {
	if len(a.page) == 0 && !a.ended {
		a.page = make([][]byte, 0, linesPage)
		err = a.each(func(row *store.Rows) error {
			var h []byte
			var position int64
			if err := row.Scan(&position, &h); err != nil {
				return err
			}
			a.page, a.after = append(a.page, h), position+1
			return nil
		}, `SELECT position, hash FROM revision WHERE remessa_id = ? AND position >= ? ORDER BY position LIMIT ?`,
			a.remessa, a.after, linesPage)
		a.ended = len(a.page) < linesPage
	}
	if err != nil || len(a.page) == 0 {
		return nil, false, err
	}
	return a.page[0], true, nil
}

func (a *applied) take() { a.page, a.taken = a.page[1:], a.taken+1 }
