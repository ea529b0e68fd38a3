package web

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"selo/catalog"
	"selo/fault"

	"codeberg.org/go-pdf/fpdf"
)

// fonts are those inside PDF files (see fonts/README.md).
//
//go:embed fonts/*.ttf
var fonts embed.FS

var fontFiles = sync.OnceValue(func() map[string][]byte {
	files := map[string][]byte{}
	for style, name := range map[string]string{"": "fonts/NotoSans_400Regular.ttf", "B": "fonts/NotoSans_600SemiBold.ttf"} {
		content, err := fonts.ReadFile(name)
		if err != nil {
			panic("web: " + err.Error()) // the files are part of the program
		}
		files[style] = content
	}
	return files
})

const (
	maxPrinted  = 20_000 // products in a PDF; the rest is on the page and in the open data
	maxCell     = 1_000  // characters of a cell
	margin      = 15.0   // mm
	paperWidth  = 210 - 2*margin
	lineHeight  = 4.4
	cellPadding = 1.2
)

// printers bounds how many PDF files are made at a time.
var printers = make(chan struct{}, 2)

// getMirror makes the "espelho" of a certificate: a PDF for printing and
// keeping. It is no PDF/A and bears no signature; the registry's proof is
// behind its address.
//
// Faults: certificate.not_found, web.certificate.busy.
func (s *Server) getMirror(r *Request) (Answer, error) {
	view, answer, err := r.certificate(tailPDF)
	if view == nil || err != nil {
		return answer, err
	}
	ctx := r.HTTP.Context()
	select {
	case printers <- struct{}{}:
		defer func() { <-printers }()
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "web.certificate.busy").Because(ctx.Err())
	}
	m := newMirror(r, view)
	if err := m.draw(ctx); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := m.pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("write PDF of %s: %w", view.Number, err)
	}
	name := fileName("espelho-" + string(view.Body.Sigla) + "-" + view.Number + ".pdf")
	return Content{Type: "application/pdf", Body: out.Bytes(),
		Headers: http.Header{"Content-Disposition": {`inline; filename="` + name + `"`}}}, nil
}

// fileName keeps letters, digits and a few marks.
func fileName(text string) string {
	clean := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' {
			return c
		}
		return '-'
	}, text)
	if len(clean) > 120 {
		clean = clean[:116] + ".pdf"
	}
	return clean
}

// mirror is a PDF being drawn.
type mirror struct {
	r    *Request
	cert *catalog.Certificate
	pdf  *fpdf.Fpdf
	head []column // of the table that goes on on the next page
}

// column is one of a table.
type column struct {
	name  string
	width float64 // mm
}

func newMirror(r *Request, c *catalog.Certificate) *mirror {
	m := &mirror{r: r, cert: c, pdf: fpdf.New("P", "mm", "A4", "")}
	for style, content := range fontFiles() {
		m.pdf.AddUTF8FontFromBytes("noto", style, content)
	}
	published := r.Catalog.Publication()
	m.pdf.SetCatalogSort(true) // with the dates: the same bytes each time
	m.pdf.SetCreationDate(published.At.UTC())
	m.pdf.SetModificationDate(published.At.UTC())
	m.pdf.SetTitle(plain(r.Text("web.certificate.title", "numero", c.Number, "organismo", string(c.Body.Sigla))), true)
	m.pdf.SetLang(r.languageTag())
	m.pdf.SetProducer("Selo", true)
	m.pdf.SetMargins(margin, margin, margin)
	m.pdf.SetAutoPageBreak(false, margin)
	m.pdf.SetCellMargin(0) // cells have cellPadding
	m.pdf.SetDrawColor(150, 150, 150)
	m.pdf.SetFooterFunc(func() {
		m.pdf.SetY(-13)
		m.font("", 7.5)
		m.pdf.CellFormat(paperWidth-30, 4, plain(r.Text("web.certificate.pdf.foot", "publicacao", r.Number(published.Number), "em", r.Moment(published.At),
			"numero", cut(c.Number, 60))), "", 0, "L", false, 0, "")
		m.pdf.CellFormat(30, 4, r.Text("web.certificate.pdf.page", "pagina", fmt.Sprint(m.pdf.PageNo()), "total", "{nb}"), "", 0, "R", false, 0, "")
	})
	m.pdf.AliasNbPages("{nb}")
	return m
}

// plain takes out what the font's tables cannot index and what moves the pen.
func plain(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c > 0xFFFF:
			return '□'
		case c < 0x20, c >= 0x202A && c <= 0x202E, c >= 0x2066 && c <= 0x2069:
			return ' '
		}
		return c
	}, strings.ReplaceAll(text, "{nb}", "{ nb}"))
}

func (m *mirror) font(style string, size float64) { m.pdf.SetFont("noto", style, size) }

// room begins a new page unless so many mm are left on this one.
func (m *mirror) room(height float64) {
	if _, bottom := m.pdf.GetPageSize(); m.pdf.GetY()+height <= bottom-margin-4 {
		return
	}
	m.pdf.AddPage()
	if m.head != nil {
		m.tableHead()
	}
}

func (m *mirror) draw(ctx context.Context) error {
	m.pdf.AddPage()
	if err := m.title(); err != nil {
		return err
	}
	m.facts()
	m.documents()
	m.companies()
	m.services()
	if err := m.products(ctx); err != nil {
		return err
	}
	m.heading("web.certificate.pdf.check")
	m.text(m.r.Text("web.certificate.pdf.check.text", "endereco", m.r.public()+m.cert.Path))
	m.text(m.r.Text("web.certificate.proof.hash") + ": " + m.cert.Revision.Hash.String())
	return m.pdf.Error()
}

// title draws who says it, the situation and the QR code.
func (m *mirror) title() error {
	const side = 32.0
	r, c := m.r, m.cert
	code, err := r.qrOf(c)
	switch {
	case fault.Of(err) != nil: // the address is too long for a code
	case err != nil:
		return err
	default:
		picture, err := code.png()
		if err != nil {
			return err
		}
		m.pdf.RegisterImageOptionsReader("qr", fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(picture))
		m.pdf.ImageOptions("qr", margin+paperWidth-side, margin, side, side, false, fpdf.ImageOptions{ImageType: "PNG"}, 0, r.public()+c.Path)
	}
	m.pdf.SetRightMargin(margin + side + 4)
	m.font("", 9)
	m.lines("Inmetro · "+r.Text("web.site"), 4.5)
	m.font("B", 17)
	m.lines(r.Text("web.certificate.heading", "numero", cut(c.Number, 200)), 7.5)
	m.font("B", 12)
	m.lines(r.Text("web.certificate.situation")+": "+strings.ToUpper(r.Word(c.Situation)), 7)
	m.font("", 9)
	m.lines(r.Text(standings[c.Situation].meaning), lineHeight)
	m.pdf.SetRightMargin(margin)
	m.pdf.SetY(max(m.pdf.GetY(), margin+side) + 2)
	return nil
}

// lines writes a text over as many lines as it needs.
func (m *mirror) lines(text string, height float64) {
	left, _, right, _ := m.pdf.GetMargins()
	wide, _ := m.pdf.GetPageSize()
	for _, line := range m.pdf.SplitText(plain(cut(text, 4*maxCell)), wide-left-right) {
		m.room(height)
		m.pdf.CellFormat(0, height, line, "", 1, "L", false, 0, "")
	}
}

func (m *mirror) text(text string) {
	m.font("", 9)
	m.lines(text, lineHeight)
}

func (m *mirror) heading(key string, args ...string) {
	m.head = nil
	m.room(20)
	m.pdf.Ln(3)
	m.font("B", 12)
	m.lines(m.r.Text(key, args...), 6.5)
}

func (m *mirror) facts() {
	for _, f := range factsOf(m.r, &certificateView{cert: m.cert}) {
		m.row([]column{{"", 45}, {"", paperWidth - 45}}, []string{f.name, f.value}, true)
	}
}

func (m *mirror) documents() {
	if len(m.cert.Documents) == 0 {
		return
	}
	m.heading("web.certificate.documents")
	for _, d := range m.cert.Documents {
		m.text("• " + joined(" — ", d.Title, m.r.Word(string(d.Situation))))
	}
}

func (m *mirror) companies() {
	m.heading("web.certificate.companies")
	m.table([]column{{m.r.Field("papel"), 30}, {m.r.Text("web.certificate.company"), 62}, {"CNPJ / CPF", 36}, {m.r.Text("web.certificate.place"), paperWidth - 128}})
	for i := range m.cert.Parties {
		p := &m.cert.Parties[i]
		m.row(m.head, []string{p.Role.Name, joined(" — ", p.Name, p.TradeName), strings.TrimPrefix(strings.TrimPrefix(document(p), "CNPJ "), "CPF "), place(p)}, false)
	}
}

func (m *mirror) services() {
	if len(m.cert.Services) == 0 {
		return
	}
	m.heading("web.certificate.services")
	m.table([]column{{m.r.Field("classe"), 60}, {m.r.Field("descricao"), paperWidth - 60}})
	for i := range m.cert.Services {
		m.row(m.head, []string{m.cert.Services[i].Class.Name, m.cert.Services[i].Description}, false)
	}
}

// products draws the table of products, page by page of the catalog.
func (m *mirror) products(ctx context.Context) error {
	r, c := m.r, m.cert
	m.heading("web.certificate.products", "total", r.Number(int64(c.Products)))
	m.text(r.Text("web.certificate.products.active"))
	if c.Products == 0 {
		return nil
	}
	m.table([]column{{r.Field("marca"), 30}, {r.Field("modelo"), 42}, {r.Text("web.certificate.origin"), 24}, {"EAN/UPC", 28}, {r.Text("web.certificate.details"), paperWidth - 124}})
	q, drawn := catalog.ProductQuery{Limit: catalog.MaxProducts}, 0
	for drawn < maxPrinted {
		page, err := r.Catalog.Products(ctx, c.Body.Sigla, c.Number, q)
		if err != nil {
			return err
		}
		for i := range page.Products {
			p := &page.Products[i]
			m.row(m.head, []string{p.Brand, p.Model, origin(r, p), strings.Join(p.GTINs, " "), strings.Join(extra(r, p), " · ")}, false)
			drawn++
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	if drawn < c.Products {
		m.text(r.Text("web.certificate.pdf.more", "mostrados", r.Number(int64(drawn)), "total", r.Number(int64(c.Products))))
	}
	m.head = nil
	return nil
}

// table begins a table: its head stands on every page.
func (m *mirror) table(columns []column) {
	m.head = columns
	m.tableHead()
}

func (m *mirror) tableHead() {
	names := make([]string, len(m.head))
	for i, c := range m.head {
		names[i] = c.name
	}
	head := m.head
	m.head = nil // a head does not ask for a head
	m.font("B", 8)
	m.cells(head, names, func(int) {})
	m.head = head
}

// row draws a row; the first cell of facts is strong.
func (m *mirror) row(columns []column, values []string, strong bool) {
	m.cells(columns, values, func(i int) {
		if strong && i == 0 {
			m.font("B", 8)
			return
		}
		m.font("", 8)
	})
}

// cells draws cells beside each other, as high as the highest of them.
func (m *mirror) cells(columns []column, values []string, style func(i int)) {
	split := make([][]string, len(values))
	most := 1
	for i, v := range values {
		style(i)
		if v = plain(cut(v, maxCell)); v != "" {
			split[i] = m.pdf.SplitText(v, columns[i].width-2*cellPadding)
		}
		most = max(most, len(split[i]))
	}
	height := float64(most)*(lineHeight-0.6) + 2*cellPadding
	m.room(height)
	x, y := margin, m.pdf.GetY()
	for i, lines := range split {
		style(i)
		for n, line := range lines {
			m.pdf.SetXY(x+cellPadding, y+cellPadding+float64(n)*(lineHeight-0.6))
			m.pdf.CellFormat(columns[i].width-2*cellPadding, lineHeight-0.6, line, "", 0, "L", false, 0, "")
		}
		x += columns[i].width
	}
	m.pdf.Line(margin, y+height, margin+paperWidth, y+height)
	m.pdf.SetXY(margin, y+height)
}
