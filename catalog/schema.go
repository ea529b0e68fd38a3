package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // the snapshot's file format
)

// The marks of a snapshot in SQLite's own header: application_id (bytes 68–71)
// and user_version (bytes 60–63).
const (
	applicationID = 0x53454C4F // "SELO"
	formatVersion = 6
)

// table is one table of rows; the digest, the inserts and the dumps follow from it.
// Every id is the ledger index of the record's newest revision, so that a
// snapshot's rows do not depend on how it was built.
type table struct {
	name    string
	key     string // columns of the primary key
	columns []string
	derived int // how many of the columns, the last ones, follow from other rows and are outside the digest
}

// The tables of rows. Dates are integers YYYYMMDD, 0 for none; situations are
// the numbers of [situationNumber]; moments are microseconds of Unix time;
// texts are as published.
var (
	tableCompany = &table{name: "empresa", key: "id", columns: []string{"id", "uuid", "organismo", "cnpj", "dados"}}
	tableProduct = &table{name: "produto", key: "id", columns: []string{"id", "uuid", "organismo", "marca", "modelo", "importado",
		"designacao", "familia", "descricao", "gtins", "chave"}}
	tableGTIN        = &table{name: "gtin", key: "produto, numero", columns: []string{"produto", "numero"}}
	tableCertificate = &table{name: "certificado", key: "id", columns: []string{"id", "organismo", "numero", "compacto", "situacao", "expirado",
		"emissao", "validade", "tipo", "classe", "motivo", "solicitante", "produtos", "facetas"}, derived: 1}
	tableSheet       = &table{name: "ficha", key: "id", columns: []string{"id", "dados", "pronto"}, derived: 1}
	tableParticipant = &table{name: "participante", key: "certificado, seq", columns: []string{"certificado", "seq", "empresa", "papel", "situacao", "entrada"}}
	tableLink        = &table{name: "vinculo", key: "certificado, seq", columns: []string{"certificado", "seq", "produto", "empresa", "situacao", "modalidade",
		"lote", "quantidade", "serie", "licenca", "entrada"}}
	tablePast  = &table{name: "passado", key: "id", columns: []string{"id", "uuid", "organismo", "dados"}}
	tableSince = &table{name: "desde", key: "id", columns: []string{"id", "uuid", "organismo", "aceita"}}
	// An event's id is the ledger index of the revision that made it; class and
	// number are frozen (FAQ 3.13), so its row never changes: see events.go.
	tableEvent    = &table{name: "evento", key: "id", columns: []string{"id", "organismo", "numero", "classe", "tipo", "situacao", "aceita"}}
	tableCoverage = &table{name: "cobertura", key: "organismo", columns: []string{"organismo", "revisoes", "primeira", "ultima"}}
	tableIndex    = &table{name: "busca", key: "rowid", columns: []string{"rowid", "numero", "organismo", "classe", "documentos", "empresas", "marcas", "modelos", "descricoes", "filtros"}}

	// contentTables are those the content digest covers; the index follows from them.
	contentTables = []*table{tableCompany, tableProduct, tableGTIN, tableCertificate, tableSheet, tableParticipant, tableLink, tablePast, tableSince,
		tableEvent, tableCoverage}
)

// schema makes the tables of rows.
const schema = `
CREATE TABLE meta (chave TEXT PRIMARY KEY, valor TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE empresa (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL, organismo TEXT NOT NULL, cnpj TEXT NOT NULL, dados TEXT NOT NULL);
CREATE TABLE produto (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL, organismo TEXT NOT NULL, marca TEXT NOT NULL, modelo TEXT NOT NULL,
	importado INTEGER NOT NULL, designacao TEXT NOT NULL, familia TEXT NOT NULL, descricao TEXT NOT NULL, gtins TEXT NOT NULL, chave INTEGER NOT NULL);
CREATE TABLE gtin (produto INTEGER NOT NULL, numero INTEGER NOT NULL, PRIMARY KEY (produto, numero)) WITHOUT ROWID;
CREATE TABLE certificado (id INTEGER PRIMARY KEY, organismo TEXT NOT NULL, numero TEXT NOT NULL, compacto TEXT NOT NULL,
	situacao INTEGER NOT NULL, expirado INTEGER NOT NULL, emissao INTEGER NOT NULL, validade INTEGER NOT NULL, tipo TEXT NOT NULL,
	classe TEXT NOT NULL, motivo TEXT NOT NULL, solicitante TEXT NOT NULL, produtos INTEGER NOT NULL, facetas TEXT NOT NULL DEFAULT '');
CREATE TABLE vocabulario (letras INTEGER PRIMARY KEY, palavras TEXT NOT NULL);
CREATE TABLE ficha (id INTEGER PRIMARY KEY, dados TEXT NOT NULL, pronto TEXT NOT NULL);
CREATE TABLE participante (certificado INTEGER NOT NULL, seq INTEGER NOT NULL, empresa INTEGER NOT NULL, papel TEXT NOT NULL,
	situacao INTEGER NOT NULL, entrada INTEGER NOT NULL, PRIMARY KEY (certificado, seq)) WITHOUT ROWID;
CREATE TABLE vinculo (certificado INTEGER NOT NULL, seq INTEGER NOT NULL, produto INTEGER NOT NULL, empresa INTEGER NOT NULL,
	situacao INTEGER NOT NULL, modalidade TEXT NOT NULL, lote TEXT NOT NULL, quantidade INTEGER NOT NULL, serie TEXT NOT NULL,
	licenca TEXT NOT NULL, entrada INTEGER NOT NULL, PRIMARY KEY (certificado, seq)) WITHOUT ROWID;
CREATE TABLE passado (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL, organismo TEXT NOT NULL, dados TEXT NOT NULL);
CREATE TABLE desde (id INTEGER PRIMARY KEY, uuid BLOB NOT NULL, organismo TEXT NOT NULL, aceita INTEGER NOT NULL);
CREATE TABLE evento (id INTEGER PRIMARY KEY, organismo TEXT NOT NULL, numero TEXT NOT NULL, classe TEXT NOT NULL, tipo TEXT NOT NULL,
	situacao INTEGER NOT NULL, aceita INTEGER NOT NULL);
CREATE TABLE cobertura (organismo TEXT PRIMARY KEY, revisoes INTEGER NOT NULL, primeira INTEGER NOT NULL, ultima INTEGER NOT NULL) WITHOUT ROWID;
`

// indexSchema makes the text index. It holds folded words only (brasil.Fold),
// so the plain tokenizer is exact; with unicode61 a word of Fold could fall into
// two tokens, which detail=column cannot look up.
const indexSchema = `
CREATE VIRTUAL TABLE busca USING fts5(numero, organismo, classe, documentos, empresas, marcas, modelos, descricoes, filtros,
	content='', contentless_delete=1, detail=column, tokenize='ascii', prefix='3 5');
CREATE VIRTUAL TABLE busca_termo USING fts5vocab(busca, row);
`

// indexes are made after the rows: sorting once is faster than inserting in no order.
var indexes = []string{
	`CREATE INDEX empresa_uuid ON empresa (uuid)`,
	`CREATE INDEX empresa_cnpj ON empresa (cnpj) WHERE cnpj <> ''`,
	`CREATE INDEX produto_uuid ON produto (uuid)`,
	`CREATE INDEX produto_chave ON produto (chave)`,
	`CREATE INDEX passado_uuid ON passado (uuid)`,
	`CREATE INDEX desde_uuid ON desde (uuid)`,
	`CREATE INDEX gtin_numero ON gtin (numero)`,
	`CREATE INDEX certificado_compacto ON certificado (compacto, organismo)`,
	`CREATE INDEX certificado_validade ON certificado (validade) WHERE situacao = 1 AND validade > 0`,
	`CREATE INDEX participante_empresa ON participante (empresa, certificado)`,
	`CREATE INDEX vinculo_produto ON vinculo (produto, certificado)`,
	`CREATE INDEX evento_tipo ON evento (tipo)`,
	`CREATE INDEX evento_organismo ON evento (organismo, tipo)`,
	`CREATE INDEX evento_classe ON evento (classe, tipo)`,
	`CREATE INDEX evento_numero ON evento (organismo, numero)`,
}

// rowSum is the digest of one row: SHA-256 over the table's name and the
// fields, each with its type and length. Fields are int64, string or []byte.
func rowSum(t *table, row []any) [32]byte {
	var stack [1024]byte
	b := append(stack[:0], t.name...)
	for _, field := range row[:len(row)-t.derived] {
		switch v := field.(type) {
		case int64:
			b = append(b, 'i')
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		case string:
			b = append(b, 's')
			b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
		case []byte:
			b = append(b, 'b')
			b = binary.BigEndian.AppendUint32(b, uint32(len(v)))
			b = append(b, v...)
		default:
			panic("catalog: a row holds int64, string and []byte only")
		}
	}
	return sha256.Sum256(b)
}

// contentSum is the sum of row digests modulo 2^256: it does not depend on the
// order of rows and follows their comings and goings. It finds differences
// between two ways of building; against forgery stands the digest of the whole
// file, which is signed.
type contentSum [4]uint64

func (s *contentSum) add(d [32]byte) {
	var carry uint64
	for i := range s {
		s[i], carry = bits.Add64(s[i], binary.LittleEndian.Uint64(d[8*i:]), carry)
	}
}

func (s *contentSum) remove(d [32]byte) {
	var borrow uint64
	for i := range s {
		s[i], borrow = bits.Sub64(s[i], binary.LittleEndian.Uint64(d[8*i:]), borrow)
	}
}

func (s *contentSum) text() string {
	parts := make([]string, len(s))
	for i, v := range s {
		parts[i] = strconv.FormatUint(v, 16)
	}
	return strings.Join(parts, ".")
}

func parseContentSum(text string) (s contentSum, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != len(s) {
		return s, false
	}
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 16, 64)
		if err != nil {
			return s, false
		}
		s[i] = v
	}
	return s, true
}

// dataSource names a file to the driver. The path travels percent-encoded, so
// that accents, spaces, parentheses, '?' and '#' in it stay part of the name.
func dataSource(path string, params ...string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	slashed := filepath.ToSlash(abs)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a drive letter: file:///C:/…
	}
	return "file://" + (&url.URL{Path: slashed}).EscapedPath() + "?" + strings.Join(params, "&"), nil
}

func selectSQL(t *table) string {
	return "SELECT " + strings.Join(t.columns, ",") + " FROM " + t.name
}
