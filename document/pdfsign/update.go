package pdfsign

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"selo/fault"
)

// update is what is appended to a file: objects that are new or changed, and
// their cross-reference.
type update struct {
	file *file
	next int // number of the next new object

	numbers []int // in the order in which the objects are written
	objects map[int]object
	gens    map[int]int
	sig     int // number of the signature dictionary
	reserve int // bytes of CMS
}

// put writes an object anew under its own number.
func (u *update) put(r reference, o object) {
	if u.objects == nil {
		u.objects, u.gens = map[int]object{}, map[int]int{}
	}
	if _, there := u.objects[r.num]; !there {
		u.numbers = append(u.numbers, r.num)
	}
	u.objects[r.num], u.gens[r.num] = o, r.gen
}

func (u *update) add(o object) reference {
	r := reference{num: u.next}
	u.next++
	u.put(r, o)
	return r
}

// sign adds signature, field and widget, and hooks them into form and page.
func (u *update) sign(o Options) error {
	catalogue, root, err := u.file.catalogue()
	if err != nil {
		return err
	}
	form, err := u.file.form(catalogue)
	if err != nil {
		return err
	}
	if err := form.open(); err != nil {
		return err
	}
	page, pageRef, err := u.file.firstPage(catalogue)
	if err != nil {
		return err
	}
	u.reserve = o.Reserve
	sig := u.add(signature(o, len(form.signed) == 0))
	u.sig = sig.num
	// Field and widget in one, without extent, printed and locked: a signature
	// that is not seen on the page (12.7.4.5).
	field := u.add(newDict().set("Type", name("Annot")).set("Subtype", name("Widget")).set("FT", name("Sig")).
		set("T", text(form.freeName())).set("V", sig).set("F", literal("132")).
		set("Rect", array{literal("0"), literal("0"), literal("0"), literal("0")}).set("P", pageRef))
	if err := u.hook(page, pageRef, "Annots", field); err != nil {
		return err
	}
	return u.hookForm(catalogue, root, field)
}

// signature is the dictionary of the gov.br manual: without M, for the CMS tells
// the time, and without Perms.
func signature(o Options, first bool) *dict {
	d := newDict().set("Type", name("Sig")).set("Filter", name("Adobe.PPKLite")).set("SubFilter", name("adbe.pkcs7.detached"))
	for _, t := range []struct {
		key  name
		text string
	}{{"Name", o.Name}, {"Reason", o.Reason}, {"Location", o.Place}} {
		if t.text != "" {
			d.set(t.key, text(t.text))
		}
	}
	if first {
		d.set("Reference", array{newDict().set("Type", name("SigRef")).set("TransformMethod", name("DocMDP")).
			set("TransformParams", newDict().set("Type", name("TransformParams")).set("P", literal(fmt.Sprint(o.Allow))).set("V", name("1.2")))})
	}
	return d
}

// hook appends a reference to a list that a dictionary holds: to the list itself
// when it is an object of its own, else to the dictionary.
func (u *update) hook(holder *dict, at reference, key name, r reference) error {
	list, err := u.file.list(holder.get(key))
	if err != nil {
		return err
	}
	longer := append(slices.Clone(list), r)
	if own, ok := holder.get(key).(reference); ok && list != nil {
		u.put(u.file.last(own), longer)
		return nil
	}
	u.put(at, holder.clone().set(key, longer))
	return nil
}

// last follows a reference that leads to a reference.
func (f *file) last(r reference) reference {
	for range maxChain {
		o, err := f.load(r)
		next, ok := o.(reference)
		if err != nil || !ok {
			return r
		}
		r = next
	}
	return r
}

// hookForm enters the field into the form, which is made when there is none.
func (u *update) hookForm(catalogue *dict, root reference, field reference) error {
	acro, err := u.file.dictionary(catalogue.get("AcroForm"))
	if err != nil {
		return err
	}
	flagged := acro.clone().set("SigFlags", literal("3")) // there are signatures, append only
	if acro == nil {
		flagged.set("Fields", array{})
	}
	if own, ok := catalogue.get("AcroForm").(reference); ok && acro != nil {
		at := u.file.last(own)
		u.put(at, flagged)
		return u.hook(flagged, at, "Fields", field)
	}
	// The form stands inside the catalogue.
	fields, err := u.file.list(flagged.get("Fields"))
	if err != nil {
		return err
	}
	longer := append(slices.Clone(fields), field)
	if own, ok := flagged.get("Fields").(reference); ok && fields != nil {
		u.put(u.file.last(own), longer)
	} else {
		flagged.set("Fields", longer)
	}
	changed := catalogue
	if written, ok := u.objects[root.num].(*dict); ok {
		changed = written // it is the page's holder as well: a file beyond belief
	}
	u.put(root, changed.clone().set("AcroForm", flagged))
	return nil
}

// finish writes the update and fills in the byte range.
func (u *update) finish() (*Prepared, error) {
	var b bytes.Buffer
	b.Grow(len(u.file.data) + 2*u.reserve + 4096)
	b.Write(u.file.data)
	b.WriteByte('\n')
	offsets := map[int]int{}
	var from, to, ranges int
	for _, num := range u.numbers {
		offsets[num] = b.Len()
		fmt.Fprintf(&b, "%d %d obj\n", num, u.gens[num])
		if num == u.sig {
			from, to, ranges = u.writeSignature(&b)
		} else {
			write(&b, u.objects[num])
		}
		b.WriteString("\nendobj\n")
	}
	u.writeSection(&b, offsets)
	if b.Len() > MaxSize {
		return nil, fault.New(fault.Invalid, "pdfsign.size", "limite", fmt.Sprint(MaxSize))
	}
	p := &Prepared{pdf: b.Bytes(), from: from, to: to}
	r := p.ByteRange()
	copy(p.pdf[ranges:], fmt.Sprintf("[%d %d %d %d]", r[0], r[1], r[2], r[3])) // spaces follow
	return p, nil
}

// rangeRoom holds four offsets below [MaxSize].
const rangeRoom = 40

// writeSignature writes the dictionary with its room; ranges is where the byte range goes.
func (u *update) writeSignature(b *bytes.Buffer) (from, to, ranges int) {
	d := u.objects[u.sig]
	write(b, d)
	b.Truncate(b.Len() - len(">>"))
	b.WriteString("/ByteRange ")
	ranges = b.Len()
	b.WriteString(strings.Repeat(" ", rangeRoom) + "/Contents ")
	from = b.Len()
	b.WriteString("<" + strings.Repeat("0", 2*u.reserve) + ">")
	to = b.Len()
	b.WriteString(">>")
	return from, to, ranges
}

// writeSection writes a table after a table and a stream after a stream, as 7.5.8.4 asks.
func (u *update) writeSection(b *bytes.Buffer, offsets map[int]int) {
	trailer := newDict()
	for _, key := range []name{"Root", "Info"} {
		if v := u.file.trailer.get(key); v != nil {
			trailer.set(key, v)
		}
	}
	if ids, ok := u.file.trailer.get("ID").(array); ok && len(ids) == 2 {
		sum := sha256.Sum256(b.Bytes()[len(u.file.data):])
		trailer.set("ID", array{ids[0], literal(fmt.Sprintf("<%X>", sum[:16]))})
	}
	trailer.set("Prev", literal(fmt.Sprint(u.file.start)))
	start := b.Len()
	if u.file.streams {
		u.writeStream(b, trailer, offsets)
	} else {
		u.writeTable(b, trailer, offsets)
	}
	fmt.Fprintf(b, "startxref\n%d\n%%%%EOF\n", start)
}

func (u *update) writeTable(b *bytes.Buffer, trailer *dict, offsets map[int]int) {
	b.WriteString("xref\n")
	for _, num := range slices.Sorted(slices.Values(u.numbers)) {
		fmt.Fprintf(b, "%d 1\n%010d %05d n \n", num, offsets[num], u.gens[num])
	}
	b.WriteString("trailer\n")
	write(b, trailer.set("Size", literal(fmt.Sprint(u.next))))
	b.WriteByte('\n')
}

// writeStream writes entries of one byte for the kind, four for the offset, two
// for the generation; it is itself an object.
func (u *update) writeStream(b *bytes.Buffer, trailer *dict, offsets map[int]int) {
	own := u.next
	offsets[own] = b.Len()
	var data bytes.Buffer
	var index array
	for _, num := range slices.Sorted(slices.Values(append(slices.Clone(u.numbers), own))) {
		index = append(index, literal(fmt.Sprint(num)), literal("1"))
		at, gen := offsets[num], u.gens[num]
		data.Write([]byte{1, byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at), byte(gen >> 8), byte(gen)})
	}
	trailer.set("Type", name("XRef")).set("Size", literal(fmt.Sprint(own+1))).set("Index", index).
		set("W", array{literal("1"), literal("4"), literal("2")}).set("Length", literal(fmt.Sprint(data.Len())))
	fmt.Fprintf(b, "%d 0 obj\n", own)
	write(b, trailer)
	b.WriteString("\nstream\n")
	b.Write(data.Bytes())
	b.WriteString("\nendstream\nendobj\n")
}
