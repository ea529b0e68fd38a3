package catalog

import (
	"encoding/json"
	"fmt"

	"selo/certificate"
)

// expire marks certificates whose validity ended since the previous
// publication: the index separates them from the active ones. Should a
// publication carry an earlier day than before, it unmarks.
func (u *updater) expire() error {
	var flip []int64
	err := eachRow(u.ctx, u, tableCertificate, "WHERE situacao = 1 AND validade > 0 AND expirado <> (validade < ?)", func(row []any) error {
		flip = append(flip, number(row[0]))
		return nil
	}, u.r.today)
	if err != nil {
		return err
	}
	for _, id := range flip {
		u.dirty[id] = true
	}
	return nil
}

// reindex makes the index row of a certificate again, out of its rows, and with
// it the two columns that follow from companies and date.
func (u *updater) reindex(id int64) error {
	rows, err := u.take(tableCertificate, "WHERE id = ?", id)
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fmt.Errorf("index certificate %d: no row", id)
	}
	row := readCertificateRow(rows[0])
	t := &u.r.text
	t.reset()
	sheet, err := u.storedSheet(id)
	if err != nil {
		return err
	}
	if row.applicant, err = u.indexParties(id); err != nil {
		return err
	}
	if err := u.indexProducts(id); err != nil {
		return err
	}
	row.expired = row.isExpired(u.r.today)
	row.facets = string(t.facet.text)
	u.sum.add(rowSum(tableCertificate, row.fields()))
	if err := u.exec("UPDATE certificado SET solicitante = ?, expirado = ?, facetas = ? WHERE id = ?", row.applicant, row.expired, row.facets, id); err != nil {
		return err
	}
	t.sheet(sheet)
	t.filters(row)
	if err := u.exec("DELETE FROM busca WHERE rowid = ?", id); err != nil {
		return err
	}
	return u.put(tableIndex, t.row(id))
}

func readCertificateRow(r []any) *certificateRow {
	return &certificateRow{id: number(r[0]), body: text(r[1]), number: text(r[2]), situation: number(r[4]), expired: number(r[5]),
		issued: number(r[6]), valid: number(r[7]), kind: text(r[8]), class: text(r[9]), reason: text(r[10]),
		applicant: text(r[11]), products: number(r[12])}
}

func (u *updater) storedSheet(id int64) (*Sheet, error) {
	var data string
	if err := u.one("SELECT dados FROM ficha WHERE id = ?", []any{id}, &data); err != nil {
		return nil, fmt.Errorf("read sheet %d: %w", id, err)
	}
	var s Sheet
	if err := json.Unmarshal([]byte(data), &s); err != nil {
		return nil, fmt.Errorf("read sheet %d: %w", id, err)
	}
	return &s, nil
}

func (u *updater) indexParties(id int64) (string, error) {
	rows, err := u.QueryContext(u.ctx, `SELECT p.papel, e.id, e.dados FROM participante p JOIN empresa e ON e.id = p.empresa
		WHERE p.certificado = ? AND p.situacao = 1 ORDER BY p.seq`, id)
	if err != nil {
		return "", fmt.Errorf("read parties of %d: %w", id, err)
	}
	defer rows.Close()
	var p partyNames
	for rows.Next() {
		var role, data string
		var company int64
		if err := rows.Scan(&role, &company, &data); err != nil {
			return "", fmt.Errorf("read parties of %d: %w", id, err)
		}
		var view CompanyView
		if err := json.Unmarshal([]byte(data), &view); err != nil {
			return "", fmt.Errorf("read company %d: %w", company, err)
		}
		ref := view.ref(company)
		p.add(ref.name, certificate.RoleCode(role))
		u.r.text.company(ref, certificate.RoleCode(role))
	}
	if err := rows.Err(); err != nil {
		return "", fmt.Errorf("read parties of %d: %w", id, err)
	}
	return p.applicant(), nil
}

func (u *updater) indexProducts(id int64) error {
	rows, err := u.QueryContext(u.ctx, `SELECT p.marca, p.modelo, p.designacao, p.familia, p.descricao, p.importado,
		v.lote, v.serie, v.licenca FROM vinculo v JOIN produto p ON p.id = v.produto
		WHERE v.certificado = ? AND v.situacao = 1 ORDER BY v.seq`, id)
	if err != nil {
		return fmt.Errorf("read products of %d: %w", id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var brand, model, commercial, family, description, lot, serial, licence string
		var imported int64
		if err := rows.Scan(&brand, &model, &commercial, &family, &description, &imported, &lot, &serial, &licence); err != nil {
			return fmt.Errorf("read products of %d: %w", id, err)
		}
		p := productRef{mark: markOrigin(imported != 0), details: detailWords(description)}
		p.brand, p.model = productWords(brand, model, commercial, family)
		u.r.text.product(p)
		u.r.text.link(lot, serial, licence)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read products of %d: %w", id, err)
	}
	return nil
}

// company and product make the updater a resolver: what this update replaced is
// already in its place.
func (u *updater) company(body certificate.Sigla, id certificate.ID) (companyRef, error) {
	var index int64
	var data string
	err := u.one("SELECT id, dados FROM empresa WHERE uuid = ? AND organismo = ?", []any{idBytes(id), string(body)}, &index, &data)
	if err != nil {
		return companyRef{}, fmt.Errorf("find company %s: %w", id, err)
	}
	var view CompanyView
	if err := json.Unmarshal([]byte(data), &view); err != nil {
		return companyRef{}, fmt.Errorf("read company %d: %w", index, err)
	}
	return view.ref(index), nil
}

func (u *updater) product(body certificate.Sigla, id certificate.ID) (productRef, error) {
	var p productRef
	var brand, model, commercial, family, description, gtins string
	var imported int64
	err := u.one("SELECT id, marca, modelo, importado, designacao, familia, descricao, gtins FROM produto WHERE uuid = ? AND organismo = ?",
		[]any{idBytes(id), string(body)}, &p.id, &brand, &model, &imported, &commercial, &family, &description, &gtins)
	if err != nil {
		return productRef{}, fmt.Errorf("find product %s: %w", id, err)
	}
	p.brand, p.model = productWords(brand, model, commercial, family)
	p.details, p.mark = detailWords(description), markOrigin(imported != 0)
	p.shown = shownProduct(brand, model, imported != 0, commercial, family, description, gtins)
	return p, nil
}
