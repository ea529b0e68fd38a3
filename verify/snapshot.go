package verify

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"selo/store"
)

// What a snapshot file is: a SQLite database, its seal as JSON, and a footer of
// eight bytes of magic and the seal's length.
const (
	sealMagic      = "SELOCAT1"
	sealFooter     = 16
	snapshotFormat = 6
	maxSeal        = 1 << 20
	sealPiece      = 4 << 20 // the file's digest is over the digests of these
)

// snapshotTables are the tables of a snapshot's content with their columns in digest order.
var snapshotTables = []struct{ name, columns string }{
	{"empresa", "id, uuid, organismo, cnpj, dados"},
	{"produto", "id, uuid, organismo, marca, modelo, importado, designacao, familia, descricao, gtins, chave"},
	{"gtin", "produto, numero"},
	{"certificado", "id, organismo, numero, compacto, situacao, expirado, emissao, validade, tipo, classe, motivo, solicitante, produtos"},
	{"ficha", "id, dados"},
	{"participante", "certificado, seq, empresa, papel, situacao, entrada"},
	{"vinculo", "certificado, seq, produto, empresa, situacao, modalidade, lote, quantidade, serie, licenca, entrada"},
	{"passado", "id, uuid, organismo, dados"},
	{"desde", "id, uuid, organismo, aceita"},
	{"evento", "id, organismo, numero, classe, tipo, situacao, aceita"},
	{"cobertura", "organismo, revisoes, primeira, ultima"},
}

// shown is the publication that a snapshot shows.
type shown struct {
	Number     int64     `json:"numero"`
	At         time.Time `json:"em"`
	Size       int64     `json:"tamanho"`
	Root       string    `json:"raiz"`
	Checkpoint string    `json:"checkpoint"`
}

// seal is what a snapshot says of itself.
type seal struct {
	Format      int    `json:"formato"`
	Publication shown  `json:"publicacao"`
	Content     string `json:"conteudo"`
	Bytes       int64  `json:"bytes"`
	Digest      string `json:"sha256"`
	Signature   string `json:"assinatura"`
}

// Snapshot verifies a snapshot file by itself: its seal, every byte under the
// file's digest, every row under the content's digest, the publication's
// checkpoint and, with Options.Key, the registry's signatures.
func Snapshot(ctx context.Context, path string, opts Options) (Report, error) {
	return openSnapshot(ctx, path, opts, func(*run, *seal) error { return nil })
}

// openSnapshot verifies the file and, where it can be read at all, hands it on.
func openSnapshot(ctx context.Context, path string, opts Options, more func(r *run, s *seal) error) (Report, error) {
	report := Report{}
	r := &run{ctx: ctx, opts: opts, report: &report}
	c := r.check("snapshot")
	c.Checked++
	s, err := checkSeal(ctx, c, path)
	if err != nil || s == nil {
		return report, err
	}
	r.sealSignature(c, s)
	rows, err := open(ctx, "sqlite:"+path, opts, func(r *run) error {
		if err := r.snapshotRows(s); err != nil {
			return err
		}
		return more(r, s)
	})
	report.Checks = append(report.Checks, rows.Checks...)
	return report, err
}

// checkSeal reads the seal and checks the file's length and digest; nil when it
// is no whole snapshot.
func checkSeal(ctx context.Context, c *Check, path string) (*seal, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open snapshot: %w", err)
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat snapshot: %w", err)
	}
	footer := make([]byte, sealFooter)
	if _, err := f.ReadAt(footer, max(info.Size()-sealFooter, 0)); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	length := int64(binary.BigEndian.Uint64(footer[8:]))
	if string(footer[:8]) != sealMagic || length < 0 || length > maxSeal || length > info.Size()-sealFooter {
		c.find("verify.snapshot.truncated", path)
		return nil, nil //nolint:nilnil // none: a finding says why
	}
	text := make([]byte, length)
	if _, err := f.ReadAt(text, info.Size()-sealFooter-length); err != nil {
		return nil, fmt.Errorf("read seal: %w", err)
	}
	var s seal
	if json.Unmarshal(text, &s) != nil || s.Format != snapshotFormat || s.Bytes != info.Size()-sealFooter-length {
		c.find("verify.snapshot.seal", path)
		return nil, nil //nolint:nilnil // none: a finding says why
	}
	digest, err := pieceDigest(ctx, f, s.Bytes)
	if err == nil && digest != s.Digest {
		c.find("verify.snapshot.digest", path, "guardado", excerptHash(s.Digest), "calculado", excerptHash(digest))
	}
	return &s, err
}

// pieceDigest is SHA-256 over the SHA-256 of each piece of the first size bytes.
func pieceDigest(ctx context.Context, f io.ReaderAt, size int64) (string, error) {
	all := sha256.New()
	for at := int64(0); at < size; at += sealPiece {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		one := sha256.New()
		if _, err := io.Copy(one, io.NewSectionReader(f, at, min(sealPiece, size-at))); err != nil {
			return "", fmt.Errorf("read snapshot: %w", err)
		}
		all.Write(one.Sum(nil))
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

// sealSignature checks who sealed the file, and the publication's checkpoint.
func (r *run) sealSignature(c *Check, s *seal) {
	name := "publicação " + text(s.Publication.Number)
	p := &s.Publication
	root, _ := hex.DecodeString(p.Root) // another root than the checkpoint's is found below
	checkpoint := ledgerPass{run: r, public: c}
	checkpoint.checkpoint(published{number: p.Number, size: p.Size, root: root, checkpoint: p.Checkpoint})
	signed := fmt.Sprintf("selo catalogo %d\n%d\n%d\n%d\n%s\n%s\n%d\n%s\n",
		s.Format, p.Number, p.At.Unix(), p.Size, p.Root, s.Content, s.Bytes, s.Digest)
	jws, ok := parseJWS(s.Signature)
	switch {
	case len(r.opts.Key) != ed25519.PublicKeySize, s.Signature == "":
		c.Skipped++
	case !ok || string(jws.payload) != signed || !jws.signedBy(r.opts.Key) || jws.typ != "selo-publicacao":
		c.find("verify.snapshot.signature", name)
	}
}

// snapshotRows re-derives the content's digest from the rows and the names.
func (r *run) snapshotRows(s *seal) error {
	c := r.check("snapshot_rows")
	meta := map[string]string{}
	err := r.each(func(row *store.Rows) error {
		var key, value string
		if err := row.Scan(&key, &value); err != nil {
			return err
		}
		meta[key] = value
		return nil
	}, `SELECT chave, valor FROM meta`)
	if err != nil {
		return err
	}
	for _, t := range snapshotTables {
		n, err := r.count(`SELECT COUNT(*) FROM ` + t.name)
		if err != nil {
			return err
		}
		r.total += n
	}
	sum := new(big.Int)
	for _, t := range snapshotTables {
		if err := r.sumTable(c, sum, t.name, t.columns); err != nil {
			return err
		}
	}
	name := "publicação " + text(s.Publication.Number)
	if got := words(sum); got != meta["soma"] {
		c.find("verify.snapshot.rows", name)
	}
	digest := sha256.Sum256([]byte("selo catalogo " + strconv.Itoa(s.Format) + "\n" + meta["referencia"] + "\n" + meta["soma"]))
	var inside shown
	if json.Unmarshal([]byte(meta["publicacao"]), &inside) != nil || inside != s.Publication ||
		meta["conteudo"] != s.Content || hex.EncodeToString(digest[:]) != s.Content {
		c.find("verify.snapshot.content", name)
	}
	return nil
}

// modulus is 2^256.
var modulus = new(big.Int).Lsh(big.NewInt(1), 256)

// sumTable adds the digest of every row, as a little-endian number, modulo 2^256.
func (r *run) sumTable(c *Check, sum *big.Int, table, columns string) error {
	n := strings.Count(columns, ",") + 1
	values, places := make([]any, n), make([]any, n)
	for i := range values {
		places[i] = &values[i]
	}
	var b []byte
	digest := new(big.Int)
	err := r.each(func(row *store.Rows) error {
		if err := row.Scan(places...); err != nil {
			return err
		}
		c.Checked++
		r.advance(1)
		b = append(b[:0], table...)
		for _, value := range values {
			b = appendField(b, value)
		}
		d := sha256.Sum256(b)
		slices.Reverse(d[:])
		sum.Add(sum, digest.SetBytes(d[:]))
		return nil
	}, `SELECT `+columns+` FROM `+table)
	sum.Mod(sum, modulus)
	return err
}

// appendField writes a field with its type and length; what no field may be
// (NULL, a real) as a type of its own, so that the sum differs.
func appendField(b []byte, value any) []byte {
	switch v := value.(type) {
	case int64:
		return binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
	case string:
		return append(binary.BigEndian.AppendUint32(append(b, 's'), uint32(len(v))), v...)
	case []byte:
		return append(binary.BigEndian.AppendUint32(append(b, 'b'), uint32(len(v))), v...)
	}
	return append(b, '?')
}

// words writes a number below 2^256 as four hexadecimal words, the lowest first.
func words(n *big.Int) string {
	var buf [32]byte
	n.FillBytes(buf[:])
	parts := make([]string, 4)
	for i := range parts {
		parts[i] = strconv.FormatUint(binary.BigEndian.Uint64(buf[24-8*i:]), 16)
	}
	return strings.Join(parts, ".")
}
