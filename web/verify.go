package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"selo/brasil"
	"selo/catalog"
	"selo/fault"
	"selo/locale"

	"github.com/a-h/templ"
)

const verifyPath = "/verificar"

// What may be typed, in characters; the rest is cut off.
const (
	maxVerifyWords  = 256 // brand, model
	maxVerifyNumber = 200 // of a certificate
	maxVerifyCode   = 40  // bar code, CNPJ
	maxVerifyQR     = 4000
)

// The parameters of a verification's address, which are also the fields' names.
const (
	verifyBrand  = "marca"
	verifyModel  = "modelo"
	verifyGTIN   = "gtin"
	verifyNumber = "numero"
	verifyCNPJ   = "cnpj"
	verifyQR     = "qr" // the text of a QR code
)

var verifyParams = map[string]int{verifyBrand: maxVerifyWords, verifyModel: maxVerifyWords, verifyGTIN: maxVerifyCode,
	verifyNumber: maxVerifyNumber, verifyCNPJ: maxVerifyCode, verifyQR: maxVerifyQR}

// verifyLengths are the same for the fields.
var verifyLengths = func() map[string]string {
	all := map[string]string{}
	for name, most := range verifyParams {
		all[name] = strconv.Itoa(most)
	}
	return all
}()

// verifyQuery is what is asked, as it was typed, by parameter; none is empty.
type verifyQuery map[string]string

// verifyQueryOf reads what is asked. The text of a QR code says what to look
// for; beside it only the company counts.
func verifyQueryOf(r *Request) verifyQuery {
	q := verifyQuery{}
	for name, most := range verifyParams {
		if text := strings.TrimSpace(cut(strings.ToValidUTF8(r.Value(name), " "), most)); text != "" {
			q[name] = text
		}
	}
	if q[verifyQR] != "" {
		for name := range q {
			if name != verifyQR && name != verifyCNPJ {
				delete(q, name)
			}
		}
	}
	return q
}

// link is the address of a verification: pairs of parameter and value.
func (r *Request) verifyLink(pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return r.Link(withQuery(verifyPath, values))
}

// address is the shortest address that asks the same.
func (q verifyQuery) address(r *Request) string {
	values := url.Values{}
	for name, value := range q {
		values.Set(name, value)
	}
	return r.Link(withQuery(verifyPath, values))
}

// code is the bar code without what people write between its groups of digits.
func (q verifyQuery) code() string {
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || unicode.Is(unicode.Cf, c) || strings.ContainsRune(".-–", c) {
			return -1
		}
		return c
	}, q[verifyGTIN])
}

// ofProduct tells whether a product is asked for, not a certificate.
func (q verifyQuery) ofProduct() bool {
	return q[verifyQR] == "" && (q[verifyGTIN] != "" || q[verifyBrand] != "" && q[verifyModel] != "")
}

// subject is what is asked for on one line.
func (q verifyQuery) subject() string {
	switch {
	case q[verifyQR] != "":
		return "QR"
	case q[verifyBrand] != "":
		return joined(" ", q[verifyBrand], q[verifyModel])
	case q[verifyGTIN] != "":
		return q[verifyGTIN]
	}
	return q[verifyNumber]
}

// problems are what is wrong with what was typed, field by field.
func (q verifyQuery) problems() []fault.Problem {
	var list []fault.Problem
	add := func(field, code string, args fault.Args) {
		list = append(list, fault.Problem{Field: field, Code: code, Args: args})
	}
	if text := q[verifyGTIN]; text != "" {
		if known := fault.Of(errorOf(brasil.ParseGTIN(q.code()))); known != nil {
			key := known.Key
			if key == "gtin.characters" {
				key = "web.verify.gtin"
			}
			add(verifyGTIN, key, fault.Pairs("valor", text))
		}
	}
	if text := q[verifyCNPJ]; text != "" {
		if known := fault.Of(errorOf(brasil.ParseCNPJ(text))); known != nil {
			add(verifyCNPJ, known.Key, known.Args)
		}
	}
	switch asked := q[verifyGTIN] != "" || q[verifyQR] != ""; {
	case asked:
	case q[verifyBrand] != "" && q[verifyModel] == "":
		add(verifyModel, "web.verify.no_model", nil)
	case q[verifyBrand] == "" && q[verifyModel] != "":
		add(verifyBrand, "web.verify.no_brand", nil)
	case q[verifyBrand] == "" && q[verifyNumber] == "":
		add("", "verification.incomplete", nil)
	}
	return list
}

func errorOf[T any](_ T, err error) error { return err }

// verifyView is the page that says whether something is covered.
type verifyView struct {
	query       verifyQuery
	publication catalog.Publication
	problems    []locale.Rendered
	scan        *scanned // of a QR code
	result      *catalog.Verification
	cards       []verifyCard
	near        []nearMatch
}

// getVerify answers whether a product or certificate is covered. What cannot
// be asked is said in the page, with 422.
func (s *Server) getVerify(r *Request) (Answer, error) {
	v := &verifyView{query: verifyQueryOf(r), publication: r.Catalog.Publication()}
	if len(v.query) == 0 {
		return Page{View: v}, nil
	}
	if list := v.query.problems(); len(list) > 0 {
		for _, p := range list {
			v.problems = append(v.problems, locale.Problem(r.Lang, p))
		}
		return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
	}
	if err := v.ask(r); err != nil {
		return nil, err
	}
	return Page{View: v}, nil
}

// ask puts the question to the catalog. A QR code without a number leaves
// nothing to ask.
func (v *verifyView) ask(r *Request) error {
	ctx := r.HTTP.Context()
	ask := catalog.Query{Brand: v.query[verifyBrand], Model: v.query[verifyModel], GTIN: v.query.code(),
		Number: v.query[verifyNumber], CNPJ: v.query[verifyCNPJ]}
	if text := v.query[verifyQR]; text != "" {
		v.scan = r.scanned(text)
		if v.scan.number == "" {
			return nil
		}
		ask = catalog.Query{Number: v.scan.number, Body: v.scan.body, CNPJ: ask.CNPJ}
	}
	found, err := r.Catalog.Verify(ctx, ask)
	if known := fault.Of(err); known != nil && known.Kind == fault.Invalid {
		v.problems = []locale.Rendered{locale.Problem(r.Lang, fault.Problem{Code: known.Key, Args: known.Args})}
		return nil
	}
	if err != nil {
		return err
	}
	v.result = found
	for i := range found.Certificates {
		v.cards = append(v.cards, v.card(r, &found.Certificates[i]))
	}
	if !v.isFound() {
		v.near, err = v.nearMatches(ctx, r)
	}
	return err
}

// isFound tells whether any certificate is concerned.
func (v *verifyView) isFound() bool { return v.result != nil && len(v.result.Certificates) > 0 }

// hasAnswer tells whether there is anything to say above the form.
func (v *verifyView) hasAnswer() bool {
	return v.result != nil || v.scan != nil && len(v.problems) == 0
}

// problemOf is what is wrong with a field; nil when nothing is.
func (v *verifyView) problemOf(field string) *locale.Rendered {
	for i := range v.problems {
		if v.problems[i].Field == field {
			return &v.problems[i]
		}
	}
	return nil
}

// Head implements [View].
func (v *verifyView) Head(r *Request) Head {
	h := Head{Title: r.Text("web.verify.title"), Description: r.Text("web.verify.description")}
	switch {
	case v.hasAnswer():
		h.Title = r.Text("web.verify.title.answered", "resposta", v.verdict(r).title, "pergunta", cut(v.query.subject(), 80))
	case len(v.problems) > 0:
		h.Title = r.Text("web.verify.title.problem")
	}
	if len(v.query) > 0 {
		h.NoIndex, h.Crumbs = true, []Crumb{{Name: r.Text("web.verify.title"), Path: verifyPath}}
	}
	return h
}

// Body implements [View].
func (v *verifyView) Body(r *Request) templ.Component { return verifyBody(r, v) }

// nearMatch is something that the visitor may have meant.
type nearMatch struct{ text, detail, link string }

const (
	maxNear       = 5 // proposals
	nearHits      = 5 // certificates that are looked into for one text
	nearPerSheet  = 3 // products taken out of one certificate
	maxNearAsking = 6 // texts that are looked for

	// Products that are read in one certificate, and for all texts together.
	maxNearSheet    = 500
	maxNearExamined = 2000
)

// nearMatches looks for what is written almost like what was asked: the words
// themselves, their other spellings, then brand and model alone. A bar code is
// like no other.
func (v *verifyView) nearMatches(ctx context.Context, r *Request) ([]nearMatch, error) {
	number := v.query[verifyNumber]
	if v.scan != nil {
		number = v.scan.number
	}
	words := joined(" ", v.query[verifyBrand], v.query[verifyModel])
	left := maxNearExamined
	find := func(ctx context.Context, text string, list []nearMatch) ([]nearMatch, error) {
		return r.nearProducts(ctx, text, list, &left)
	}
	texts := []string{words}
	switch {
	case v.query.ofProduct() && words == "":
		return nil, nil
	case !v.query.ofProduct():
		find, texts = r.nearCertificates, []string{number}
	}
	spellings, err := r.Catalog.Spelling(ctx, catalog.Search{Text: texts[0]})
	if err != nil {
		return nil, notInvalid(err)
	}
	texts = append(texts, spellings...)
	if v.query.ofProduct() {
		texts = append(texts, v.query[verifyBrand], v.query[verifyModel])
	}
	var list []nearMatch
	for _, text := range texts[:min(len(texts), maxNearAsking)] {
		if list, err = find(ctx, text, list); err != nil {
			return nil, notInvalid(err)
		}
		if len(list) > 0 {
			break
		}
	}
	return list, nil
}

// notInvalid drops what only says that a text cannot be looked for.
func notInvalid(err error) error {
	if known := fault.Of(err); known != nil && known.Kind == fault.Invalid {
		return nil
	}
	return err
}

// nearProducts adds products that the words find; left is how many may still be
// read for it.
func (r *Request) nearProducts(ctx context.Context, text string, list []nearMatch, left *int) ([]nearMatch, error) {
	if *left <= 0 {
		return list, nil
	}
	hits, err := r.Catalog.Search(ctx, catalog.Search{Text: text, Situation: catalog.AnySituation, Order: catalog.OrderRelevance, Limit: nearHits})
	if err != nil {
		return nil, err
	}
	for _, h := range hits.Certificates {
		if *left <= 0 {
			break
		}
		page, err := r.Catalog.Products(ctx, h.Body.Sigla, h.Number, catalog.ProductQuery{Text: text, Limit: nearPerSheet, Examine: min(*left, maxNearSheet)})
		if err != nil {
			return nil, err
		}
		*left -= page.Examined
		for _, p := range page.Products {
			one := nearMatch{text: joined(" ", p.Brand, p.Model), detail: h.Class.Name,
				link: r.verifyLink(verifyBrand, p.Brand, verifyModel, p.Model)}
			if list = addNear(list, one); len(list) == maxNear {
				return list, nil
			}
		}
	}
	return list, nil
}

// nearCertificates adds certificates that the text finds.
func (r *Request) nearCertificates(ctx context.Context, text string, list []nearMatch) ([]nearMatch, error) {
	hits, err := r.Catalog.Search(ctx, catalog.Search{Text: text, Situation: catalog.AnySituation, Order: catalog.OrderRelevance, Limit: maxNear})
	if err != nil {
		return nil, err
	}
	for _, h := range hits.Certificates {
		list = addNear(list, nearMatch{text: h.Number, detail: joined(" · ", string(h.Body.Sigla), h.Class.Name), link: r.verifyLink(verifyNumber, h.Number)})
	}
	return list, nil
}

func addNear(list []nearMatch, one nearMatch) []nearMatch {
	for _, held := range list {
		if held.link == one.link {
			return list
		}
	}
	return append(list, one)
}
