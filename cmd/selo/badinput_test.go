package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier"
	"selo/locale"
	"selo/remessa"

	_ "modernc.org/sqlite"
)

// asProgram makes the test binary be selo itself, so that a test sees exit
// codes, outputs and what happens to a whole process.
const asProgram = "SELO_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		code := run(ctx, os.Args[1:])
		stop()
		os.Exit(code)
	}
	os.Exit(runTests(m))
}

// selo is the program that tests start as a process of its own: this test
// binary, which then acts as it; or, under the race detector, a plain build,
// because the detector finds nothing in processes that do one thing and makes
// each of them seconds slower. What runs beside other things is tested inside
// this process.
var selo = os.Args[0]

func runTests(m *testing.M) int {
	if !raceDetector {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "selo-plain-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	selo = filepath.Join(dir, "selo")
	build := exec.Command("go", "build", "-o", selo, ".")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build the program: %v\n%s", err, out))
	}
	return m.Run()
}

// office is a body and a registry on one machine, exchanging files by hand, in
// folders with names that programs stumble over.
type office struct {
	*testing.T
	dir, body, registry string
	codes               []string // unlock codes of the remessas so far
}

const referenceJSON = `{
  "classes": [{"codigo": "brinquedos", "nome": "Brinquedos", "acreditacao": null, "papeis_obrigatorios": ["solicitante"]},
              {"codigo": "capacetes", "nome": "Capacetes", "acreditacao": null}],
  "classes_servico": [],
  "documentos": [{"codigo": "portaria-302-2021", "titulo": "Portaria Inmetro nº 302/2021", "tipo_documento": "Portaria",
    "ofertas": [{"classe": "brinquedos", "tipo_certificado": "portaria-compulsorio", "de": "2021-07-12"}]},
    {"codigo": "portaria-563-2016", "titulo": "Portaria Inmetro nº 563/2016", "tipo_documento": "Portaria",
    "ofertas": [{"classe": "brinquedos", "tipo_certificado": "portaria-compulsorio", "de": "2016-12-29", "ate": "2022-07-11"}]},
    {"codigo": "portaria-231-2021", "titulo": "Portaria Inmetro nº 231/2021", "tipo_documento": "Portaria",
    "ofertas": [{"classe": "capacetes", "tipo_certificado": "portaria-compulsorio", "de": "2021-05-18"}]}],
  "numero": 0, "organismo": "",
  "paises": [{"codigo": "BR", "nome": "Brasil"}],
  "papeis": [{"codigo": "solicitante", "nome": "Solicitante"}, {"codigo": "fabricante", "nome": "Fabricante"}],
  "tipos": [{"codigo": "portaria-compulsorio", "nome": "Certificado de Conformidade à Portaria Inmetro Compulsório"}]
}`

// newOffice goes once through the whole cycle, by commands and files only.
func newOffice(t *testing.T) *office {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "Certificação & Cia (cópia 1)")
	o := &office{T: t, dir: dir, body: filepath.Join(dir, "órgão (OCP)"), registry: filepath.Join(dir, "Inmetro – área gestora")}
	o.check(os.MkdirAll(dir, 0o755))
	o.ok("certifier", "init", "--data", o.body, "--sigla", "ocp", "--name", "Organismo Fictício", "--email", "ocp@ocp.example")
	o.reg("enrol", filepath.Join(o.body, "OCP.inscricao"), "--out", o.path("OCP.registro"))
	o.ok("certifier", "enrol", "--data", o.body, o.path("OCP.registro"))
	o.reg("reference", o.write("listas.json", referenceJSON))
	o.reg("scope", "OCP", "--class", "brinquedos", "--since", "2010-01-01")
	o.reg("scope", "OCP", "--class", "capacetes", "--since", "2010-01-01", "--until", "2022-12-31")
	o.reg("release", "OCP", "--out", dir)
	o.cert("aux", "apply", o.path("OCP-tabelas-000001.selo"))
	o.cert("put", o.write("certificado.json", o.records("FB-BRIN-108/25.001", "Pião")))
	o.cert("approve", "FB-BRIN-108/25.001")
	o.cycle(1)
	return o
}

// records are a company, a product and a complete certificate, as people write them.
func (o *office) records(number, model string) string {
	cnpj, err := brasil.MakeCNPJ("12ABC34501DE")
	o.check(err)
	return fmt.Sprintf(`[
  {"certificado": {"numero": %q, "classe": "brinquedos", "tipo": "portaria-compulsorio", "data_emissao": "2025-03-14",
    "data_validade": "2029-03-14", "documentos": [{"documento": "portaria-302-2021", "data_entrada": "2025-03-14", "situacao": "ativo"}],
    "empresas": [{"empresa": %q, "papel": "solicitante", "data_entrada": "2025-03-14", "situacao": "ativo"}],
    "produtos": [{"produto": "Fictoy|%s", "empresa": %q, "modalidade": "tipo", "data_entrada": "2025-03-14", "situacao": "ativo"}]}},
  {"empresa": {"tipo_pessoa": "juridica", "pais": "BR", "cnpj": %q, "razao_social": "Companhia Fictícia de Brinquedos Ltda",
    "endereco": "Rua das Invenções", "numero": "100", "bairro": "Centro", "cidade": "São Paulo", "uf": "SP", "cep": "01001000",
    "email": "contato@fictoy.example", "nome_fantasia": "Fictoy", "telefone": "11 3000-0000"}},
  {"produto": {"marca": "Fictoy", "modelo": %q, "importado": false, "descricao": "Brinquedo de madeira"}}]`,
		number, cnpj.Masked(), model, cnpj, cnpj.Masked(), model)
}

// cycle carries remessa n to the registry and its unlock code back.
func (o *office) cycle(n int64) {
	o.Helper()
	o.cert("remessa", "prepare")
	o.cert("remessa", "send", "--to", o.dir)
	o.reg("deliver", o.path(remessa.FileName("OCP", n)))
	o.reg("process")
	code := unlockCode.FindString(o.reg("remessas", "OCP", fmt.Sprint(n)))
	o.codes = append(o.codes, code)
	o.cert("remessa", "unlock", code)
}

var unlockCode = regexp.MustCompile(`[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5}`)

func (o *office) path(name string) string { return filepath.Join(o.dir, name) }

func (o *office) write(name, content string) string {
	o.Helper()
	o.check(os.WriteFile(o.path(name), []byte(content), 0o600))
	return o.path(name)
}

func (o *office) check(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) cert(args ...string) string {
	o.Helper()
	return o.ok(o.certArgs(args...)...)
}

func (o *office) certArgs(args ...string) []string {
	return append([]string{"certifier"}, append(args, "--data", o.body)...)
}

func (o *office) reg(args ...string) string { o.Helper(); return o.ok(o.regArgs(args...)...) }

func (o *office) regArgs(args ...string) []string {
	return append([]string{"registry"}, append(args, "--data", o.registry)...)
}

// program runs this very binary as selo.
func program(ctx context.Context, dir, name string, args ...string) (stdout, stderr string, code int, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "SELO_LANG=pt", "SELO_USER=ana", "COLUMNS=100", "SELO_DATA=", "SELO_DATABASE=")
	cmd.Dir = dir
	var out, bad bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &bad
	err = cmd.Run()
	if cmd.ProcessState == nil {
		return "", "", -1, err
	}
	return out.String(), bad.String(), cmd.ProcessState.ExitCode(), nil
}

func (o *office) run(args ...string) (stdout, stderr string, code int) {
	o.Helper()
	stdout, stderr, code, err := program(o.Context(), o.dir, selo, args...)
	o.check(err)
	return stdout, stderr, code
}

// ok runs a command that must succeed and returns what it printed.
func (o *office) ok(args ...string) string {
	o.Helper()
	stdout, stderr, code := o.run(args...)
	if code != 0 {
		o.Fatalf("selo %s: exit code %d\n%s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

// refuses runs a command that must end with exit code 2 and the message of key,
// in the words of the catalog.
func (o *office) refuses(key string, args ...string) {
	o.Helper()
	stdout, stderr, code := o.run(args...)
	o.said(key, code, stdout+stderr, args)
}

func (o *office) said(key string, code int, output string, args []string) {
	o.Helper()
	if code != 2 {
		o.Errorf("selo %s: exit code %d, want 2\n%s", strings.Join(args, " "), code, output)
		return
	}
	flat := strings.Join(strings.Fields(output), " ")
	for part := range strings.SplitSeq(locale.Text(locale.PT, key, nil), "…") {
		if words := strings.Join(strings.Fields(part), " "); !strings.Contains(flat, words) {
			o.Errorf("selo %s: %q of %s is not in\n%s", strings.Join(args, " "), words, key, output)
			return
		}
	}
	if !locale.Known(key) {
		o.Errorf("%s has no text", key)
	}
}

// unchanged runs what must not succeed, and proves that both bases hold after
// it exactly as many rows as before and that every invariant still stands.
func (o *office) unchanged(attempt func()) {
	o.Helper()
	before := o.rows()
	attempt()
	if after := o.rows(); after != before {
		o.Errorf("rows before %s\nand after %s", before, after)
	}
	o.ok("verify", "--database", "sqlite:"+filepath.Join(o.registry, "registro.db"), "--certifier", o.body)
}

// rows counts every table of both bases.
func (o *office) rows() string {
	o.Helper()
	var counts []string
	for _, path := range []string{filepath.Join(o.body, deskFile), filepath.Join(o.registry, "registro.db")} {
		db := o.open(path)
		for _, name := range o.tables(db) {
			var n int64
			o.check(db.QueryRowContext(o.Context(), `SELECT COUNT(*) FROM "`+name+`"`).Scan(&n))
			counts = append(counts, fmt.Sprintf("%s=%d", name, n))
		}
		o.check(db.Close())
	}
	return strings.Join(counts, " ")
}

func (o *office) tables(db *sql.DB) (names []string) {
	o.Helper()
	rows, err := db.QueryContext(o.Context(), `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
	o.check(err)
	defer func() { o.check(rows.Close()) }()
	for rows.Next() {
		var name string
		o.check(rows.Scan(&name))
		names = append(names, name)
	}
	o.check(rows.Err())
	return names
}

func (o *office) open(path string) *sql.DB {
	o.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String())
	o.check(err)
	return db
}

// bundle makes a remessa with these keys, around the certifier.
func (o *office) bundle(name string, head remessa.Head, keys remessa.Keys) string {
	o.Helper()
	f, err := os.Create(o.path(name))
	o.check(err)
	w := remessa.NewWriter(f, head, keys.Sign)
	product := &certificate.Revision{ID: certificate.NewID(), Body: head.Body, Number: 1, ApprovedAt: head.PreparedAt,
		Product: &certificate.Product{Brand: "Fictoy", Model: "Forjado"}}
	canonical, err := product.Encode()
	o.check(err)
	o.check(w.Add(certificate.KindProduct, canonical))
	_, _, err = w.Close()
	o.check(err)
	o.check(f.Close())
	return f.Name()
}

// rewritten copies a bundle with one entry in other bytes.
func (o *office) rewritten(name, from, entry string, content io.Reader) string {
	o.Helper()
	in, err := zip.OpenReader(from)
	o.check(err)
	f, err := os.Create(o.path(name))
	o.check(err)
	out := zip.NewWriter(f)
	out.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, e := range in.File {
		if e.Name != entry {
			o.check(out.Copy(e))
			continue
		}
		w, err := out.CreateHeader(&zip.FileHeader{Name: entry, Method: zip.Deflate})
		o.check(err)
		_, err = io.Copy(w, content)
		o.check(err)
	}
	o.check(out.Close())
	o.check(f.Close())
	o.check(in.Close())
	return f.Name()
}

// zeros gives n zero bytes.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestForgedRemessasAreRefusedAtTheDoor(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	sent := o.path(remessa.FileName("OCP", 1))
	whole, err := os.ReadFile(sent)
	o.check(err)
	own, err := certifier.LoadKeys(o.body)
	o.check(err)
	other, err := remessa.NewKeys()
	o.check(err)
	b, err := remessa.Open(bytes.NewReader(whole), int64(len(whole)), remessa.Limits{})
	o.check(err)
	next := remessa.Head{Body: "OCP", Sequence: 2, Scope: remessa.Partial, Previous: b.Digest, PreparedAt: b.Manifest.PreparedAt}
	change := func(f func(*remessa.Head)) remessa.Head {
		head := next
		f(&head)
		return head
	}
	bomb := o.bundle("bomba.remessa", next, own)
	for key, file := range map[string]string{
		"bundle.not_zip":           o.write("cortada (metade).remessa", string(whole[:len(whole)/2])),
		"bundle.entries":           o.rewritten("sem assinatura.remessa", sent, "manifest.json", zeros(100_000)),
		"bundle.content":           o.rewritten("trocada.remessa", bomb, "revisoes.ndjson", bytes.NewReader(o.swapped(bomb))),
		"bundle.bomb":              o.rewritten("bomba é.remessa", bomb, "revisoes.ndjson", zeros(64<<20)),
		"signature.wrong":          o.bundle("chave errada.remessa", next, other),
		"body.unknown":             o.bundle("outro organismo.remessa", change(func(h *remessa.Head) { h.Body = "WOS" }), own),
		"remessa.sequence_used":    o.bundle("repetida.remessa", change(func(h *remessa.Head) { h.Sequence = 1 }), own),
		"remessa.sequence_skipped": o.bundle("pulada.remessa", change(func(h *remessa.Head) { h.Sequence = 9 }), own),
		"remessa.previous":         o.bundle("outra base.remessa", change(func(h *remessa.Head) { h.Previous[0]++ }), own),
	} {
		o.unchanged(func() { o.refuses(key, o.regArgs("deliver", file)...) })
	}
	// The very same file again is no error and changes nothing.
	o.unchanged(func() { o.reg("deliver", sent) })
	// A file of another kind is no answer, release or base either.
	o.unchanged(func() {
		o.refuses("signature.purpose", o.certArgs("aux", "apply", o.path("OCP.registro"))...)
		o.refuses("signature.malformed", o.certArgs("enrol", o.write("qualquer.registro", "não é uma resposta"))...)
		o.refuses("rebase.scope", o.certArgs("reconcile", "--base", sent)...)
		o.refuses("bundle.not_zip", o.certArgs("reconcile", "--base", o.path("listas.json"))...)
	})
}

// swapped is a bundle's content with one letter changed, its size kept.
func (o *office) swapped(path string) []byte {
	o.Helper()
	z, err := zip.OpenReader(path)
	o.check(err)
	f, err := z.Open("revisoes.ndjson")
	o.check(err)
	data, err := io.ReadAll(f)
	o.check(err)
	o.check(f.Close())
	o.check(z.Close())
	return bytes.Replace(data, []byte("Forjado"), []byte("forjado"), 1)
}

func TestWrongUnlockCodesAreRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	unlock := func(code string) []string { return o.certArgs("remessa", "unlock", code) }
	o.unchanged(func() { o.cert("remessa", "unlock", o.codes[0]) }) // once more, and nothing is outstanding
	o.cert("put", o.write("outro.json", o.records("FB-BRIN-109", "Ioiô")))
	o.cert("approve", "FB-BRIN-109")
	o.unchanged(func() { o.refuses("remessa.none", o.certArgs("remessa", "cancel")...) })
	o.cert("remessa", "prepare")
	o.cert("remessa", "send", "--to", o.dir)
	o.unchanged(func() {
		o.refuses("unlock.format", unlock("ABC")...)
		o.refuses("unlock.wrong", unlock("00000-00000-00000-00000")...)
		o.refuses("unlock.other_remessa", unlock(o.codes[0])...)
		o.refuses("remessa.sent", o.certArgs("remessa", "cancel")...)
		o.refuses("remessa.outstanding", o.certArgs("remessa", "prepare")...)
		o.refuses("tables.awaiting_result", o.certArgs("aux", "apply", o.release())...)
	})
}

// release makes the next auxiliary tables, which a body that awaits a result may not apply.
func (o *office) release() string {
	o.Helper()
	keys, err := loadOrMakeKeys(filepath.Join(o.registry, "registro.chave"))
	o.check(err)
	var tables certificate.Tables
	o.check(json.Unmarshal([]byte(referenceJSON), &tables))
	tables.Body, tables.Number = "OCP", 2
	signed, err := remessa.SignRelease(&tables, keys)
	o.check(err)
	return o.write("tabelas 2.selo", signed)
}

func TestRecordsThatBreakRulesAreRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	base := o.records("FB-BRIN-110", "Peteca")
	edit := func(name string, pairs ...string) string {
		return o.write(name, strings.NewReplacer(pairs...).Replace(base))
	}
	approve := o.certArgs("approve", "FB-BRIN-110")
	for key, file := range map[string]string{
		"certificate.class.not_accredited": edit("classe.json", `"brinquedos"`, `"capacetes"`, "portaria-302-2021", "portaria-231-2021"),
		"certificate.document.period":      edit("documento.json", "portaria-302-2021", "portaria-563-2016"),
		"certificate.issued.future":        edit("futuro.json", `"data_emissao": "2025-03-14"`, `"data_emissao": "2199-01-01"`),
	} {
		_, stderr, code := o.run(o.certArgs("put", file)...)
		if code == 0 {
			o.unchanged(func() { o.refuses(key, approve...) })
			o.cert("discard", "certificado", "FB-BRIN-110")
			continue
		}
		o.said(key, code, stderr, []string{"put", file})
	}
	o.unchanged(func() {
		o.refuses("date.impossible", o.certArgs("put", edit("data.json", "2029-03-14", "2029-02-30"))...)
		o.refuses("put.truncated", o.certArgs("put", o.write("cortado.json", base[:len(base)/2]))...)
		o.refuses("put.json", o.certArgs("put", edit("campo.json", `"marca"`, `"marka"`))...)
		o.refuses("put.content", o.certArgs("put", o.write("vazio.json", `{}`))...)
		o.refuses("certificate.not_found", o.certArgs("get", "certificado", "NÃO EXISTE/1")...)
		o.refuses("company.not_found", o.certArgs("get", "empresa", "99.999.999/9999-62")...)
	})
	o.frozen()
}

// frozen changes what may no longer change (FAQ 3.13): the draft is kept, and its approval refused.
func (o *office) frozen() {
	o.Helper()
	var doc map[string]any
	o.check(json.Unmarshal([]byte(o.cert("get", "certificado", "FB-BRIN-108/25.001", "--json")), &doc))
	doc["certificado"].(map[string]any)["data_emissao"] = "2025-03-15"
	data, err := json.Marshal(doc)
	o.check(err)
	file := o.write("congelado.json", string(data))
	o.cert("put", file, "--justification", "Data digitada errada")
	o.unchanged(func() {
		o.refuses("certificate.frozen", o.certArgs("approve", "FB-BRIN-108/25.001")...)
		o.refuses("record.changed", o.certArgs("put", file)...) // the version that it was read at has passed
	})
	o.cert("discard", "certificado", "FB-BRIN-108/25.001")
	o.unchanged(func() {
		o.refuses("justification.required", o.certArgs("situation", "suspend", "FB-BRIN-108/25.001", "--justification", " ")...)
		o.refuses("situation.move", o.certArgs("situation", "reactivate", "FB-BRIN-108/25.001", "--justification", "Engano")...)
	})
}
