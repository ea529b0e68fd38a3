package accountstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"selo/account"
	"selo/brasil"
	"selo/fault"
	"selo/store"
)

const personColumns = `id, cpf, revision, level, level_at, created_at, signed_in_at`

func scanPerson(row scanner) (account.Person, error) {
	var p account.Person
	err := row.Scan(&p.ID, &p.CPF, &p.Revision, &p.Level, store.ScanTime(&p.LevelAt), store.ScanTime(&p.CreatedAt), store.ScanTime(&p.SignedInAt))
	return p, err
}

// OpenPerson implements account.Tx.
func (tx *Tx) OpenPerson(ctx context.Context, cpf brasil.CPF, id account.ID) (account.Person, bool, error) {
	// On PostgreSQL the insert waits for another one of the same CPF, and then does nothing.
	n, err := tx.exec(ctx, "open person", `
		INSERT INTO person (id, cpf, revision, level, created_at) VALUES (?, ?, 1, '', ?)
		ON CONFLICT (cpf) DO NOTHING`, string(id), string(cpf), tx.Now())
	if err != nil {
		return account.Person{}, false, err
	}
	p, err := tx.person(ctx, `cpf = ?`+tx.lock(), string(cpf))
	return p, n == 1, err
}

// Person implements account.Tx.
func (tx *Tx) Person(ctx context.Context, id account.ID) (account.Person, error) {
	return tx.person(ctx, `id = ?`, string(id))
}

// LockPerson implements account.Tx.
func (tx *Tx) LockPerson(ctx context.Context, id account.ID) (account.Person, error) {
	return tx.person(ctx, `id = ?`+tx.lock(), string(id))
}

// FindPersonByCPF implements account.Tx.
func (tx *Tx) FindPersonByCPF(ctx context.Context, cpf brasil.CPF) (account.Person, bool, error) {
	p, err := tx.person(ctx, `cpf = ?`, string(cpf))
	if fault.Is(err, fault.NotFound) {
		return p, false, nil
	}
	return p, err == nil, err
}

// person reads one person whole.
func (tx *Tx) person(ctx context.Context, where, value string) (account.Person, error) {
	p, err := scanPerson(tx.QueryRow(ctx, `SELECT `+personColumns+` FROM person WHERE `+where, value))
	if errors.Is(err, sql.ErrNoRows) {
		return p, fault.New(fault.NotFound, "account.unknown")
	}
	if err != nil {
		return p, fmt.Errorf("read person: %w", err)
	}
	if err := tx.facts(ctx, &p); err != nil {
		return p, err
	}
	rows, err := tx.Query(ctx, `SELECT number, at FROM person_selo WHERE person_id = ? ORDER BY number`, string(p.ID))
	p.Selos, err = collect(rows, err, "read selos", func(row scanner) (s account.Selo, err error) {
		return s, row.Scan(&s.Number, store.ScanTime(&s.At))
	})
	if err != nil {
		return p, err
	}
	rows, err = tx.Query(ctx, `
		SELECT cnpj, how, name, role, until, at FROM person_company
		WHERE person_id = ? ORDER BY position`, string(p.ID))
	p.Companies, err = collect(rows, err, "read companies", func(row scanner) (c account.Company, err error) {
		return c, row.Scan(&c.CNPJ, &c.How, &c.Name, &c.Role, store.ScanTime(&c.Until), store.ScanTime(&c.At))
	})
	return p, err
}

func (tx *Tx) facts(ctx context.Context, p *account.Person) error {
	p.GovBR, p.Own = account.Facts{}, account.Facts{}
	rows, err := tx.Query(ctx, `SELECT field, source, value, verified, at FROM person_fact WHERE person_id = ?`, string(p.ID))
	_, err = collect(rows, err, "read facts", func(row scanner) (account.Fact, error) {
		var field account.Field
		var source account.Source
		var f account.Fact
		if err := row.Scan(&field, &source, &f.Value, &f.Verified, store.ScanTime(&f.At)); err != nil {
			return f, err
		}
		if source == account.FromPerson {
			p.Own[field] = f
		} else {
			p.GovBR[field] = f
		}
		return f, nil
	})
	return err
}

// UpdatePerson implements account.Tx.
func (tx *Tx) UpdatePerson(ctx context.Context, p *account.Person) error {
	n, err := tx.exec(ctx, "update person", `
		UPDATE person SET revision = revision + 1, level = ?, level_at = ?, signed_in_at = ?
		WHERE id = ? AND revision = ?`, string(p.Level), p.LevelAt, p.SignedInAt, string(p.ID), p.Revision)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "account.changed")
	}
	p.Revision++
	for _, table := range []string{"person_fact", "person_selo", "person_company"} {
		if _, err := tx.exec(ctx, "clear "+table, `DELETE FROM `+table+` WHERE person_id = ?`, string(p.ID)); err != nil {
			return err
		}
	}
	for source, facts := range map[account.Source]account.Facts{account.FromGovBR: p.GovBR, account.FromPerson: p.Own} {
		for field, f := range facts {
			if _, err := tx.exec(ctx, "insert fact", `
				INSERT INTO person_fact (person_id, field, source, value, verified, at) VALUES (?, ?, ?, ?, ?, ?)`,
				string(p.ID), string(field), string(source), f.Value, boolean(f.Verified), f.At); err != nil {
				return err
			}
		}
	}
	for _, s := range p.Selos {
		if _, err := tx.exec(ctx, "insert selo", `INSERT INTO person_selo (person_id, number, at) VALUES (?, ?, ?)`,
			string(p.ID), s.Number, s.At); err != nil {
			return err
		}
	}
	for i, c := range p.Companies {
		if _, err := tx.exec(ctx, "insert company", `
			INSERT INTO person_company (person_id, cnpj, how, position, name, role, until, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			string(p.ID), string(c.CNPJ), string(c.How), i, c.Name, c.Role, c.Until, c.At); err != nil {
			return err
		}
	}
	return nil
}
