package icpbrasil

import (
	"crypto/x509"
	"encoding/asn1"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"selo/brasil"
	"selo/fault"
)

// The otherName fields that tell who a certificate was issued to (DOC-ICP-04
// v8.1, 7.1.2.3). Third-party code often mislabels them; this is the norm's list.
const (
	oidPerson      = "2.16.76.1.3.1" // PF: birth, CPF, NIS, RG of the holder
	oidName        = "2.16.76.1.3.2" // PJ: name of the person responsible
	oidCNPJ        = "2.16.76.1.3.3" // PJ: CNPJ
	oidResponsible = "2.16.76.1.3.4" // PJ: as oidPerson, of the person responsible
	oidEquipment   = "2.16.76.1.3.8" // equipment: name of the company
)

var subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// Bounds on what is read; certificates in use stay far below.
const (
	maxSAN   = 16 << 10 // bytes
	maxNames = 64
	maxName  = 200 // bytes of a name
)

// The tags of the string types that hold a value. The norm has the first two;
// the others are seen in practice.
var stringTags = map[int]bool{
	asn1.TagOctetString: true, asn1.TagPrintableString: true,
	asn1.TagUTF8String: true, asn1.TagIA5String: true,
}

// fields are the otherName values of a certificate by OID, and what is wrong with them.
type fields struct {
	text     map[string]string
	problems []fault.Problem
}

func (f *fields) wrong(oid, code string, args ...string) {
	f.problems = append(f.problems, fault.Problem{Field: oid, Code: code, Args: fault.Pairs(args...)})
}

// has tells whether the certificate has the field at all, well formed or not.
func (f *fields) has(oid string) bool { _, ok := f.text[oid]; return ok }

// readFields reads the otherName values of the subject alternative name, in any order.
func readFields(cert *x509.Certificate) *fields {
	f := &fields{text: map[string]string{}}
	for _, ext := range cert.Extensions {
		if !ext.Id.Equal(subjectAltName) {
			continue
		}
		if len(ext.Value) > maxSAN {
			f.wrong("", "icpbrasil.san.size", "limite", strconv.Itoa(maxSAN))
			continue
		}
		f.readNames(ext.Value)
	}
	return f
}

func (f *fields) readNames(der []byte) {
	list, ok := element(der)
	if !ok || list.Class != asn1.ClassUniversal || list.Tag != asn1.TagSequence || !list.IsCompound {
		f.wrong("", "icpbrasil.san.malformed")
		return
	}
	rest := list.Bytes
	for n := 0; len(rest) > 0; n++ {
		var name asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &name); err != nil || n == maxNames {
			f.wrong("", "icpbrasil.san.malformed")
			return
		}
		if name.Class == asn1.ClassContextSpecific && name.Tag == 0 {
			f.readOtherName(name.Bytes)
		}
	}
}

// readOtherName reads type-id and [0] EXPLICIT value (RFC 5280, 4.2.1.6). Types
// that tell nothing about who the holder is are passed over unread.
func (f *fields) readOtherName(der []byte) {
	var typeID asn1.RawValue
	var id x509.OID // takes components of any size, as OIDs made of UUIDs have
	rest, err := asn1.Unmarshal(der, &typeID)
	if err != nil || typeID.Class != asn1.ClassUniversal || typeID.Tag != asn1.TagOID || id.UnmarshalBinary(typeID.Bytes) != nil {
		f.wrong("", "icpbrasil.san.malformed")
		return
	}
	oid := id.String()
	switch oid {
	case oidPerson, oidName, oidCNPJ, oidResponsible, oidEquipment:
	default:
		return
	}
	if f.has(oid) {
		f.wrong(oid, "icpbrasil.field.repeated")
		return
	}
	wrapper, ok := element(rest)
	if ok && wrapper.Class == asn1.ClassContextSpecific && wrapper.Tag == 0 && wrapper.IsCompound {
		f.text[oid], ok = stringValue(wrapper.Bytes)
	} else {
		f.text[oid], ok = "", false
	}
	if !ok {
		f.wrong(oid, "icpbrasil.field.encoding")
	}
}

// element reads one DER element and nothing behind it.
func element(der []byte) (v asn1.RawValue, ok bool) {
	rest, err := asn1.Unmarshal(der, &v)
	return v, err == nil && len(rest) == 0
}

// stringValue reads a value of one of the accepted string types, or such a value
// once more inside an OCTET STRING, as some authorities write it. The text of a
// field never begins with the control character that the inner tag is.
func stringValue(der []byte) (string, bool) {
	v, ok := element(der)
	if !ok || !isString(v) {
		return "", false
	}
	if v.Tag == asn1.TagOctetString {
		if inner, ok := element(v.Bytes); ok && isString(inner) {
			v = inner
		}
	}
	switch {
	case utf8.Valid(v.Bytes):
		return string(v.Bytes), true
	case v.Tag == asn1.TagUTF8String:
		return "", false
	}
	runes := make([]rune, len(v.Bytes)) // Latin-1: old names with accents
	for i, b := range v.Bytes {
		runes[i] = rune(b)
	}
	return string(runes), true
}

func isString(v asn1.RawValue) bool {
	return v.Class == asn1.ClassUniversal && !v.IsCompound && stringTags[v.Tag]
}

// display makes a name safe to show: printable characters only, one space
// between words, no longer than maxName bytes.
func display(s string) string {
	var b strings.Builder
	for _, r := range s {
		if b.Len() > maxName-utf8.UTFMax {
			break
		}
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.IsPrint(r) && r != utf8.RuneError:
			b.WriteRune(r)
		}
	}
	return brasil.Squeeze(b.String())
}
