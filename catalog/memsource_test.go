package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/clock"
)

// memSource is a ledger in memory: the registry's store in small.
type memSource struct {
	entries []memEntry
	ref     Reference
	at      time.Time                   // when what comes next is accepted; zero: 5 January 2026
	reasons []certificate.Justification // of what comes next
}

type memEntry struct {
	Entry
	kind certificate.Kind
	id   certificate.ID
}

var _ Source = (*memSource)(nil)

func (s *memSource) EachRevision(ctx context.Context, kind certificate.Kind, from, to int64, newest bool, fn func(Entry) error) error {
	last := map[string]int64{}
	for _, e := range s.entries[:to] {
		last[string(e.Body)+string(e.id)] = e.Index
	}
	buf := []byte(nil)
	for _, e := range s.entries[from:to] {
		if kind != "" && kind != e.kind || newest && last[string(e.Body)+string(e.id)] != e.Index {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		buf = append(buf[:0], e.Canonical...) // the canonical bytes are the source's own
		lent := e.Entry
		lent.Canonical = buf
		if err := fn(lent); err != nil {
			return err
		}
	}
	return nil
}

func (s *memSource) Reference(context.Context) (Reference, error) { return s.ref, nil }

// accept appends a revision, numbered on from the record's last one.
func (s *memSource) accept(tb testing.TB, body certificate.Sigla, id certificate.ID, content any) int64 {
	tb.Helper()
	r := certificate.Revision{ID: id, Body: body, Number: 1, Justifications: s.reasons, ApprovedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for _, e := range s.entries {
		if e.id == id && e.Body == body {
			r.Number++
			r.Previous = e.Hash
		}
	}
	switch v := content.(type) {
	case certificate.Company:
		r.Company = &v
	case certificate.Product:
		r.Product = &v
	case certificate.Certificate:
		r.Certificate = &v
	default:
		tb.Fatalf("accept %T", content)
	}
	canonical, err := r.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	at := s.at
	if at.IsZero() {
		at = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	}
	index := int64(len(s.entries))
	s.entries = append(s.entries, memEntry{Entry: Entry{Index: index, Hash: certificate.HashOf(canonical), Body: body,
		AcceptedAt: at, Canonical: canonical}, kind: r.Kind(), id: id})
	return index
}

// publication is the one over everything accepted so far.
func (s *memSource) publication(number int64, at time.Time) Publication {
	return Publication{Number: number, At: at, Size: int64(len(s.entries)), Root: rootOf(int64(len(s.entries))), Checkpoint: "selo\n"}
}

func rootOf(size int64) certificate.Hash {
	return certificate.Hash(sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(size))))
}

// testID is a readable UUID: kind and number.
func testID(kind byte, n int) certificate.ID {
	return certificate.ID(fmt.Sprintf("0190%04x-0000-7000-8000-%012x", kind, n))
}

func testReference() Reference {
	return Reference{
		Bodies: map[certificate.Sigla]string{"CCB": "Centro Cerâmico do Brasil", "UL": "UL do Brasil"},
		Tables: certificate.Tables{
			Classes: []certificate.Class{
				{Code: "fogao", Name: "Fogões e fornos a gás"}, {Code: "tubo", Name: "Tubo cerâmico para canalização"},
				{Code: "velha", Name: "Brinquedos antigos", Disabled: "portaria revogada"},
				{Code: "servico", Name: "Serviço", Service: true}},
			ServiceClasses: []certificate.ServiceClass{{Code: "gnv", Name: "Instalação de GNV"}, {Code: "extinta", Name: "Classe extinta", Disabled: "escopo duplicado"}},
			Documents:      []certificate.Document{{Code: "p400", Title: "Portaria Inmetro nº 400/2012", Kind: "Portaria"}},
			Types:          []certificate.CertificateType{{Code: certificate.TypeCompulsory, Name: "Compulsório"}},
			Roles:          []certificate.Role{{Code: certificate.Applicant, Name: "Solicitante"}, {Code: certificate.Manufacturer, Name: "Fabricante"}},
			Countries:      []certificate.Country{{Code: "BR", Name: "Brasil"}, {Code: "CN", Name: "China"}},
		},
	}
}

// publishedAt is the moment of test publications: 22:00 in Brasília on 10 March 2026.
var publishedAt = time.Date(2026, 3, 11, 1, 0, 0, 0, time.UTC)

func day(tb testing.TB, s string) brasil.Date {
	tb.Helper()
	d, err := brasil.ParseDate(s)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func mustCNPJ(tb testing.TB, base string) brasil.CNPJ {
	tb.Helper()
	c, err := brasil.MakeCNPJ(base)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// openBuilt builds a snapshot of all of src and opens it at the moment now.
func openBuilt(tb testing.TB, src Source, pub Publication, now time.Time) *Catalog {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "catálogo (1) #2?.sqlite")
	if err := Build(tb.Context(), src, pub, path, Options{}); err != nil {
		tb.Fatal(err)
	}
	c, err := Open(tb.Context(), path, OpenOptions{Clock: clock.NewManual(now)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}
