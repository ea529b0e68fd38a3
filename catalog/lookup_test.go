package catalog

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"selo/certificate"
	"selo/clock"
	"selo/fault"
)

// wholeAnswer is what AppendCertificate answers, put together the long way.
func wholeAnswer(ctx context.Context, c *Catalog, body certificate.Sigla, num string) ([]byte, error) {
	view, err := c.CertificateJSON(ctx, body, num)
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
	return append(append(view[:len(view)-1:len(view)-1], ','), products[1:]...), nil
}

// readyAnswers checks the ready answer of every certificate of a file and counts them.
func readyAnswers(ctx context.Context, path string, now clock.Clock) (n int, err error) {
	c, err := Open(ctx, path, OpenOptions{Clock: now})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	rows, err := c.db.QueryContext(ctx, "SELECT organismo, numero FROM certificado")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var body certificate.Sigla
		var num string
		if err := rows.Scan(&body, &num); err != nil {
			return n, err
		}
		want, err := wholeAnswer(ctx, c, body, num)
		if err != nil {
			return n, err
		}
		got, err := c.AppendCertificate(ctx, []byte("> "), body, num)
		if err != nil {
			return n, err
		}
		if !bytes.Equal(bytes.TrimPrefix(got, []byte("> ")), want) {
			return n, fmt.Errorf("the ready answer of %s is\n%s\nwant\n%s", num, got, want)
		}
		n++
	}
	return n, rows.Err()
}

// odd makes certificates that stretch the ready answer: texts that JSON
// escapes, links of every kind, none at all, more than a page.
func odd(t *testing.T) *memSource {
	t.Helper()
	src := shop(t)
	strange := "aspas \" barra \\ <&> tab \t fim\u2028 Ação € \x01\x1d; \xff"
	src.accept(t, "CCB", testID('e', 8), certificate.Company{TradeName: strange, Country: "BR", Person: certificate.Legal, CNPJ: mustCNPJ(t, "112223330001")})
	src.accept(t, "CCB", testID('e', 9), certificate.Company{Country: "BR", Person: certificate.Natural})
	parties := []certificate.CompanyLink{
		{Company: testID('e', 8), Role: certificate.Applicant, Situation: certificate.Active, EnteredOn: day(t, "2025-01-31")},
		{Company: testID('e', 9), Role: certificate.RoleCode("papel;\x19\"" + strange), Situation: certificate.Active}}
	many := certificate.Certificate{Number: "muitos/1", Class: "fogao", Situation: certificate.Active, Companies: parties}
	for i := range DefaultProducts + 30 {
		src.accept(t, "CCB", testID('q', i), certificate.Product{Brand: strange, Model: fmt.Sprint(i), CommercialName: strange, Family: strange,
			Description: strange, Imported: i%2 == 0})
		s := certificate.Active
		if i%7 == 0 {
			s = certificate.Suspended
		}
		link := certificate.ProductLink{Company: testID('e', 8+i/50%2), Product: testID('q', i), Modality: certificate.ByLot, Situation: s}
		if i/10%2 == 1 {
			link.Lot, link.Quantity, link.Serial, link.ImportLicence, link.EnteredOn = strange, int64(i), strange, strange, day(t, "2025-01-31")
		}
		many.Products = append(many.Products, link)
	}
	src.accept(t, "CCB", testID('c', 20), many)
	exact := many
	exact.Number, exact.Products = "cem/1", many.Products[:117] // a hundred of which are active
	src.accept(t, "CCB", testID('c', 21), exact)
	src.accept(t, "CCB", testID('c', 22), certificate.Certificate{Number: "nada", Class: "fogao", Situation: certificate.Cancelled})
	src.accept(t, "CCB", testID('c', 23), certificate.Certificate{Number: "1.23", Class: "fogao", Situation: certificate.Active})
	src.accept(t, "CCB", testID('c', 24), certificate.Certificate{Number: "12.3", Class: "fogao", Situation: certificate.Active})
	return src
}

func TestReadyAnswers(t *testing.T) {
	t.Parallel()
	src := odd(t)
	path := filepath.Join(t.TempDir(), FileName(1))
	if err := Build(t.Context(), src, src.publication(1, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, days := range []int{0, 1, 30} { // validity is judged on the day of the question
		if n, err := readyAnswers(t.Context(), path, clock.NewManual(publishedAt.AddDate(0, 0, days))); err != nil || n != 13 {
			t.Errorf("after %d days %d: %v", days, n, err)
		}
	}
	c := open(t, path, publishedAt)
	if data, err := c.AppendCertificate(t.Context(), nil, "ccb", " CEM 1"); err != nil || bytes.Contains(data, []byte(`"proximo"`)) {
		t.Errorf("a full page has a next one: %v", err)
	}
	for _, miss := range []string{"9999", "", "123"} {
		if _, err := c.AppendCertificate(t.Context(), nil, "CCB", miss); !fault.HasKey(err, "certificate.not_found") {
			t.Errorf("%s: %v", miss, err)
		}
	}
}

// What changes below a certificate changes its ready answer.
func TestReadyAnswersAreUpdated(t *testing.T) {
	t.Parallel()
	src := odd(t)
	path := filepath.Join(t.TempDir(), FileName(1))
	if err := Build(t.Context(), src, src.publication(1, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	src.accept(t, "CCB", testID('e', 8), certificate.Company{Name: "Mudou Ltda", Country: "BR", Person: certificate.Legal})
	src.accept(t, "CCB", testID('q', 3), certificate.Product{Brand: "x", Model: "3", Description: "Outra descrição"})
	if err := Update(t.Context(), src, path, src.publication(2, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	if n, err := readyAnswers(t.Context(), path, clock.NewManual(publishedAt)); err != nil || n != 13 {
		t.Errorf("%d: %v", n, err)
	}
	data, err := open(t, path, publishedAt).AppendCertificate(t.Context(), nil, "CCB", "muitos/1")
	if err != nil || !bytes.Contains(data, []byte("Mudou Ltda")) || !bytes.Contains(data, []byte("Outra descrição")) {
		t.Errorf("the answer is of before: %v", err)
	}
}

// A damaged text is an error, not a wrong answer or a crash.
func TestExpandRefuses(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	for name, ready := range map[string]string{
		"no such phrase": "\x14", "no such mark": "\x1f", "zero": "\x00", "a company without row": "\x1b999;", "one without number": "\x1c", "numbers that are none": "\x181;x;",
	} {
		if data, err := c.expand(nil, ready, "{}", c.today()); !errors.Is(err, errReady) {
			t.Errorf("%s gives %q, %v", name, data, err)
		}
	}
	if _, err := c.expand(nil, "\x1a", "", c.today()); !errors.Is(err, errReady) {
		t.Errorf("no sheet: %v", err)
	}
}

// Every look-up ends when the file is closed, and later ones say so.
func TestLookUpAfterClose(t *testing.T) {
	t.Parallel()
	src := shop(t)
	path := filepath.Join(t.TempDir(), FileName(1))
	if err := Build(t.Context(), src, src.publication(1, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	c, err := Open(t.Context(), path, OpenOptions{Clock: clock.NewManual(publishedAt)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	for range 8 {
		go func() {
			for {
				data, err := c.AppendCertificate(context.Background(), nil, "CCB", "2534")
				if err != nil || !strings.Contains(string(data), "2534") {
					ended <- err
					return
				}
			}
		}()
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		if err := <-ended; !errors.Is(err, sql.ErrConnDone) {
			t.Errorf("a look-up ends with %v", err)
		}
	}
	if err := c.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}
