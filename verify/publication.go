package verify

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"selo/store"
)

// loadPublications reads the publications, one a day, and checks what does not
// need the ledger: their numbers, that none takes back what an earlier one
// showed, and their checkpoints.
func (p *ledgerPass) loadPublications() error {
	var last published
	err := p.each(func(row *store.Rows) error {
		var pub published
		var names string
		if err := row.Scan(&pub.number, &pub.at, &pub.size, &pub.root, &pub.checkpoint, &names); err != nil {
			return err
		}
		p.public.Checked++
		if pub.number != last.number+1 {
			p.public.find("verify.publication.gap", pub.name(), "esperada", text(last.number+1))
		}
		if pub.size < last.size {
			p.public.find("verify.publication.shrunk", pub.name(), "tamanho", text(pub.size), "anterior", text(last.size))
		}
		if !json.Valid([]byte(names)) {
			p.public.find("verify.publication.reference", pub.name())
		}
		p.checkpoint(pub)
		pub.checkpoint = ""
		p.waiting = append(p.waiting, pub)
		last = pub
		return nil
	}, `SELECT number, at, size, root, checkpoint, reference FROM publication ORDER BY number`)
	slices.SortStableFunc(p.waiting, func(a, b published) int { return cmp.Compare(a.size, b.size) })
	return err
}

// reach compares the roots of the publications whose size the tree has reached.
func (p *ledgerPass) reach() {
	for len(p.waiting) > 0 && p.waiting[0].size <= p.tree.size {
		pub := p.waiting[0]
		p.waiting = p.waiting[1:]
		if root := p.tree.root(); pub.size != p.tree.size || !bytes.Equal(pub.root, root[:]) {
			p.public.find("verify.publication.root", pub.name(), "guardada", short(pub.root), "calculada", short(root[:]))
		}
	}
}

// checkpoint checks a publication's signed note (c2sp.org/tlog-checkpoint).
func (p *ledgerPass) checkpoint(pub published) {
	note, ok := parseNote(pub.checkpoint)
	if !ok {
		p.public.find("verify.checkpoint.form", pub.name())
		return
	}
	if note.size != pub.size || !bytes.Equal(note.root, pub.root) {
		p.public.find("verify.checkpoint.head", pub.name(), "tamanho", text(note.size), "esperado", text(pub.size))
	}
	switch {
	case len(p.opts.Key) != ed25519.PublicKeySize:
		p.public.Skipped++
	case !note.signedBy(p.opts.Key):
		p.public.find("verify.checkpoint.signature", pub.name())
	}
}

// note is a checkpoint taken apart.
type note struct {
	text       string // what is signed, with its last newline
	origin     string
	size       int64
	root       []byte
	signatures []noteSignature
}

type noteSignature struct {
	name string
	data []byte // four bytes of key hash, then the signature
}

// parseNote reads a signed note: text, an empty line, lines "— name base64".
func parseNote(s string) (n note, ok bool) {
	body, tail, found := strings.Cut(s, "\n\n")
	lines := strings.Split(body, "\n")
	if !found || len(lines) < 3 || slices.Contains(lines, "") || !strings.HasSuffix(tail, "\n") {
		return n, false
	}
	n.text, n.origin = body+"\n", lines[0]
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || text(size) != lines[1] {
		return n, false
	}
	n.size = size
	if n.root, err = base64.StdEncoding.Strict().DecodeString(lines[2]); err != nil || len(n.root) != sha256.Size {
		return n, false
	}
	for line := range strings.Lines(tail) {
		name, value, found := strings.Cut(strings.TrimPrefix(line, "— "), " ")
		data, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(value, "\n"))
		if !found || !strings.HasPrefix(line, "— ") || err != nil || len(data) < 5 {
			return n, false
		}
		n.signatures = append(n.signatures, noteSignature{name: name, data: data})
	}
	return n, len(n.signatures) > 0
}

// signedBy tells whether the log itself, under its origin, signed with key.
// The key's hash is SHA-256(name "\n" 0x01 key), cut to four bytes (c2sp.org/signed-note).
func (n *note) signedBy(key ed25519.PublicKey) bool {
	sum := sha256.Sum256(append([]byte(n.origin+"\n\x01"), key...))
	for _, s := range n.signatures {
		if s.name == n.origin && bytes.Equal(s.data[:4], sum[:4]) && ed25519.Verify(key, []byte(n.text), s.data[4:]) {
			return true
		}
	}
	return false
}

// releases checks the numbered auxiliary-table releases of each body: without
// gap, signed by the registry, and saying themselves what their row says.
func (r *run) releases() error {
	c := r.check("releases")
	lastBody, last := "", int64(0)
	return r.each(func(row *store.Rows) error {
		var body, signed string
		var number int64
		if err := row.Scan(&body, &number, &signed); err != nil {
			return err
		}
		c.Checked++
		if body != lastBody {
			lastBody, last = body, 0
		}
		name := "tabelas " + body + "/" + text(number)
		if number != last+1 {
			c.find("verify.release.gap", name, "esperada", text(last+1))
		}
		last = number
		jws, ok := parseJWS(signed)
		var said struct {
			Number int64  `json:"numero"`
			Body   string `json:"organismo"`
		}
		if !ok || jws.typ != "selo-tabelas" || json.Unmarshal(jws.payload, &said) != nil || said.Number != number || said.Body != body {
			c.find("verify.release.form", name)
			return nil
		}
		switch {
		case len(r.opts.Key) != ed25519.PublicKeySize:
			c.Skipped++
		case !jws.signedBy(r.opts.Key):
			c.find("verify.release.signature", name)
		}
		return nil
	}, `SELECT body, number, signed FROM aux_release ORDER BY body, number`)
}

// jws is a compact JWS taken apart (RFC 7515).
type jws struct {
	typ       string
	payload   []byte
	signed    string // header "." payload, as sent
	signature []byte
}

// parseJWS reads a compact JWS made with EdDSA (RFC 8037); ok=false otherwise.
func parseJWS(compact string) (j jws, ok bool) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return j, false
	}
	var decoded [3][]byte
	for i, part := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return j, false
		}
	}
	var header struct {
		Algorithm string          `json:"alg"`
		Type      string          `json:"typ"`
		Critical  json.RawMessage `json:"crit"`
	}
	if json.Unmarshal(decoded[0], &header) != nil || header.Algorithm != "EdDSA" || header.Critical != nil {
		return j, false
	}
	return jws{typ: header.Type, payload: decoded[1], signed: parts[0] + "." + parts[1], signature: decoded[2]}, true
}

// signedBy tells whether the owner of key made the signature.
func (j *jws) signedBy(key ed25519.PublicKey) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, []byte(j.signed), j.signature)
}
