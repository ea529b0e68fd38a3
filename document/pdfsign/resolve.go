package pdfsign

const (
	maxChain  = 32     // references that lead to references
	maxFields = 20_000 // of a form, and nodes of the tree of pages
	maxSigned = 100    // signatures
)

// unpredict undoes the PNG predictors (7.4.4.4).
func unpredict(p *dict, data []byte) ([]byte, error) {
	predictor, ok := integer(p.get("Predictor"))
	if !ok || predictor == 1 {
		return data, nil
	}
	columns, ok := integer(p.get("Columns"))
	if !ok {
		columns = 1
	}
	colours, ok := integer(p.get("Colors"))
	bits, okBits := integer(p.get("BitsPerComponent"))
	if predictor < 10 || ok && colours != 1 || okBits && bits != 8 || columns < 1 || columns > 1<<16 {
		return nil, damaged("a structure is predicted in an unusual way")
	}
	previous := make([]byte, columns)
	out := make([]byte, 0, len(data))
	for len(data) > columns {
		row := data[1 : columns+1]
		if !unfilter(data[0], row, previous) {
			return nil, damaged("a structure is predicted in an unusual way")
		}
		out = append(out, row...)
		previous = row
		data = data[columns+1:]
	}
	return out, nil
}

// unfilter undoes one row of PNG in place; a pixel is one byte.
func unfilter(kind byte, row, above []byte) bool {
	for i := range row {
		var left, corner byte
		if i > 0 {
			left, corner = row[i-1], above[i-1]
		}
		switch kind {
		case 0:
		case 1:
			row[i] += left
		case 2:
			row[i] += above[i]
		case 3:
			row[i] += byte((int(left) + int(above[i])) / 2)
		case 4:
			row[i] += paeth(left, above[i], corner)
		default:
			return false
		}
	}
	return true
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := distance(p, a), distance(p, b), distance(p, c)
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func distance(p int, x byte) int { return max(p-int(x), int(x)-p) }

// null is what a reference to nothing leads to, and what an absent value is.
const null = literal("null")

// resolve follows references; what is not there is null.
func (f *file) resolve(o object) (object, error) {
	for range maxChain {
		r, ok := o.(reference)
		if o == nil {
			return null, nil
		}
		if !ok {
			return o, nil
		}
		var err error
		if o, err = f.load(r); err != nil {
			return nil, err
		}
	}
	return nil, damaged("references go round")
}

// load reads the object that a reference names.
func (f *file) load(r reference) (object, error) {
	e := f.entries[r.num]
	switch {
	case e.kind == 1 && e.gen == r.gen:
		if e.offset < 0 || e.offset >= len(f.data) {
			return nil, damaged("object %d lies outside", r.num)
		}
		o, _, err := f.indirect(&lexer{data: f.data, pos: e.offset}, r.num)
		return o, err
	case e.kind == 2 && r.gen == 0:
		return f.unpack(e.offset, r.num)
	}
	return null, nil
}

// unpack reads an object out of an object stream (7.5.7).
func (f *file) unpack(stream, num int) (object, error) {
	p, opened := f.packed[stream]
	if !opened {
		var err error
		if p, err = f.openPacked(stream); err != nil {
			return nil, err
		}
		f.packed[stream] = p
	}
	at, ok := p.at[num]
	if !ok {
		return nil, damaged("object %d is not in its stream", num)
	}
	o, err := f.object(&lexer{data: p.data, pos: at})
	if err != nil {
		return nil, damaged("object %d: %w", num, err)
	}
	return o, nil
}

func (f *file) openPacked(stream int) (packed, error) {
	e := f.entries[stream]
	if e.kind != 1 || e.offset < 0 || e.offset >= len(f.data) {
		return packed{}, damaged("object stream %d is not there", stream)
	}
	f.packed[stream] = packed{} // whoever comes back here goes round
	d, data, err := f.streamAt(&lexer{data: f.data, pos: e.offset}, stream)
	if err != nil {
		return packed{}, err
	}
	count, ok1 := integer(d.get("N"))
	first, ok2 := integer(d.get("First"))
	if d.get("Type") != name("ObjStm") || !ok1 || !ok2 || count < 0 || count > maxObjects || first < 0 || first > len(data) {
		return packed{}, damaged("object stream %d", stream)
	}
	p := packed{data: data, at: map[int]int{}}
	l := &lexer{data: data[:first]}
	for range count {
		num, err1 := l.number()
		offset, err2 := l.number()
		if err1 != nil || err2 != nil || offset > len(data)-first {
			return packed{}, damaged("object stream %d", stream)
		}
		p.at[num] = first + offset
	}
	return p, nil
}

// dictionary resolves to a dictionary; an absent one is nil, which reads as empty.
func (f *file) dictionary(o object) (*dict, error) {
	o, err := f.resolve(o)
	if err != nil {
		return nil, err
	}
	d, ok := o.(*dict)
	if !ok && o != null {
		return nil, damaged("no dictionary where one should be")
	}
	return d, nil
}

// list resolves to an array; absent is none.
func (f *file) list(o object) (array, error) {
	o, err := f.resolve(o)
	if err != nil {
		return nil, err
	}
	a, ok := o.(array)
	if !ok && o != null {
		return nil, damaged("no array where one should be")
	}
	return a, nil
}

// catalogue is the root of the document, and where it is.
func (f *file) catalogue() (*dict, reference, error) {
	r, ok := f.trailer.get("Root").(reference)
	if !ok {
		return nil, r, damaged("no catalogue")
	}
	d, err := f.dictionary(r)
	if err == nil && (d == nil || d.get("Type") != nil && d.get("Type") != name("Catalog")) {
		err = damaged("no catalogue")
	}
	return d, r, err
}

// firstPage goes down the tree of pages to the first leaf.
func (f *file) firstPage(catalogue *dict) (*dict, reference, error) {
	stack := array{catalogue.get("Pages")}
	for seen := 0; len(stack) > 0 && seen < maxFields; seen++ {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		node, err := f.dictionary(at)
		if err != nil {
			return nil, reference{}, err
		}
		r, indirect := at.(reference)
		if node == nil || !indirect {
			continue
		}
		kids, err := f.list(node.get("Kids"))
		if err != nil {
			return nil, reference{}, err
		}
		if node.get("Kids") == nil {
			return node, r, nil
		}
		if len(stack)+len(kids) > maxFields {
			break
		}
		for i := len(kids) - 1; i >= 0; i-- {
			stack = append(stack, kids[i])
		}
	}
	return nil, reference{}, damaged("no page")
}
