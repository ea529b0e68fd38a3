package catalog

import (
	"encoding/json"
	"fmt"

	"selo/certificate"
)

// makeReady makes the ready answer of a certificate again, out of its rows.
func (u *updater) makeReady(id int64) error {
	t := &u.r.ready
	var situation, valid int64
	var reason, data string
	err := u.one("SELECT c.situacao, c.validade, c.motivo, f.dados FROM certificado c JOIN ficha f ON f.id = c.id WHERE c.id = ?",
		[]any{id}, &situation, &valid, &reason, &data)
	if err != nil {
		return fmt.Errorf("read certificate %d: %w", id, err)
	}
	t.begin(situation, valid, reason)
	if err := u.readyParties(t, id); err != nil {
		return fmt.Errorf("read parties of %d: %w", id, err)
	}
	t.endParties()
	if err := u.readyProducts(t, id); err != nil {
		return fmt.Errorf("read products of %d: %w", id, err)
	}
	var s struct {
		ID certificate.ID `json:"id"`
	}
	if t.more { // only then the ID is needed
		if err := json.Unmarshal([]byte(data), &s); err != nil {
			return fmt.Errorf("read sheet %d: %w", id, err)
		}
	}
	return u.exec("UPDATE ficha SET pronto = ? WHERE id = ?", t.end(s.ID), id)
}

func (u *updater) readyParties(t *readyText, id int64) error {
	rows, err := u.QueryContext(u.ctx, "SELECT papel, entrada, empresa FROM participante WHERE certificado = ? AND situacao = 1 ORDER BY seq", id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var role certificate.RoleCode
		var entered, company int64
		if err := rows.Scan(&role, &entered, &company); err != nil {
			return err
		}
		t.party(role, u.r.names.role(role), entered, company)
	}
	return rows.Err()
}

func (u *updater) readyProducts(t *readyText, id int64) error {
	rows, err := u.QueryContext(u.ctx, `SELECT v.seq, p.marca, p.modelo, p.importado, p.designacao, p.familia, p.descricao, p.gtins,
		v.empresa, v.modalidade, v.lote, v.quantidade, v.serie, v.licenca, v.entrada
		FROM vinculo v CROSS JOIN produto p ON p.id = v.produto
		WHERE v.certificado = ? AND v.situacao = 1 ORDER BY v.seq LIMIT ?`, id, DefaultProducts+1)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var seq, imported int64
		var brand, model, commercial, family, description, gtins string
		var l linkText
		if err := rows.Scan(&seq, &brand, &model, &imported, &commercial, &family, &description, &gtins,
			&l.company, &l.modality, &l.lot, &l.quantity, &l.serial, &l.licence, &l.entered); err != nil {
			return err
		}
		t.product(seq, shownProduct(brand, model, imported != 0, commercial, family, description, gtins), l)
	}
	return rows.Err()
}
