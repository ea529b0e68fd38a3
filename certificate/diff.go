package certificate

import (
	"strconv"
	"strings"

	"selo/brasil"
)

// Change is one field that differs between two states of a certificate.
type Change struct {
	Field string `json:"campo"` // "data_validade", "produtos[<id>].situacao"
	From  string `json:"de"`
	To    string `json:"para"`
}

// Diff lists what changed from prev to next, fields first, then the lists in
// the order in which they stand in the JSON.
//
// An element of a list is named by what it links to, not by its place:
// "documentos[<code>]", "empresas[<id>/<role>]", "produtos[<id>]",
// "servicos[<id>]", "servicos[<id>].documentos[<code>]". One that was added or
// removed is a single change whose To or From is its JSON. A company whose role
// was edited (FAQ 3.23 step 10) is the same element, named by its old role.
//
// It is empty when both hold the same, in whatever order the lists are. Lists
// must have no duplicates, as [Rules.Check] demands.
func Diff(prev, next *Certificate) []Change {
	d := differ{}
	d.field("classe", string(prev.Class), string(next.Class))
	d.date("data_emissao", prev.IssuedOn, next.IssuedOn)
	d.date("data_validade", prev.ValidUntil, next.ValidUntil)
	d.field("laboratorio", prev.Laboratory, next.Laboratory)
	d.field("modelo_certificacao", string(prev.Model), string(next.Model))
	d.field("numero", prev.Number, next.Number)
	d.field("numero_relatorio", prev.ReportNumber, next.ReportNumber)
	d.field("observacoes", prev.Remarks, next.Remarks)
	d.field("signatarios", prev.Signatories, next.Signatories)
	d.field("situacao", string(prev.Situation), string(next.Situation))
	d.field("tipo", string(prev.Type), string(next.Type))
	diffLinks(&d, "documentos", prev.Documents, next.Documents,
		matchDocuments(prev.Documents, next.Documents), documentName, (*differ).document)
	diffLinks(&d, "empresas", prev.Companies, next.Companies,
		matchCompanies(prev.Companies, next.Companies), companyName, (*differ).company)
	diffLinks(&d, "produtos", prev.Products, next.Products,
		matchProducts(prev.Products, next.Products), productName, (*differ).product)
	diffLinks(&d, "servicos", prev.Services, next.Services,
		matchServices(prev.Services, next.Services), serviceName, (*differ).service)
	return d.changes
}

// differ collects changes; prefix names the element that is being compared.
type differ struct {
	prefix  string
	changes []Change
}

func (d *differ) field(name, from, to string) {
	if from != to {
		d.changes = append(d.changes, Change{Field: d.prefix + name, From: from, To: to})
	}
}

func (d *differ) date(name string, from, to brasil.Date) {
	if from != to {
		d.field(name, dateText(from), dateText(to))
	}
}

func (d *differ) document(prev, next *DocumentLink) {
	d.date("data_entrada", prev.EnteredOn, next.EnteredOn)
	d.field("situacao", string(prev.Situation), string(next.Situation))
}

func (d *differ) company(prev, next *CompanyLink) {
	d.date("data_entrada", prev.EnteredOn, next.EnteredOn)
	d.field("papel", string(prev.Role), string(next.Role))
	d.field("situacao", string(prev.Situation), string(next.Situation))
}

func (d *differ) product(prev, next *ProductLink) {
	d.date("data_entrada", prev.EnteredOn, next.EnteredOn)
	d.field("empresa", string(prev.Company), string(next.Company))
	d.field("licenca_importacao", prev.ImportLicence, next.ImportLicence)
	d.field("lote", prev.Lot, next.Lot)
	d.field("modalidade", string(prev.Modality), string(next.Modality))
	d.field("numero_serie", prev.Serial, next.Serial)
	if prev.Quantity != next.Quantity {
		d.field("quantidade", strconv.FormatInt(prev.Quantity, 10), strconv.FormatInt(next.Quantity, 10))
	}
	d.field("situacao", string(prev.Situation), string(next.Situation))
}

func (d *differ) service(prev, next *ServiceLink) {
	d.field("classe", string(prev.Class), string(next.Class))
	d.date("data_entrada", prev.EnteredOn, next.EnteredOn)
	d.field("descricao", prev.Description, next.Description)
	diffLinks(d, "documentos", prev.Documents, next.Documents,
		matchDocuments(prev.Documents, next.Documents), documentName, (*differ).document)
	d.field("empresa", string(prev.Company), string(next.Company))
	d.field("situacao", string(prev.Situation), string(next.Situation))
}

// diffLinks compares the pairs of two lists, then names what was added and removed.
func diffLinks[L any](d *differ, list string, prev, next []L, m matching, name func(*L) string,
	compare func(*differ, *L, *L)) {
	outer := d.prefix
	for j := range next {
		if i := m.from[j]; i < 0 {
			d.field(list+"["+name(&next[j])+"]", "", jsonOf(&next[j]))
		} else if !sameLink(&prev[i], &next[j]) {
			d.prefix = outer + list + "[" + name(&prev[i]) + "]."
			compare(d, &prev[i], &next[j])
			d.prefix = outer
		}
	}
	for _, i := range m.removed {
		d.field(list+"["+name(&prev[i])+"]", jsonOf(&prev[i]), "")
	}
}

// sameLink tells cheaply that nothing changed; false means "compare".
func sameLink(a, b any) bool {
	switch a := a.(type) {
	case *DocumentLink:
		return *a == *b.(*DocumentLink)
	case *CompanyLink:
		return *a == *b.(*CompanyLink)
	case *ProductLink:
		return *a == *b.(*ProductLink)
	}
	return false
}

func documentName(l *DocumentLink) string { return string(l.Document) }
func companyName(l *CompanyLink) string   { return string(l.Company) + "/" + string(l.Role) }
func productName(l *ProductLink) string   { return string(l.Product) }
func serviceName(l *ServiceLink) string   { return string(l.ID) }

// jsonOf is an element's JSON; such a struct always has one.
func jsonOf(link any) string {
	b, err := Canonical(link)
	if err != nil {
		return ""
	}
	return string(b)
}

// dateText is the ISO form, empty for no date.
func dateText(d brasil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// matching pairs the elements of two states of a list.
type matching struct {
	from    []int // for each element of next its place in prev, or -1 when it is new
	removed []int // places in prev that no element of next stands for
}

func matchDocuments(prev, next []DocumentLink) matching {
	return match(prev, next, func(l *DocumentLink) DocumentCode { return l.Document })
}

func matchProducts(prev, next []ProductLink) matching {
	return match(prev, next, func(l *ProductLink) ID { return l.Product })
}

func matchServices(prev, next []ServiceLink) matching {
	return match(prev, next, func(l *ServiceLink) ID { return l.ID })
}

// matchCompanies pairs rows by company and role, and what is left over by
// company alone: the role of a row may be edited (FAQ 3.23 step 10), a company
// may not be taken out (FAQ 3.13).
func matchCompanies(prev, next []CompanyLink) matching {
	type row struct {
		company ID
		role    RoleCode
	}
	m := match(prev, next, func(l *CompanyLink) row { return row{l.Company, l.Role} })
	if len(m.removed) == 0 {
		return m
	}
	fresh := map[ID][]int{}
	for j, i := range m.from {
		if i < 0 {
			fresh[next[j].Company] = append(fresh[next[j].Company], j)
		}
	}
	var removed []int
	for _, i := range m.removed {
		company := prev[i].Company
		if rows := fresh[company]; len(rows) > 0 {
			m.from[rows[0]], fresh[company] = i, rows[1:]
		} else {
			removed = append(removed, i)
		}
	}
	m.removed = removed
	return m
}

// match pairs elements of one key. Lists mostly keep their order, so the same
// place is tried before the index, which is made only when that fails.
func match[L any, K comparable](prev, next []L, key func(*L) K) matching {
	m := matching{from: make([]int, len(next))}
	var index map[K]int
	used := make([]bool, len(prev))
	for j := range next {
		k := key(&next[j])
		if j < len(prev) && !used[j] && key(&prev[j]) == k {
			m.from[j], used[j] = j, true
			continue
		}
		if index == nil {
			index = make(map[K]int, len(prev))
			for i := range prev {
				index[key(&prev[i])] = i
			}
		}
		m.from[j] = -1
		if i, ok := index[k]; ok && !used[i] {
			m.from[j], used[i] = i, true
		}
	}
	for i, ok := range used {
		if !ok {
			m.removed = append(m.removed, i)
		}
	}
	return m
}

// parents yields the path and every path above it: "produtos[a].lote",
// "produtos[a]", "produtos". Identities may hold dots themselves; the extra
// cuts that makes are paths of nothing.
func parents(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for path != "" {
			if !yield(path) {
				return
			}
			cut := strings.LastIndexAny(path, ".[")
			if cut < 0 {
				return
			}
			path = path[:cut]
		}
	}
}
