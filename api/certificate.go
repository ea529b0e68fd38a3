package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
	"selo/fault"
)

// Certificate is the answer for one certificate: the public view, which counts
// the products, with a page of them.
type Certificate struct {
	catalog.Certificate
	Listed []catalog.ProductView `json:"produtos"`
	Next   string                `json:"proximo,omitempty"`
	At     brasil.Date           `json:"em,omitzero" doc:"Dia de que se trata, quando pedido"`
}

// maxBuffer is the largest buffer kept for the next answer, in bytes.
const maxBuffer = 64 << 10

// certificateParameters are those of the query; any other is refused.
var certificateParameters = []string{"em", "q", "limite", "cursor"}

// getCertificate answers with one certificate. The usual question, without
// parameters, is put together out of ready-made JSON.
func (s *Server) getCertificate(c *call) error {
	body, number := pathSigla(c.r), c.r.PathValue("numero")
	if c.r.URL.RawQuery == "" {
		return s.answerCertificate(c, body, number)
	}
	query, day, err := readCertificateQuery(c.r.URL.Query())
	if err != nil {
		return err
	}
	if !day.IsZero() {
		ctx, cancel := context.WithTimeout(c.r.Context(), answerLimit)
		defer cancel()
		view, err := s.certificateAt(ctx, body, recordedNumber(ctx, c.catalog, body, number), day, query)
		if err != nil {
			return err
		}
		return c.writeJSON(http.StatusOK, view)
	}
	data, err := certificateJSON(c, body, number, query)
	if err != nil {
		return err
	}
	return c.writeBytes(http.StatusOK, data)
}

// answerCertificate answers the usual question.
func (s *Server) answerCertificate(c *call, body certificate.Sigla, number string) error {
	buffer, _ := s.buffers.Get().(*[]byte)
	if buffer == nil {
		buffer = new([]byte)
	}
	defer s.buffers.Put(buffer)
	data, err := c.catalog.AppendCertificate(c.r.Context(), (*buffer)[:0], body, number)
	if err != nil {
		return err
	}
	if cap(data) <= maxBuffer {
		*buffer = data
	}
	return c.writeBytes(http.StatusOK, data)
}

// recordedNumber is the number as the body wrote it. The catalog finds a number
// whatever its punctuation, the official base does not; what the catalog does
// not know may still be known there.
func recordedNumber(ctx context.Context, current *catalog.Catalog, body certificate.Sigla, number string) string {
	if view, err := current.Certificate(ctx, body, number); err == nil {
		return view.Number
	}
	return number
}

// readCertificateQuery reads the parameters of a certificate's address.
func readCertificateQuery(values url.Values) (q catalog.ProductQuery, day brasil.Date, err error) {
	var problems []fault.Problem
	wrong := func(name, code string) {
		problems = append(problems, fault.Problem{Field: name, Code: code, Args: fault.Pairs("parametro", excerpt(name))})
	}
	for name := range values {
		if !slices.Contains(certificateParameters, name) {
			wrong(name, "api.parameter.unknown")
		}
	}
	q.Text, q.Cursor = values.Get("q"), values.Get("cursor")
	if text := values.Get("limite"); text != "" {
		if q.Limit, err = strconv.Atoi(text); err != nil || q.Limit < 1 || q.Limit > catalog.MaxProducts {
			wrong("limite", "api.parameter.value")
		}
	}
	if text := values.Get("em"); text != "" {
		if day, err = brasil.ParseISODate(text); err != nil {
			wrong("em", "api.parameter.value")
		}
	}
	slices.SortFunc(problems, func(a, b fault.Problem) int { return bytes.Compare([]byte(a.Field), []byte(b.Field)) })
	return q, day, fault.WithProblems("api.parameters", problems)
}

// certificateJSON is the JSON of [Certificate] out of the catalog's ready-made
// view and a page of products.
func certificateJSON(c *call, body certificate.Sigla, number string, q catalog.ProductQuery) ([]byte, error) {
	ctx := c.r.Context()
	view, err := c.catalog.CertificateJSON(ctx, body, number)
	if err != nil {
		return nil, err
	}
	page, err := c.catalog.Products(ctx, body, number, q)
	if err != nil {
		return nil, err
	}
	products, err := json.Marshal(page)
	if err != nil {
		return nil, fmt.Errorf("encode products of %s %s: %w", body, number, err)
	}
	out := make([]byte, 0, len(view)+len(products))
	out = append(append(out, view[:len(view)-1]...), ',')
	return append(out, products[1:]...), nil
}
