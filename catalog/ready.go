package catalog

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"selo/certificate"
)

// A ready answer is the answer to the usual question about a certificate, its
// first page of products included, kept beside the sheet so that answering
// reads one row. It is JSON in which characters below U+0020, which JSON never
// holds as they are, stand for something else: up to markSituation for phrases
// that every answer repeats, from there on for what depends on the day or is
// kept elsewhere. Numbers after a mark end with ';'.
const (
	markSituation   = 0x18 + iota // the situation as shown; its number and the validity follow
	markPublication               // the publication's number
	markSheet                     // the members of the sheet
	markCompany                   // the rest of a company's view; its row follows
	markName                      // the member "empresa" and the end of a product; the company's row follows
	markSame                      // what the product before had from its modality on
)

// phrases by mark. Whoever changes them changes the format.
var phrases = [markSituation]string{
	1: `{"marca":"`, 2: `","modelo":"`, 3: `","importado":false`, 4: `","importado":true`, 5: `,"designacao_comercial":"`,
	6: `,"familia":"`, 7: `,"descricao":"`, 8: `,"codigos_gtin":["`, 9: `","`, 10: `,"modalidade":"`, 11: `,"lote":"`,
	12: `,"quantidade":`, 13: `,"numero_serie":"`, 14: `,"licenca_importacao":"`, 15: `,"data_entrada":"`,
	16: `{"papel":{"codigo":"`, 17: `","nome":"`, 18: `"},"data_entrada":"`, 19: `,"motivo":"`,
}

// The marks of phrases by what follows them.
const (
	markBrand = 1 + iota
	markModel
	markNational
	markImported
	markCommercialName
	markFamily
	markDescription
	markGTINs
	markNextGTIN
	markModality
	markLot
	markQuantity
	markSerial
	markLicence
	markEntered
	markRole
	markRoleName
	markPartyEntered
	markReason
)

// linkText is what a product's link adds to the product.
type linkText struct {
	company                        int64 // its row
	modality, lot, serial, licence string
	quantity, entered              int64
}

// readyText gathers a ready answer; begin, then parties, then products, then end.
type readyText struct {
	b        []byte
	parties  int
	listed   int   // products in the page
	place    int64 // of the last of them
	more     bool
	previous linkText
}

func (t *readyText) begin(situation, valid int64, reason string) {
	*t = readyText{b: append(t.b[:0], markSituation)}
	t.number(situation)
	t.number(valid)
	t.member(markReason, reason)
	t.b = append(t.b, markPublication)
}

func (t *readyText) number(n int64) { t.b = append(strconv.AppendInt(t.b, n, 10), ';') }

// member appends a member with a text unless it is empty.
func (t *readyText) member(mark byte, text string) {
	if text != "" {
		t.b = append(appendEscaped(append(t.b, mark), text), '"')
	}
}

func (t *readyText) party(role certificate.RoleCode, name string, entered, company int64) {
	if t.parties++; t.parties > 1 {
		t.b = append(t.b, ',')
	}
	t.b = appendEscaped(append(t.b, markRole), string(role))
	t.b = appendEscaped(append(t.b, markRoleName), name)
	if day := dayOf(entered); !day.IsZero() {
		t.b = append(append(append(t.b, markPartyEntered), day.String()...), `",`...)
	} else {
		t.b = append(t.b, `"},`...)
	}
	t.b = append(t.b, markCompany)
	t.number(company)
}

// endParties must come between parties and products.
func (t *readyText) endParties() { t.b = append(t.b, markSheet) }

// product appends an active product unless the page is full; shown is its shownProduct.
func (t *readyText) product(place int64, shown string, l linkText) {
	if t.listed == DefaultProducts {
		t.more = true
		return
	}
	if t.listed++; t.listed > 1 {
		t.b = append(t.b, ',')
	}
	t.place = place
	t.b = append(t.b, shown...)
	if t.listed > 1 && l == t.previous {
		t.b = append(t.b, markSame)
		return
	}
	t.previous = l
	t.b = append(appendEscaped(append(t.b, markModality), l.modality), '"')
	t.member(markLot, l.lot)
	if l.quantity != 0 {
		t.b = strconv.AppendInt(append(t.b, markQuantity), l.quantity, 10)
	}
	t.member(markSerial, l.serial)
	t.member(markLicence, l.licence)
	t.member(markEntered, dayOf(l.entered).String())
	t.b = append(t.b, markName)
	t.number(l.company)
}

// end gives the ready answer of the certificate with this ID.
func (t *readyText) end(id certificate.ID) string {
	t.b = append(t.b, ']')
	if t.more {
		t.b = append(append(append(t.b, `,"proximo":"`...), makeCursor(pageQuestion(id, ""), t.place)...), '"')
	}
	t.b = append(t.b, '}')
	return string(t.b)
}

// shownProduct is the part of a product's view that is its own; gtins are
// separated by semicolons.
func shownProduct(brand, model string, imported bool, commercial, family, description, gtins string) string {
	var stack [512]byte
	t := readyText{b: append(stack[:0], markBrand)}
	t.b = appendEscaped(append(appendEscaped(t.b, brand), markModel), model)
	if imported {
		t.b = append(t.b, markImported)
	} else {
		t.b = append(t.b, markNational)
	}
	t.member(markCommercialName, commercial)
	t.member(markFamily, family)
	t.member(markDescription, description)
	if gtins != "" {
		mark := byte(markGTINs)
		for g := range strings.SplitSeq(gtins, ";") {
			t.b = appendEscaped(append(t.b, mark), g)
			mark = markNextGTIN
		}
		t.b = append(t.b, `"]`...)
	}
	return string(t.b)
}

// appendEscaped appends the inside of a JSON string, as encode writes it.
func appendEscaped(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		// 0xE2 begins the line separators, which encode escapes.
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c == 0xE2 {
			plain = false
			break
		}
	}
	if plain && utf8.ValidString(s) {
		return append(b, s...)
	}
	quoted := appendJSON(nil, s)
	return append(b, quoted[1:len(quoted)-1]...)
}
