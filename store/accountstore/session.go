package accountstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"selo/account"
	"selo/fault"
	"selo/store"
)

const sessionColumns = `id, person_id, token_hash, state, created_at, signed_in_at, used_at, ended_at, agent, network, level, two_factor, cnpj`

func scanSession(row scanner) (account.Session, error) {
	var s account.Session
	var token []byte
	err := row.Scan(&s.ID, &s.Person, &token, &s.State, store.ScanTime(&s.CreatedAt), store.ScanTime(&s.SignedInAt), store.ScanTime(&s.UsedAt), store.ScanTime(&s.EndedAt),
		&s.Device.Agent, &s.Device.Network, &s.Level, &s.TwoFactor, &s.CNPJ)
	copy(s.Token[:], token)
	return s, err
}

// InsertSession implements account.Tx.
func (tx *Tx) InsertSession(ctx context.Context, s account.Session) error {
	_, err := tx.exec(ctx, "insert session", `INSERT INTO session (`+sessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(s.ID), string(s.Person), s.Token[:], string(s.State), s.CreatedAt, s.SignedInAt, s.UsedAt, s.EndedAt,
		s.Device.Agent, s.Device.Network, string(s.Level), boolean(s.TwoFactor), string(s.CNPJ))
	return err
}

// FindSession implements account.Tx.
func (tx *Tx) FindSession(ctx context.Context, token account.TokenHash) (account.Session, bool, error) {
	s, err := scanSession(tx.QueryRow(ctx, `SELECT `+sessionColumns+` FROM session WHERE token_hash = ?`, token[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return s, false, nil
	}
	if err != nil {
		return s, false, fmt.Errorf("find session: %w", err)
	}
	return s, true, nil
}

// ListSessions implements account.Tx.
func (tx *Tx) ListSessions(ctx context.Context, person account.ID, usedAfter time.Time) ([]account.Session, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+sessionColumns+` FROM session
		WHERE person_id = ? AND state = 'ativa' AND used_at > ? ORDER BY used_at DESC, id DESC`, string(person), usedAfter)
	return collect(rows, err, "list sessions", scanSession)
}

// RenewSession implements account.Tx.
func (tx *Tx) RenewSession(ctx context.Context, before account.TokenHash, s account.Session) error {
	n, err := tx.exec(ctx, "renew session", `
		UPDATE session SET token_hash = ?, signed_in_at = ?, used_at = ?, agent = ?, network = ?, level = ?, two_factor = ?, cnpj = ?
		WHERE id = ? AND person_id = ? AND token_hash = ? AND state = 'ativa'`,
		s.Token[:], s.SignedInAt, s.UsedAt, s.Device.Agent, s.Device.Network, string(s.Level), boolean(s.TwoFactor), string(s.CNPJ),
		string(s.ID), string(s.Person), before[:])
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "account.session.ended")
	}
	return err
}

// TouchSession implements account.Tx.
func (tx *Tx) TouchSession(ctx context.Context, id account.SessionID, at, usedAfter, signedInAfter time.Time) error {
	_, err := tx.exec(ctx, "touch session", `
		UPDATE session SET used_at = ?
		WHERE id = ? AND state = 'ativa' AND used_at < ? AND used_at > ? AND signed_in_at > ?`,
		at, string(id), at, usedAfter, signedInAfter)
	return err
}

// EndSession implements account.Tx.
func (tx *Tx) EndSession(ctx context.Context, person account.ID, id account.SessionID, from, to account.SessionState) (bool, error) {
	n, err := tx.exec(ctx, "end session", `
		UPDATE session SET state = ?, ended_at = ? WHERE id = ? AND person_id = ? AND state = ?`,
		string(to), tx.Now(), string(id), string(person), string(from))
	return n == 1, err
}

// DeleteSessions implements account.Tx.
func (tx *Tx) DeleteSessions(ctx context.Context, usedBefore time.Time) (int64, error) {
	return tx.exec(ctx, "delete sessions", `DELETE FROM session WHERE used_at < ?`, usedBefore)
}

// InsertPending implements account.Tx.
func (tx *Tx) InsertPending(ctx context.Context, p account.Pending) error {
	_, err := tx.exec(ctx, "insert sign-in", `
		INSERT INTO sign_in (state_hash, browser_hash, nonce, verifier, return_path, network, until) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		p.State[:], p.Browser[:], p.Nonce, p.Verifier, p.Return, p.Network, p.Until)
	return err
}

// TakePending implements account.Tx.
func (tx *Tx) TakePending(ctx context.Context, state, browser account.TokenHash) (account.Pending, bool, error) {
	p := account.Pending{State: state, Browser: browser}
	err := tx.QueryRow(ctx, `
		SELECT nonce, verifier, return_path, network, until FROM sign_in
		WHERE state_hash = ? AND browser_hash = ?`, state[:], browser[:]).
		Scan(&p.Nonce, &p.Verifier, &p.Return, &p.Network, store.ScanTime(&p.Until))
	if errors.Is(err, sql.ErrNoRows) {
		return account.Pending{}, false, nil
	}
	if err != nil {
		return account.Pending{}, false, fmt.Errorf("find sign-in: %w", err)
	}
	// Of two that have read it, one deletes it.
	n, err := tx.exec(ctx, "take sign-in", `DELETE FROM sign_in WHERE state_hash = ?`, state[:])
	if err != nil || n == 0 {
		return account.Pending{}, false, err
	}
	return p, true, nil
}

// HasPending implements account.Tx.
func (tx *Tx) HasPending(ctx context.Context, browser account.TokenHash, after time.Time) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM sign_in WHERE browser_hash = ? AND until > ?`, browser[:], after).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("find sign-in of browser: %w", err)
	}
	return n > 0, nil
}

// TrimPending implements account.Tx.
func (tx *Tx) TrimPending(ctx context.Context, network string, keep int) error {
	of, args := "", []any{keep}
	if network != "" {
		of, args = "WHERE network = ?", []any{network, keep}
	}
	// A thousand at a time: more is never over the bound unless the bound was lowered.
	_, err := tx.exec(ctx, "trim sign-ins", `
		DELETE FROM sign_in WHERE state_hash IN (
			SELECT state_hash FROM sign_in `+of+` ORDER BY until DESC LIMIT 1000 OFFSET ?)`, args...)
	return err
}

// DeletePending implements account.Tx.
func (tx *Tx) DeletePending(ctx context.Context, endedBefore time.Time) (int64, error) {
	return tx.exec(ctx, "delete sign-ins", `DELETE FROM sign_in WHERE until <= ?`, endedBefore)
}
