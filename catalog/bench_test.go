package catalog

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/clock"
)

var benchFile = flag.String("snapshot", "", "file that keeps the base of BenchmarkSearch and BenchmarkLookup")

// benchProducts is the size of the benchmark base; SELO_BENCH_PRODUCTS=1000000
// is what docs promise.
func benchProducts(tb testing.TB) int {
	n, err := strconv.Atoi(orCode(os.Getenv("SELO_BENCH_PRODUCTS"), "10000"))
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// benchSource invents a base on the fly: n products, n/5 certificates of five
// products each, n/20 companies; then, as a change, the last `changed` products
// again with another description and GTIN.
type benchSource struct{ n, changed int }

var benchWords = []string{"Aurora", "Boreal", "Cruzeiro", "Diamante", "Estrela", "Falcão", "Granito", "Horizonte", "Ipê", "Jacarandá", "Kaiapó", "Luminar",
	"Mantiqueira", "Nevasca", "Orvalho", "Pampa", "Quartzo", "Rubi", "Serra", "Turmalina", "Urucum", "Vereda", "Xingu", "Zênite"}

func (s benchSource) companies() int    { return max(s.n/20, 1) }
func (s benchSource) certificates() int { return max(s.n/5, 1) }
func (s benchSource) base() int64       { return int64(s.companies() + s.n + s.certificates()) }

func (s benchSource) publication(size int64) Publication {
	number := int64(1)
	if size > s.base() {
		number = 2
	}
	return Publication{Number: number, At: publishedAt, Size: size, Root: rootOf(size)}
}

func (s benchSource) EachRevision(_ context.Context, kind certificate.Kind, from, to int64, newest bool, fn func(Entry) error) error {
	var buf []byte
	for i := from; i < to; i++ {
		k, id := s.at(i)
		if kind != "" && k != kind || newest && i < s.base() && to > s.base() && k == certificate.KindProduct && id >= s.n-int(to-s.base()) {
			continue
		}
		buf = s.canonical(buf[:0], k, id, i >= s.base())
		if err := fn(Entry{Index: i, Body: benchBody(id), AcceptedAt: publishedAt, Canonical: buf}); err != nil {
			return err
		}
	}
	return nil
}

// at tells what stands at a ledger index: companies, then five products and their certificate at a time, then the changes.
func (s benchSource) at(i int64) (certificate.Kind, int) {
	if i >= s.base() {
		return certificate.KindProduct, s.n - 1 - int(i-s.base())
	}
	if i < int64(s.companies()) {
		return certificate.KindCompany, int(i)
	}
	i -= int64(s.companies())
	if i%6 == 5 {
		return certificate.KindCertificate, int(i / 6)
	}
	return certificate.KindProduct, int(i/6*5 + i%6)
}

// benchBody is one body, so that every record can refer to every other.
func benchBody(int) certificate.Sigla { return "CCB" }

func (s benchSource) canonical(b []byte, kind certificate.Kind, id int, changed bool) []byte {
	r := rand.New(rand.NewPCG(uint64(id), uint64(len(kind))))
	word := func() string { return benchWords[r.IntN(len(benchWords))] }
	b = append(b, `{"aprovada_em":"2026-01-02T03:04:05Z",`...)
	switch kind {
	case certificate.KindCompany:
		cnpj, _ := brasil.MakeCNPJ(fmt.Sprintf("%08d0001", id+1)) // well formed by construction
		b = fmt.Appendf(b, `"empresa":{"bairro":"Centro","cep":"20000000","cidade":"Rio de Janeiro","cnpj":"%s","endereco":"Rua %s","nome_fantasia":"%s %d","numero":"%d","pais":"BR","razao_social":"%s %s Indústria Ltda","tipo_pessoa":"juridica","uf":"%s"},`,
			cnpj, word(), word(), id, id%900, word(), word(), brasil.UFs()[id%27])
		b = fmt.Appendf(b, `"id":"%s","organismo":"CCB","revisao":1}`, testID('e', id))
	case certificate.KindProduct:
		b = fmt.Appendf(b, `"id":"%s","organismo":"CCB","produto":{"codigos_gtin":["%s"],"descricao":"%s de mesa, %d W, 127/220 V%s","importado":%t,"marca":"%s %s","modelo":"%c%c-%d %s"},"revisao":1}`,
			testID('p', id), benchGTIN(id), word(), r.IntN(3000), map[bool]string{true: ", revisado"}[changed], id%3 == 0,
			benchWords[id/5%24], benchWords[id/120%24], 'A'+r.IntN(26), 'A'+r.IntN(26), r.IntN(100000), []string{"", "Plus", "127V", "220V"}[r.IntN(4)])
	case certificate.KindCertificate:
		b = s.benchCertificate(b, id, r)
	}
	return b
}

func (s benchSource) benchCertificate(b []byte, id int, r *rand.Rand) []byte {
	maker, applicant := testID('e', id%s.companies()), testID('e', id*7%s.companies())
	b = fmt.Appendf(b, `"certificado":{"classe":"c%03d","data_emissao":"2025-01-%02d","data_validade":"%d-06-30","documentos":[{"data_entrada":"2025-01-31","documento":"d%03d","situacao":"ativo"}],`,
		id%300, id%28+1, 2024+r.IntN(6), id%300)
	b = fmt.Appendf(b, `"empresas":[{"data_entrada":"2025-01-31","empresa":"%s","papel":"solicitante","situacao":"ativo"},{"data_entrada":"2025-01-31","empresa":"%s","papel":"fabricante","situacao":"ativo"}],"numero":"%s","produtos":[`,
		applicant, maker, benchNumber(id))
	for i := range 5 {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"data_entrada":"2025-01-31","empresa":"%s","modalidade":"tipo","produto":"%s","situacao":"%s"}`,
			maker, testID('p', id*5+i), map[bool]string{true: "suspenso", false: "ativo"}[r.IntN(20) == 0])
	}
	return fmt.Appendf(b, `],"signatarios":"Ana Paula, superintendente","situacao":"%s","tipo":"portaria-compulsorio"},"id":"%s","organismo":"CCB","revisao":1}`,
		[]string{"ativo", "ativo", "ativo", "ativo", "suspenso", "cancelado"}[r.IntN(6)], testID('c', id))
}

func benchNumber(id int) string { return fmt.Sprintf("CCB-%d/%02d.%03d", 10000+id, id%30, id%7) }

func benchGTIN(id int) brasil.GTIN {
	base, sum := fmt.Sprintf("789%09d", id), 0
	for i := len(base) - 1; i >= 0; i -= 2 {
		sum += 3 * int(base[i]-'0')
		if i > 0 {
			sum += int(base[i-1] - '0')
		}
	}
	return brasil.GTIN(base + strconv.Itoa((10-sum%10)%10))
}

func (s benchSource) Reference(context.Context) (Reference, error) {
	ref := testReference()
	for i := range 300 {
		ref.Tables.Classes = append(ref.Tables.Classes, certificate.Class{Code: certificate.ClassCode(fmt.Sprintf("c%03d", i)),
			Name: benchWords[i%24] + " e " + benchWords[i/24] + " para uso doméstico"})
		ref.Tables.Documents = append(ref.Tables.Documents, certificate.Document{Code: certificate.DocumentCode(fmt.Sprintf("d%03d", i)),
			Title: fmt.Sprintf("Portaria Inmetro nº %d/2021", i+100), Kind: "Portaria"})
	}
	return ref, nil
}

func BenchmarkBuild(b *testing.B) {
	src := benchSource{n: benchProducts(b)}
	path := filepath.Join(b.TempDir(), "base.sqlite")
	for b.Loop() {
		if err := Build(b.Context(), src, src.publication(src.base()), path, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(src.n)*float64(b.N)/b.Elapsed().Seconds(), "products/s")
	reportFile(b, path)
}

func reportFile(b *testing.B, path string) {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(info.Size())/1e6, "MB-file")
	b.ReportMetric(float64(m.HeapSys)/1e6, "MB-heap")
}

func BenchmarkUpdate(b *testing.B) {
	src := benchSource{n: benchProducts(b)}
	src.changed = min(10000, src.n/10)
	dir := b.TempDir()
	prev := filepath.Join(dir, "prev.sqlite")
	if err := Build(b.Context(), src, src.publication(src.base()), prev, Options{}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := Update(b.Context(), src, prev, src.publication(src.base()+int64(src.changed)), filepath.Join(dir, "next.sqlite"), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// benchCatalog opens a base that BenchmarkBuild's source fills; SELO_BENCH_FILE keeps it between runs.
func benchCatalog(b *testing.B) (*Catalog, benchSource) {
	b.Helper()
	src := benchSource{n: benchProducts(b)}
	path := orCode(*benchFile, filepath.Join(b.TempDir(), "base.sqlite"))
	c, err := Open(b.Context(), path, OpenOptions{Clock: clock.NewManual(publishedAt)})
	if err != nil {
		if err := Build(b.Context(), src, src.publication(src.base()), path, Options{}); err != nil {
			b.Fatal(err)
		}
		if c, err = Open(b.Context(), path, OpenOptions{Clock: clock.NewManual(publishedAt)}); err != nil {
			b.Fatal(err)
		}
	}
	b.Cleanup(func() { _ = c.Close() })
	return c, src
}

func BenchmarkSearch(b *testing.B) {
	c, src := benchCatalog(b)
	for name, text := range map[string]string{
		"rare": benchNumber(src.certificates() / 2), "word": "falcao", "two": "boreal domestico", "beginning": "lum", "digits": "quartzo 12", "everything": "portaria inmetro 2021",
		"none": "portaria zzzzz", "numbers": "ccb1",
	} {
		b.Run(name, func(b *testing.B) {
			took := make([]time.Duration, 0, 1024)
			for b.Loop() {
				start := b.Elapsed()
				if _, err := c.Search(b.Context(), Search{Text: text}); err != nil {
					b.Fatal(err)
				}
				took = append(took, b.Elapsed()-start)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
		b.Run(name+"/bare", func(b *testing.B) { benchBare(b, c, text) })
	}
}

// benchBare is the floor: the same index asked the same without anything around it.
func benchBare(b *testing.B, c *Catalog, text string) {
	m := &matcher{catalog: c, ctx: b.Context()}
	m.parts = append(m.parts, m.all(queryWords(text)))
	for b.Loop() {
		if err := bareQuery(b, c, m.expression()); err != nil {
			b.Fatal(err)
		}
	}
}

func bareQuery(b *testing.B, c *Catalog, expression string) error {
	rows, err := c.query(b.Context(), "SELECT rowid FROM busca WHERE busca MATCH ? ORDER BY rowid DESC LIMIT 30", expression)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return err
		}
	}
	return rows.Err()
}

// BenchmarkPage measures what the search page asks beside the hits.
func BenchmarkPage(b *testing.B) {
	c, _ := benchCatalog(b)
	for name, ask := range map[string]func(text string) error{
		"relevance": func(text string) error {
			_, err := c.Search(b.Context(), Search{Text: text, Order: OrderRelevance})
			return err
		},
		"sorted": func(text string) error {
			_, err := c.Search(b.Context(), Search{Text: text, Order: OrderValidity})
			return err
		},
		"facets":   func(text string) error { _, err := c.Facets(b.Context(), Search{Text: text}); return err },
		"suggest":  func(text string) error { _, err := c.Suggest(b.Context(), text); return err },
		"spelling": func(text string) error { _, err := c.Spelling(b.Context(), Search{Text: text}); return err },
	} {
		texts := []string{"falcao", "boreal domestico", "lum", "quartzo 12", "portaria inmetro 2021", "portaria zzzzz", "ccb1", "falcoa", "jacarnda boreal", "CCB-10000/99.001", "AB-12345"}
		b.Run(name, func(b *testing.B) {
			took := make([]time.Duration, 0, 1024)
			for i := 0; b.Loop(); i++ {
				start := b.Elapsed()
				if err := ask(texts[i%len(texts)]); err != nil {
					b.Fatal(err)
				}
				took = append(took, b.Elapsed()-start)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	c, src := benchCatalog(b)
	i := 0
	var answer []byte
	var err error
	for b.Loop() {
		i = (i + 7919) % src.certificates()
		if answer, err = c.AppendCertificate(b.Context(), answer[:0], "CCB", benchNumber(i)); err != nil {
			b.Fatal(err)
		}
	}
}
