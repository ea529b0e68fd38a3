package pdfsign

import (
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"selo/fault"
)

// Found is a signature in a PDF. Whether it holds is package cms's to say, over
// Digest.
type Found struct {
	Field     string // the field's name
	SubFilter string // "adbe.pkcs7.detached", "ETSI.CAdES.detached"
	CMS       []byte // DER
	Digest    [32]byte
	// Whole tells that the signature covers the file to its end. Otherwise
	// something was appended later: another signature, or a change.
	Whole bool
}

// Signatures finds the signatures of a PDF, in the order of its form's fields. A
// signature whose byte range leaves out more than its own room is a fault: what
// it leaves out could say anything.
//
// Faults: as [Prepare], and Invalid pdfsign.range.
func Signatures(pdf []byte) ([]Found, error) {
	f, err := open(pdf)
	if err != nil {
		return nil, err
	}
	catalogue, _, err := f.catalogue()
	if err != nil {
		return nil, err
	}
	form, err := f.form(catalogue)
	if err != nil {
		return nil, err
	}
	var list []Found
	for _, s := range form.signed {
		found, err := f.found(s)
		if err != nil {
			return nil, err
		}
		list = append(list, found)
	}
	return list, nil
}

func (f *file) found(s signed) (Found, error) {
	numbers, err := f.list(s.dict.get("ByteRange"))
	if err != nil {
		return Found{}, err
	}
	outside := fault.New(fault.Invalid, "pdfsign.range", "campo", s.field)
	r, ok := integers(numbers)
	if !ok || len(r) != 4 || r[0] != 0 || r[1] > len(f.data) || r[2] > len(f.data) || r[1]+2 > r[2] || r[3] > len(f.data)-r[2] {
		return Found{}, outside
	}
	// The gap must be the room of this very signature, brackets and nothing else.
	gap := string(f.data[r[1]:r[2]])
	contents, err := f.resolve(s.dict.get("Contents"))
	if err != nil || contents != literal(gap) || gap[0] != '<' || gap[len(gap)-1] != '>' {
		return Found{}, outside
	}
	raw, err := hex.DecodeString(strings.Map(func(c rune) rune {
		if c < 0x80 && isSpace(byte(c)) {
			return -1
		}
		return c
	}, gap[1:len(gap)-1]))
	var der asn1.RawValue
	if err == nil {
		_, err = asn1.Unmarshal(raw, &der) // zeros follow
	}
	if err != nil {
		return Found{}, outside
	}
	sub, _ := s.dict.get("SubFilter").(name)
	end := r[2] + r[3]
	return Found{Field: s.field, SubFilter: string(sub), CMS: der.FullBytes, Whole: end == len(f.data),
		Digest: digest(f.data[:end], r[1], r[2])}, nil
}

// signed is a field of the form that holds a signature.
type signed struct {
	field string
	dict  *dict
}

// form is what a PDF's form says of signatures.
type form struct {
	signed []signed
	names  map[string]bool // of fields
	locked bool            // a signature allows no change
}

// form walks the fields of a document, and reads what signatures allow.
func (f *file) form(catalogue *dict) (*form, error) {
	result := &form{names: map[string]bool{}}
	acro, err := f.dictionary(catalogue.get("AcroForm"))
	if err != nil {
		return nil, err
	}
	fields, err := f.list(acro.get("Fields"))
	if err != nil {
		return nil, err
	}
	fields = slices.Clone(fields)
	for i := 0; i < len(fields); i++ {
		if len(fields) > maxFields || len(result.signed) > maxSigned {
			return nil, damaged("too many fields")
		}
		d, err := f.dictionary(fields[i])
		if err != nil {
			return nil, err
		}
		title := ""
		if l, ok := d.get("T").(literal); ok {
			title = readText(l)
		}
		result.names[title] = true
		kids, err := f.list(d.get("Kids"))
		if err != nil {
			return nil, err
		}
		fields = append(fields, kids...)
		value, err := f.resolve(d.get("V"))
		if err != nil {
			return nil, err
		}
		if v, ok := value.(*dict); ok && v.get("ByteRange") != nil {
			result.signed = append(result.signed, signed{field: title, dict: v})
			if err := f.permissions(v, result); err != nil {
				return nil, err
			}
		}
	}
	return result, nil
}

// permissions notes when a signature's DocMDP allows nothing more (12.8.2.2).
func (f *file) permissions(sig *dict, into *form) error {
	references, err := f.list(sig.get("Reference"))
	if err != nil {
		return err
	}
	for _, r := range references {
		d, err := f.dictionary(r)
		if err != nil {
			return err
		}
		params, err := f.dictionary(d.get("TransformParams"))
		if err != nil {
			return err
		}
		p, err := f.resolve(params.get("P"))
		if err != nil {
			return err
		}
		if n, ok := integer(p); d.get("TransformMethod") == name("DocMDP") && ok && n == 1 {
			into.locked = true
		}
	}
	return nil
}

// open refuses to add a signature where none may be.
func (f *form) open() error {
	if f.locked {
		return fault.New(fault.Conflict, "pdfsign.locked")
	}
	return nil
}

// freeName is a name that no field has.
func (f *form) freeName() string {
	for n := len(f.signed) + 1; ; n++ {
		title := fmt.Sprintf("Assinatura%d", n)
		if !f.names[title] {
			return title
		}
	}
}
