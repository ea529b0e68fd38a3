package verify

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"selo/store"
)

// signer is what is known of a body's key.
type signer struct {
	key     ed25519.PublicKey
	changed int64 // microseconds since 1970: its enrolment was last replaced; 0 never
}

// bundlePass goes over the kept bundles.
type bundlePass struct {
	*run
	pieces  *Check
	bundles *Check
	lines   *Check
	signers map[string]signer
}

// bundles checks every kept bundle: that its pieces make one file of the
// declared size, that the file is the one its digest names, that the body
// signed it, that its content is what the manifest declares, and that what was
// applied of it is what it holds, in its order, and nothing was left out.
//
// A body's former keys are not kept: signatures made before its enrolment was
// replaced are counted as Skipped.
func (r *run) bundles() error {
	p := &bundlePass{run: r, pieces: r.check("pieces"), bundles: r.check("bundles"), lines: r.check("lines")}
	if err := p.loadSigners(); err != nil {
		return err
	}
	var page []delivered
	last := int64(-1)
	err := r.pages(200, `SELECT `+deliveredColumns+` FROM remessa m WHERE m.id > ? ORDER BY m.id LIMIT ?`,
		func() []any { return []any{last} },
		func(row *store.Rows) error {
			var d delivered
			if err := row.Scan(d.fields()...); err != nil {
				return err
			}
			last = d.id
			page = append(page, d)
			return nil
		},
		func() error {
			for i := range page {
				if err := p.bundle(&page[i]); err != nil {
					return err
				}
			}
			page = page[:0]
			return nil
		})
	if err != nil {
		return err
	}
	return r.each(func(row *store.Rows) error {
		var id, n int64
		if err := row.Scan(&id, &n); err != nil {
			return err
		}
		p.pieces.find("verify.piece.orphan", "remessa id "+text(id), "partes", text(n))
		return nil
	}, `SELECT q.remessa_id, COUNT(*) FROM remessa_piece q LEFT JOIN remessa m ON m.id = q.remessa_id
		WHERE m.id IS NULL GROUP BY q.remessa_id ORDER BY q.remessa_id`)
}

func (p *bundlePass) loadSigners() error {
	bodies, err := p.bodies()
	if err != nil {
		return err
	}
	p.signers = make(map[string]signer, len(bodies))
	for _, b := range bodies {
		changed, err := p.count(`SELECT COALESCE(MAX(at), 0) FROM audit_event WHERE subject = ? AND kind = 'body.changed'`, "organismo:"+b.sigla)
		if err != nil {
			return err
		}
		p.signers[b.sigla] = signer{key: b.signKey, changed: changed}
	}
	return nil
}

// bundle checks one kept bundle.
func (p *bundlePass) bundle(d *delivered) error {
	p.bundles.Checked++
	sound, err := p.checkPieces(d)
	if err != nil || !sound {
		return err
	}
	file := &pieceReader{run: p.run, d: d, loaded: -1}
	b, ok := openBundle(file, d.size)
	if file.err != nil {
		return file.err
	}
	if !ok {
		p.bundles.find("verify.bundle.form", d.name())
		return nil
	}
	p.checkManifest(d, b)
	p.checkSignature(d, b)
	l := &lineCheck{bundlePass: p, d: d, applied: applied{run: p.run, remessa: d.id}}
	sound, err = b.lines(l.line)
	if file.err != nil {
		return file.err
	}
	if err != nil {
		return err
	}
	if !sound || l.counts != b.manifest.counts() {
		p.bundles.find("verify.bundle.content", d.name())
	}
	return l.end()
}

// checkPieces checks that the pieces are numbered from 0 without gap and add up to the size.
func (p *bundlePass) checkPieces(d *delivered) (sound bool, err error) {
	var n, size int64
	sound = true
	err = p.each(func(row *store.Rows) error {
		var number, length int64
		if err := row.Scan(&number, &length); err != nil {
			return err
		}
		p.pieces.Checked++
		if number != n {
			sound = false
			p.pieces.find("verify.piece.gap", d.name(), "parte", text(number), "esperada", text(n))
		}
		n, size = number+1, size+length
		return nil
	}, `SELECT n, length(data) FROM remessa_piece WHERE remessa_id = ? ORDER BY n`, d.id)
	if err == nil && size != d.size {
		sound = false
		p.pieces.find("verify.piece.size", d.name(), "bytes", text(size), "esperados", text(d.size))
	}
	return sound, err
}

// checkManifest compares the manifest with the digest and the row.
func (p *bundlePass) checkManifest(d *delivered, b *bundleFile) {
	if sum := sha256.Sum256(b.raw); !bytes.Equal(sum[:], d.digest) {
		p.bundles.find("verify.bundle.digest", d.name(), "guardado", short(d.digest), "calculado", short(sum[:]))
	}
	m := &b.manifest
	if m.Body != d.body || m.Sequence != d.sequence || m.Scope != d.scope || m.Previous != hexOrNone(d.previous) ||
		m.counts() != d.counts || m.Format != 1 {
		p.bundles.find("verify.bundle.manifest", d.name())
	}
}

// hexOrNone is how JSON writes a hash: nothing for the zero one.
func hexOrNone(h []byte) string {
	if bytes.Equal(h, make([]byte, len(hash{}))) {
		return ""
	}
	return hex.EncodeToString(h)
}

func (p *bundlePass) checkSignature(d *delivered, b *bundleFile) {
	s := p.signers[d.body]
	jws, ok := parseJWS(b.signature)
	switch {
	case !ok || jws.typ != "selo-remessa" || !bytes.Equal(jws.payload, b.raw):
		p.bundles.find("verify.bundle.signature", d.name())
	case jws.signedBy(s.key):
	case s.changed >= d.received:
		p.bundles.Skipped++
	default:
		p.bundles.find("verify.bundle.signature", d.name())
	}
}

// pieceReader reads the pieces as one file. The base's errors stay in err,
// apart from what the zip reader makes of bad bytes.
type pieceReader struct {
	*run
	d      *delivered
	starts int64 // offset of the loaded piece
	loaded int64 // its number; -1 none
	data   []byte
	err    error
}

// ReadAt implements io.ReaderAt. Pieces may be of any size; going back starts again.
func (f *pieceReader) ReadAt(buf []byte, at int64) (int, error) {
	read := 0
	for read < len(buf) {
		if at >= f.d.size {
			return read, io.EOF
		}
		if err := f.load(at); err != nil {
			return read, err
		}
		n := copy(buf[read:], f.data[at-f.starts:])
		read, at = read+n, at+int64(n)
	}
	return read, nil
}

// load makes the piece that holds the byte at the loaded one.
func (f *pieceReader) load(at int64) error {
	if at < f.starts || f.loaded < 0 {
		// Look the place up instead of reading everything before it.
		var number, starts int64
		err := f.each(func(row *store.Rows) error {
			var n, size int64
			if err := row.Scan(&n, &size); err != nil {
				return err
			}
			if number = n; starts+size > at {
				return errEnough
			}
			starts += size
			return nil
		}, `SELECT n, length(data) FROM remessa_piece WHERE remessa_id = ? ORDER BY n`, f.d.id)
		if err != nil && !errors.Is(err, errEnough) {
			f.err = err
			return err
		}
		f.starts = starts
		return f.fetch(number)
	}
	for at >= f.starts+int64(len(f.data)) {
		f.starts += int64(len(f.data))
		if err := f.fetch(f.loaded + 1); err != nil {
			return err
		}
	}
	return nil
}

func (f *pieceReader) fetch(n int64) error {
	f.loaded = n
	f.err = f.tx.QueryRow(f.ctx, `SELECT data FROM remessa_piece WHERE remessa_id = ? AND n = ?`, f.d.id, n).Scan(&f.data)
	return f.err
}
