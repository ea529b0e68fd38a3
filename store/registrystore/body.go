package registrystore

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
	"selo/registry"
	"selo/remessa"
	"selo/store"
)

const bodyColumns = `sigla, name, email, accreditation, sign_key, agree_key, active, enrolled_at, sequence, digest`

// Body implements registry.Tx.
func (tx *Tx) Body(ctx context.Context, sigla certificate.Sigla) (registry.Body, error) {
	return tx.body(ctx, sigla, "")
}

// LockBody implements registry.Tx.
func (tx *Tx) LockBody(ctx context.Context, sigla certificate.Sigla) (registry.Body, error) {
	return tx.body(ctx, sigla, tx.lock())
}

func (tx *Tx) body(ctx context.Context, sigla certificate.Sigla, lock string) (registry.Body, error) {
	if strings.ContainsRune(string(sigla), 0) || !utf8.ValidString(string(sigla)) {
		// PostgreSQL refuses the question itself; anybody may ask it.
		return registry.Body{}, fault.New(fault.NotFound, "body.unknown", "organismo", "")
	}
	row := tx.QueryRow(ctx, `SELECT `+bodyColumns+` FROM body WHERE sigla = ?`+lock, string(sigla))
	b, err := scanBody(row)
	if errors.Is(err, sql.ErrNoRows) {
		return b, fault.New(fault.NotFound, "body.unknown", "organismo", fmt.Sprintf("%.8s", sigla))
	}
	if err != nil {
		return b, fmt.Errorf("read body %s: %w", sigla, err)
	}
	return b, nil
}

type scanner interface{ Scan(dest ...any) error }

func scanBody(row scanner) (registry.Body, error) {
	var b registry.Body
	var sign, agree, digest []byte
	err := row.Scan(&b.Sigla, &b.Name, &b.Email, &b.Accreditation, &sign, &agree, &b.Active,
		store.ScanTime(&b.EnrolledAt), &b.Sequence, &digest)
	if err != nil {
		return b, err
	}
	b.Keys.Sign = sign
	b.Keys.Agree, err = ecdh.X25519().NewPublicKey(agree)
	copy(b.Digest[:], digest)
	return b, err
}

// ListBodies implements registry.Tx.
func (tx *Tx) ListBodies(ctx context.Context) ([]registry.Body, error) {
	rows, err := tx.Query(ctx, `SELECT `+bodyColumns+` FROM body ORDER BY sigla`)
	return collect(rows, err, "list bodies", scanBody)
}

// collect reads all rows of a query.
func collect[T any](rows *store.Rows, err error, what string, scan func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer func() { _ = rows.Close() }() // Err below tells
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return list, nil
}

// PutBody implements registry.Tx.
func (tx *Tx) PutBody(ctx context.Context, b registry.Body) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO body (`+bodyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (sigla) DO UPDATE SET name = excluded.name, email = excluded.email,
			accreditation = excluded.accreditation, sign_key = excluded.sign_key, agree_key = excluded.agree_key,
			active = excluded.active, sequence = excluded.sequence, digest = excluded.digest`,
		string(b.Sigla), b.Name, b.Email, b.Accreditation, []byte(b.Keys.Sign), b.Keys.Agree.Bytes(),
		boolean(b.Active), b.EnrolledAt, b.Sequence, b.Digest[:])
	if err != nil {
		return fmt.Errorf("put body %s: %w", b.Sigla, err)
	}
	return nil
}

// PutReference implements registry.Tx.
func (tx *Tx) PutReference(ctx context.Context, r registry.ReferenceRow) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO reference (kind, code, content) VALUES (?, ?, ?)
		ON CONFLICT (kind, code) DO UPDATE SET content = excluded.content`, string(r.Kind), r.Code, string(r.Content))
	if err != nil {
		return fmt.Errorf("put reference %s %s: %w", r.Kind, r.Code, err)
	}
	return nil
}

// ListReference implements registry.Tx.
func (tx *Tx) ListReference(ctx context.Context) ([]registry.ReferenceRow, error) {
	rows, err := tx.Query(ctx, `SELECT kind, code, content FROM reference ORDER BY kind, code`)
	return collect(rows, err, "list reference", func(row scanner) (r registry.ReferenceRow, err error) {
		return r, row.Scan(&r.Kind, &r.Code, &r.Content)
	})
}

// PutScope implements registry.Tx.
func (tx *Tx) PutScope(ctx context.Context, s registry.Scope) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO scope (body, class, service_class, since, until) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (body, class, service_class, since) DO UPDATE SET until = excluded.until`,
		string(s.Body), string(s.Class), string(s.ServiceClass), s.Period.From.String(), s.Period.To.String())
	if err != nil {
		return fmt.Errorf("put scope of %s: %w", s.Body, err)
	}
	return nil
}

// ListScopes implements registry.Tx.
func (tx *Tx) ListScopes(ctx context.Context, sigla certificate.Sigla) ([]registry.Scope, error) {
	rows, err := tx.Query(ctx, `
		SELECT body, class, service_class, since, until FROM scope
		WHERE body = ? ORDER BY class, service_class, since`, string(sigla))
	return collect(rows, err, "list scopes", func(row scanner) (s registry.Scope, err error) {
		var since, until string
		if err = row.Scan(&s.Body, &s.Class, &s.ServiceClass, &since, &until); err != nil {
			return s, err
		}
		if s.Period.From, err = storedDate(since); err != nil {
			return s, err
		}
		s.Period.To, err = storedDate(until)
		return s, err
	})
}

func storedDate(s string) (brasil.Date, error) {
	if s == "" {
		return brasil.Date{}, nil
	}
	return brasil.ParseISODate(s)
}

// InsertRelease implements registry.Tx.
func (tx *Tx) InsertRelease(ctx context.Context, r registry.Release) error {
	_, err := tx.Exec(ctx, `INSERT INTO aux_release (body, number, at, signed) VALUES (?, ?, ?, ?)`,
		string(r.Body), r.Number, r.At, r.Signed)
	if err != nil {
		return fmt.Errorf("insert release %s %d: %w", r.Body, r.Number, err)
	}
	return nil
}

// FindRelease implements registry.Tx.
func (tx *Tx) FindRelease(ctx context.Context, sigla certificate.Sigla) (r registry.Release, ok bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT body, number, at, signed FROM aux_release WHERE body = ?
		ORDER BY number DESC LIMIT 1`, string(sigla)).Scan(&r.Body, &r.Number, store.ScanTime(&r.At), &r.Signed)
	return r, err == nil, absent(err, "find release of "+string(sigla))
}

// absent turns "no rows" into no error.
func absent(err error, what string) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// PinIdentity implements registry.Tx.
func (tx *Tx) PinIdentity(ctx context.Context, origin string, keys remessa.PublicKeys) error {
	if _, err := tx.Exec(ctx, `
		INSERT INTO identity (id, origin, sign_key, agree_key) VALUES (1, ?, ?, ?)
		ON CONFLICT (id) DO NOTHING`, origin, []byte(keys.Sign), keys.Agree.Bytes()); err != nil {
		return fmt.Errorf("pin identity: %w", err)
	}
	var known string
	var sign, agree []byte
	if err := tx.QueryRow(ctx, `SELECT origin, sign_key, agree_key FROM identity WHERE id = 1`).Scan(&known, &sign, &agree); err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	if known != origin || !bytes.Equal(sign, keys.Sign) || !bytes.Equal(agree, keys.Agree.Bytes()) {
		return fault.New(fault.Conflict, "registry.other_identity", "origem", known, "informada", origin)
	}
	return nil
}
