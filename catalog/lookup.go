package catalog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"selo/brasil"
	"selo/certificate"
)

// AppendCertificate appends to b the JSON of [Catalog.Certificate] with the
// first page of its products: the members of [ProductsPage] at the end. It is
// the way to answer many: one row is read and nothing is decoded. The number
// counts as in [Catalog.CertificateJSON]. Fault: certificate.not_found.
func (c *Catalog) AppendCertificate(ctx context.Context, b []byte, body certificate.Sigla, num string) ([]byte, error) {
	sheet, ready, found, err := c.findReady(body, num)
	if err != nil {
		return nil, fmt.Errorf("look up certificate: %w", err)
	}
	if found == 1 {
		if b, err = c.expand(b, ready, sheet, c.today()); err != nil {
			return nil, fmt.Errorf("read certificate %s %s: %w", body, num, err)
		}
		return b, nil
	}
	view, err := c.CertificateJSON(ctx, body, num) // none, or one of several
	if err != nil {
		return nil, err
	}
	page, err := c.Products(ctx, body, num, ProductQuery{})
	if err != nil {
		return nil, err
	}
	products, err := encode(page)
	if err != nil {
		return nil, err
	}
	b = append(append(b, view[:len(view)-1]...), ',')
	return append(b, products[1:]...), nil
}

// findReady counts the certificates of a number, up to two, and gives the first one's texts.
func (c *Catalog) findReady(body certificate.Sigla, num string) (sheet, ready string, found int, err error) {
	err = c.lookers.use(func(l *looker) error {
		found, err = l.ready.read([]any{compactNumber(num), strings.ToUpper(string(body))}, &sheet, &ready)
		return err
	})
	return sheet, ready, found, err
}

var errReady = errors.New("ready answer cannot be read")

// expand appends what a ready answer stands for, as of a day.
func (c *Catalog) expand(b []byte, ready, sheet string, day brasil.Date) (_ []byte, err error) {
	tail, tailEnd := 0, 0 // of the last product, in b
	for ready != "" {
		plain := 0
		for plain < len(ready) && ready[plain] >= 0x20 {
			plain++
		}
		b = append(b, ready[:plain]...)
		if ready = ready[plain:]; ready == "" {
			break
		}
		mark := ready[0]
		ready = ready[1:]
		switch mark {
		case markSituation:
			var numbers [2]int64
			if ready, err = cutNumbers(ready, numbers[:]); err != nil {
				return nil, err
			}
			b = append(append(append(b, `{"situacao":"`...), shownSituation(numbers[0], numbers[1], day)...), '"')
		case markPublication:
			b = strconv.AppendInt(append(b, `,"publicacao":`...), c.seal.Publication.Number, 10)
			b = append(b, `,"empresas":[`...)
		case markSheet:
			if len(sheet) < 2 {
				return nil, errReady
			}
			b = append(append(append(b, `],`...), sheet[1:len(sheet)-1]...), `,"produtos":[`...)
		case markCompany, markName:
			var row [1]int64
			if ready, err = cutNumbers(ready, row[:]); err != nil {
				return nil, err
			}
			company, err := c.companies.get(c.lookers, row[0])
			if err != nil {
				return nil, err
			}
			if mark == markCompany {
				b = append(b, company.view...)
				continue
			}
			b = append(company.appendName(append(b, `,"empresa":`...)), '}')
			tailEnd = len(b)
		case markSame:
			b = append(b, b[tail:tailEnd]...)
		default:
			if mark == markModality {
				tail = len(b)
			}
			if int(mark) >= len(phrases) || phrases[mark] == "" {
				return nil, errReady
			}
			b = append(b, phrases[mark]...)
		}
	}
	return b, nil
}

// cutNumbers reads numbers that end with ';' each.
func cutNumbers(s string, places []int64) (rest string, err error) {
	for i := range places {
		end := strings.IndexByte(s, ';')
		if end < 0 {
			return "", errReady
		}
		if places[i], err = strconv.ParseInt(s[:end], 10, 64); err != nil {
			return "", errReady
		}
		s = s[end+1:]
	}
	return s, nil
}

// companyText is a company as answers hold it; id, cnpj and name are JSON
// strings inside view, cnpj may be empty.
type companyText struct {
	view           string // its JSON without the first brace
	id, cnpj, name string
}

// appendName appends the JSON of the company's [CompanyName].
func (t *companyText) appendName(b []byte) []byte {
	b = append(append(b, `{"id":`...), t.id...)
	if t.cnpj != "" {
		b = append(append(b, `,"cnpj":`...), t.cnpj...)
	}
	return append(append(append(b, `,"razao_social":`...), t.name...), '}')
}

// maxCompanies is how many bytes of companies a catalog keeps in memory, at
// most twice over: few companies have most of the certificates.
const maxCompanies = 8 << 20

// companyTexts keeps the companies last asked for. Two halves take turns: when
// the young one is full, the old one is forgotten. The zero value is ready.
type companyTexts struct {
	mu         sync.RWMutex
	young, old map[int64]*companyText
	size       int // bytes in young
}

func (t *companyTexts) get(from *lookers, row int64) (*companyText, error) {
	t.mu.RLock()
	text := t.young[row]
	t.mu.RUnlock()
	if text != nil {
		return text, nil
	}
	text, err := t.fetch(from, row)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	cost := len(text.view) + 128 // about what its strings and the map's entry take
	if t.young == nil || t.size+cost > maxCompanies {
		t.old, t.young, t.size = t.young, map[int64]*companyText{}, 0
	}
	if t.young[row] == nil {
		t.young[row] = text
		t.size += cost
	}
	return text, nil
}

// fetch finds a company in the old half or in the file.
func (t *companyTexts) fetch(from *lookers, row int64) (*companyText, error) {
	t.mu.RLock()
	text := t.old[row]
	t.mu.RUnlock()
	if text != nil {
		return text, nil
	}
	var data string
	err := from.use(func(l *looker) error {
		found, err := l.company.read([]any{row}, &data)
		if err == nil && found == 0 {
			err = errReady
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read company %d: %w", row, err)
	}
	view := strings.TrimPrefix(data, "{")
	name := orCode(textMember(view, `,"razao_social":`), textMember(view, `,"nome_fantasia":`))
	return &companyText{view: view, id: textMember(view, `"id":`), cnpj: textMember(view, `,"cnpj":`), name: orCode(name, `""`)}, nil
}

// textMember finds a string in an object of catalog's own making, quotes and
// all; "" when it has none. Texts hold no bare quotes, so that what looks like
// a member is one.
func textMember(object, key string) string {
	_, rest, found := strings.Cut(object, key)
	if !found || rest == "" {
		return ""
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '"':
			return rest[:i+1]
		}
	}
	return ""
}
