package accountstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"selo/account"
	"selo/fault"
	"selo/store"
)

// InsertConsent implements account.Tx.
func (tx *Tx) InsertConsent(ctx context.Context, person account.ID, c account.Consent) error {
	n, err := tx.exec(ctx, "insert consent", `
		INSERT INTO person_consent (person_id, what, text, given_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (person_id, what) WHERE withdrawn_at IS NULL DO NOTHING`,
		string(person), string(c.What), c.Text, c.GivenAt)
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "account.consent.given")
	}
	return err
}

// WithdrawConsent implements account.Tx.
func (tx *Tx) WithdrawConsent(ctx context.Context, person account.ID, what account.ConsentKind) (bool, error) {
	n, err := tx.exec(ctx, "withdraw consent", `
		UPDATE person_consent SET withdrawn_at = ? WHERE person_id = ? AND what = ? AND withdrawn_at IS NULL`,
		tx.Now(), string(person), string(what))
	return n == 1, err
}

// ListConsents implements account.Tx.
func (tx *Tx) ListConsents(ctx context.Context, person account.ID) ([]account.Consent, error) {
	rows, err := tx.Query(ctx, `
		SELECT what, text, given_at, withdrawn_at FROM person_consent
		WHERE person_id = ? ORDER BY id DESC`, string(person))
	return collect(rows, err, "list consents", func(row scanner) (c account.Consent, err error) {
		return c, row.Scan(&c.What, &c.Text, store.ScanTime(&c.GivenAt), store.ScanTime(&c.WithdrawnAt))
	})
}

// PutPhoto implements account.Tx.
func (tx *Tx) PutPhoto(ctx context.Context, person account.ID, p account.Photo) error {
	_, err := tx.exec(ctx, "put photo", `
		INSERT INTO person_photo (person_id, type, data, at) VALUES (?, ?, ?, ?)
		ON CONFLICT (person_id) DO UPDATE SET type = excluded.type, data = excluded.data, at = excluded.at`,
		string(person), p.Type, p.Data, p.At)
	return err
}

// FindPhoto implements account.Tx.
func (tx *Tx) FindPhoto(ctx context.Context, person account.ID) (account.Photo, bool, error) {
	var p account.Photo
	err := tx.QueryRow(ctx, `SELECT type, data, at FROM person_photo WHERE person_id = ?`, string(person)).
		Scan(&p.Type, &p.Data, store.ScanTime(&p.At))
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("find photo: %w", err)
	}
	return p, true, nil
}

// DeletePhoto implements account.Tx.
func (tx *Tx) DeletePhoto(ctx context.Context, person account.ID) error {
	_, err := tx.exec(ctx, "delete photo", `DELETE FROM person_photo WHERE person_id = ?`, string(person))
	return err
}

// InsertAccess implements account.Tx.
func (tx *Tx) InsertAccess(ctx context.Context, person account.ID, a account.Access) error {
	_, err := tx.exec(ctx, "insert access", `
		INSERT INTO person_access (person_id, at, actor, purpose, what) VALUES (?, ?, ?, ?, ?)`,
		string(person), a.At, a.Actor, a.Purpose, a.What)
	return err
}

// ListAccesses implements account.Tx.
func (tx *Tx) ListAccesses(ctx context.Context, person account.ID, limit int) ([]account.Access, error) {
	rows, err := tx.Query(ctx, `
		SELECT at, actor, purpose, what FROM person_access
		WHERE person_id = ? ORDER BY id DESC LIMIT ?`, string(person), limit)
	return collect(rows, err, "list accesses", func(row scanner) (a account.Access, err error) {
		return a, row.Scan(store.ScanTime(&a.At), &a.Actor, &a.Purpose, &a.What)
	})
}
