package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/fault"

	"github.com/a-h/templ"
)

const (
	shownProducts = 50  // a page of the table
	shownSteps    = 10  // of the history, unless all are asked for
	shownChanges  = 20  // of one revision
	maxFind       = 200 // characters looked for in the products
)

// The segments below a certificate's address.
const (
	tailQR     = "qr.svg"
	tailQRPNG  = "qr.png"
	tailPDF    = "espelho.pdf"
	tailLinked = "dados.jsonld"
)

// certificateView is the page of one certificate, now or on a day of the past.
type certificateView struct {
	cert        *catalog.Certificate
	products    catalog.ProductsPage
	history     *catalog.History
	publication catalog.Publication
	find        string      // in the products
	later       bool        // a page of products but the first
	whole       bool        // the whole history is asked for
	on          brasil.Date // the day that is shown; zero: today
	absent      brasil.Date // a day was asked for on which the certificate was not there
	linked      string      // JSON-LD
}

// getCertificate shows a certificate.
//
// Faults: certificate.not_found, search.cursor, web.certificate.date,
// web.certificate.future.
func (s *Server) getCertificate(r *Request) (Answer, error) {
	view, answer, err := r.certificate("")
	if view == nil || err != nil {
		return answer, err
	}
	v := &certificateView{cert: view, publication: r.Catalog.Publication(), find: cut(r.Value("q"), maxFind),
		later: r.Value("cursor") != "", whole: r.Value("historico") == "completo"}
	ctx := r.HTTP.Context()
	if v.history, err = r.Catalog.History(ctx, view.Body.Sigla, view.Number); err != nil {
		return nil, err
	}
	day, err := r.askedDay()
	if err != nil {
		return nil, err
	}
	if v.linked, err = r.linkedData(view); err != nil {
		return nil, err
	}
	if !day.IsZero() {
		past, err := r.Catalog.At(ctx, view.Body.Sigla, view.Number, day, catalog.ProductQuery{Limit: shownProducts, Cursor: r.Value("cursor")})
		switch known := fault.Of(err); {
		case err == nil:
			v.cert, v.products, v.on, v.find = &past.Certificate, past.ProductsPage, day, ""
			return Page{View: v}, nil
		case known == nil || known.Key != "certificate.not_then":
			return nil, err
		}
		v.absent = day
	}
	q := catalog.ProductQuery{Text: v.find, Limit: shownProducts, Cursor: r.Value("cursor")}
	if !v.absent.IsZero() {
		q.Cursor = ""
	}
	page, err := r.Catalog.Products(ctx, view.Body.Sigla, view.Number, q)
	if err != nil {
		return nil, err
	}
	v.products = *page
	return Page{View: v}, nil
}

// certificate finds what the address names. Where the number is written in
// another way than the body's, it gives no view but a redirect to the stable
// address with the same tail; letters that only travel in another coding, such
// as slashes, are no other way, since servers in between may change them.
func (r *Request) certificate(tail string) (*catalog.Certificate, Answer, error) {
	body, number := certificate.Sigla(r.HTTP.PathValue("organismo")), r.HTTP.PathValue("numero")
	view, err := r.Catalog.Certificate(r.HTTP.Context(), body, number)
	if err != nil {
		return nil, nil, err
	}
	if body == view.Body.Sigla && number == view.Number {
		return view, nil, nil
	}
	to := r.CertificateLink(view.Body.Sigla, view.Number, tail)
	if q := r.HTTP.URL.RawQuery; q != "" {
		to += "?" + q
	}
	return nil, Redirect{To: to, Status: http.StatusPermanentRedirect}, nil
}

// askedDay is the day of "como estava em", zero when none is asked for.
func (r *Request) askedDay() (brasil.Date, error) {
	text := r.Value("em")
	if text == "" {
		return brasil.Date{}, nil
	}
	day, err := brasil.ParseDate(text)
	if err != nil {
		return day, fault.New(fault.Invalid, "web.certificate.date").Because(err)
	}
	if day.After(r.Today()) {
		return day, fault.New(fault.Invalid, "web.certificate.future", "data", day.Brazilian())
	}
	return day, nil
}

// cut keeps the first characters of what was typed.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}

// Head implements [View].
func (v *certificateView) Head(r *Request) Head {
	c := v.cert
	return Head{
		Title: r.Text("web.certificate.title", "numero", c.Number, "organismo", string(c.Body.Sigla)),
		Description: r.Text("web.certificate.description", "situacao", r.Word(c.Situation), "classe", c.Class.Name,
			"organismo", c.Body.Name, "solicitante", v.applicant()),
		Type:    "article",
		Image:   c.Path + "/" + tailQRPNG,
		NoIndex: c.Hidden != "" || r.HTTP.URL.RawQuery != "",
	}
}

// Body implements [View].
func (v *certificateView) Body(r *Request) templ.Component { return certificateBody(r, v) }

// applicant is who asked for the certificate, else the first company.
func (v *certificateView) applicant() string {
	for i := range v.cert.Parties {
		if p := &v.cert.Parties[i]; p.Role.Code == string(certificate.Applicant) {
			return partyName(p)
		}
	}
	if len(v.cert.Parties) > 0 {
		return partyName(&v.cert.Parties[0])
	}
	return "—"
}

func partyName(p *catalog.PartyView) string {
	if p.Name == "" {
		return p.TradeName
	}
	return p.Name
}

// document is the number that identifies a company, as people write it.
func document(p *catalog.PartyView) string {
	switch {
	case p.CNPJ != "":
		return "CNPJ " + p.CNPJ.Masked()
	case p.CPF != "":
		return "CPF " + p.CPF
	}
	return ""
}

// place is where a company is, on one line.
func place(p *catalog.PartyView) string {
	street := joined(", ", p.Street, p.Number, p.Complement, p.District)
	cep := ""
	if p.CEP != "" {
		cep = "CEP " + p.CEP.Masked()
	}
	return joined(" · ", street, joined("/", p.City, string(p.UF)), cep, p.Country.Name)
}

// joined puts what is not empty together.
func joined(separator string, parts ...string) string {
	var list []string
	for _, p := range parts {
		if p != "" {
			list = append(list, p)
		}
	}
	return strings.Join(list, separator)
}

// standing is how a situation looks and what it means for a visitor.
type standing struct {
	kind, icon    string // of a tag and a message
	meaning, next string // message keys
}

// standings by situation as shown; each has its own mark, so that colour is not needed.
var standings = map[string]standing{
	"ativo":     {messageSuccess, "check-circle", "web.certificate.meaning.active", ""},
	"suspenso":  {messageWarning, "exclamation-triangle", "web.certificate.meaning.suspended", "web.certificate.next"},
	"cancelado": {messageDanger, "ban", "web.certificate.meaning.cancelled", "web.certificate.next"},
	"expirado":  {messageDanger, "times-circle", "web.certificate.meaning.expired", "web.certificate.next"},
}

// period is the validity in words.
func (v *certificateView) period(r *Request) string {
	until := v.cert.ValidUntil
	if until.IsZero() {
		return r.Text("web.certificate.valid.open")
	}
	if v.on.IsZero() && v.cert.Situation == "ativo" {
		return r.Text("web.certificate.valid.left", "data", r.Date(until), "dias", r.Number(int64(r.Today().DaysUntil(until))))
	}
	return r.Text("web.certificate.valid.until", "data", r.Date(until))
}

// extra is what a product has besides brand, model and codes.
func extra(r *Request, p *catalog.ProductView) []string {
	var list []string
	add := func(field, value string) {
		if value != "" {
			list = append(list, r.Field(field)+": "+value)
		}
	}
	add("designacao_comercial", p.CommercialName)
	add("familia", p.Family)
	if p.Description != "" {
		list = append(list, p.Description)
	}
	if p.Modality != certificate.ByType && p.Modality != "" {
		add("modalidade", r.Word(string(p.Modality)))
	}
	add("lote", p.Lot)
	if p.Quantity > 0 {
		add("quantidade", r.Number(p.Quantity))
	}
	add("numero_serie", p.Serial)
	add("licenca_importacao", p.ImportLicence)
	return list
}

// address is the page's own, with a query.
func (v *certificateView) address(r *Request, query ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		if query[i+1] != "" {
			values.Set(query[i], query[i+1])
		}
	}
	to := r.Link(v.cert.Path)
	if len(values) > 0 {
		to += "?" + values.Encode()
	}
	return to
}

// day is the value of a field of a day; empty for none.
func dayValue(d brasil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// getLinkedData gives the certificate as JSON-LD.
func (s *Server) getLinkedData(r *Request) (Answer, error) {
	view, answer, err := r.certificate(tailLinked)
	if view == nil || err != nil {
		return answer, err
	}
	text, err := r.linkedData(view)
	if err != nil {
		return nil, err
	}
	return Content{Type: "application/ld+json", Body: []byte(text)}, nil
}

// errLong is a number that no QR code holds.
var errLong = errors.New("address is too long for a QR code")

// fact is a line of the certificate's own data.
type fact struct{ name, value string }

// linkOf is the page that a fact's value names; empty: none.
func (v *certificateView) linkOf(r *Request, f fact) string {
	switch f.name {
	case r.Text("web.certificate.body"):
		return r.Link(bodyPath(string(v.cert.Body.Sigla)))
	case r.Field("classe"):
		return r.Link(classPath(v.cert.Class.Code))
	}
	return ""
}

// factsOf lists a certificate's own data, what is empty left out.
func factsOf(r *Request, v *certificateView) []fact {
	c := v.cert
	var list []fact
	add := func(name, value string) {
		if value != "" {
			list = append(list, fact{name, value})
		}
	}
	add(r.Text("web.certificate.body"), c.Body.Name+" ("+string(c.Body.Sigla)+")")
	add(r.Field("classe"), c.Class.Name)
	add(r.Field("tipo"), c.Type.Name)
	add(r.Field("modelo_certificacao"), string(c.Model))
	if !c.IssuedOn.IsZero() {
		add(r.Field("data_emissao"), r.Date(c.IssuedOn))
	}
	add(r.Field("data_validade"), v.period(r))
	add(r.Field("laboratorio"), c.Laboratory)
	add(r.Field("numero_relatorio"), c.ReportNumber)
	add(r.Field("signatarios"), c.Signatories)
	add(r.Field("observacoes"), c.Remarks)
	add(r.Text("web.certificate.revision"), r.Text("web.certificate.revision.text", "numero", r.Number(int64(c.Revision.Number)), "em", r.Moment(c.Revision.AcceptedAt)))
	return list
}

// origin says whether a product is imported.
func origin(r *Request, p *catalog.ProductView) string {
	if p.Imported {
		return r.Text("web.certificate.imported")
	}
	return r.Text("web.certificate.national")
}

// capital begins a word with a capital letter.
func capital(word string) string {
	first, size := utf8.DecodeRuneInString(word)
	if size == 0 {
		return word
	}
	return strings.ToUpper(string(first)) + word[size:]
}

// dayIn is the day of a moment in Brasília.
func dayIn(t time.Time) brasil.Date { return brasil.Today(t) }

// search is the address of a search for one thing.
func (r *Request) search(name, value string) string {
	return r.Link("/") + "?" + url.Values{name: {value}}.Encode()
}
