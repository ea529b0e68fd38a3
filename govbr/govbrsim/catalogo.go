package govbrsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"selo/fault"
)

// wanted is what the catálogo asks for: every group needs one of its levels.
type wanted [][]Level

// parseWanted reads the grammar of niveis (Login Único manual): "2,3" are all needed, "(2/3)"
// any one of them. Fault: Invalid "govbrsim.catalogue.levels".
func parseWanted(expression string) (wanted, error) {
	refuse := func() (wanted, error) {
		return nil, fault.New(fault.Invalid, "govbrsim.catalogue.levels", "valor", cut(expression))
	}
	if expression == "" {
		return nil, nil
	}
	if len(expression) > 100 {
		return refuse()
	}
	var all wanted
	for part := range strings.SplitSeq(expression, ",") {
		inner := strings.TrimSpace(part)
		if strings.HasPrefix(inner, "(") != strings.HasSuffix(inner, ")") {
			return refuse()
		}
		inner = strings.TrimSuffix(strings.TrimPrefix(inner, "("), ")")
		var group []Level
		for id := range strings.FieldsFuncSeq(inner, func(r rune) bool { return r == '/' || r == '\\' }) {
			i := slices.IndexFunc(levels, func(row levelRow) bool { return row.id == strings.TrimSpace(id) })
			if i < 0 {
				return refuse()
			}
			group = append(group, levels[i].level)
		}
		if len(group) == 0 {
			return refuse()
		}
		all = append(all, group)
	}
	return all, nil
}

// missing is the lowest level that would satisfy what is wanted, or "" when
// have does already: a higher level counts as the lower ones.
func (all wanted) missing(have Level) Level {
	var need Level
	for _, group := range all {
		lowest := group[0]
		for _, l := range group {
			if l.rank() < lowest.rank() {
				lowest = l
			}
		}
		if lowest.rank() > have.rank() && lowest.rank() > need.rank() {
			need = lowest
		}
	}
	return need
}

// getCatalogue is the catálogo de confiabilidades (Login Único manual). A person whose level
// is enough goes straight back to the client; others can raise it first.
func (s *Server) getCatalogue(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	if x.Request.Method == http.MethodPost && len(q) == 0 {
		if q, err = x.form(); err != nil {
			return nil, err
		}
	}
	if x.Request.Method == http.MethodPost { // the browser keeps its cookies back from another site's form
		return Redirect{To: "/sim/confiabilidades/?" + q.Encode()}, nil
	}
	all, err := parseWanted(q.Get("niveis"))
	x.guard = Screen // what goes wrong is for people
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	view := catalogueView{Query: url.Values{"niveis": q["niveis"], "client_id": q["client_id"], "redirect_uri": q["redirect_uri"]}.Encode()}
	back := q.Get("redirect_uri")
	if q.Has("client_id") || back != "" {
		client := w.clients[q.Get("client_id")]
		if client == nil {
			return x.errorPage(errorView{Code: "invalid_client", Text: "O sistema que pediu o nível não é conhecido."}), nil
		}
		if !slices.Contains(client.Redirects, back) {
			return x.errorPage(errorView{Code: "invalid_grant", Text: "O endereço de retorno não está cadastrado para este sistema."}), nil
		}
		view.Service = client.Name
	}
	found := x.session()
	if found == nil {
		return s.signInAt(x, "/sim/confiabilidades/?"+view.Query), nil
	}
	p := w.people[found.cpf]
	view.Missing = all.missing(p.EffectiveLevel())
	if view.Missing == "" && back != "" && len(all) > 0 {
		return Redirect{To: back, Status: http.StatusFound}, nil
	}
	view.Level, view.Name, view.Has = p.EffectiveLevel(), p.displayName(), selosOf(p)
	view.Offers = offersFor(p)
	return Page{View: view, Client: back != ""}, nil
}

// offersFor are the selos that the person does not have.
func offersFor(p *Person) []seloKind {
	var list []seloKind
	for _, k := range seloKinds {
		if k.id != "301" && !slices.ContainsFunc(p.Selos, func(s Selo) bool { return s.ID == k.id }) {
			list = append(list, k)
		}
	}
	return list
}

func selosOf(p *Person) []seloKind {
	list := make([]seloKind, len(p.Selos))
	for i, s := range p.Selos {
		list[i] = seloKindOf(s.ID)
	}
	return list
}

// postCatalogue gives the signed-in person one selo, as if bank or biometry had
// said yes, and shows the catálogo again, which goes back to the client when
// that is enough. Fault: Invalid "govbrsim.selo.unknown".
func (s *Server) postCatalogue(x *Exchange) (Answer, error) {
	form, err := x.form()
	if err != nil {
		return nil, err
	}
	id := form.Get("selo")
	if !slices.ContainsFunc(seloKinds, func(k seloKind) bool { return k.id == id }) {
		return nil, fault.New(fault.Invalid, "govbrsim.selo.unknown", "valor", cut(id))
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	found := x.session()
	if found == nil {
		return nil, fault.New(fault.NotFound, "govbrsim.login.gone")
	}
	// A level that was fixed gives way to the one that the selos make.
	if err := w.changePerson(found.cpf, func(p *Person) { p.Level = ""; p.addSelo(id, w.now()) }); err != nil {
		return nil, err
	}
	rest, err := url.ParseQuery(form.Get("pedido"))
	if err != nil || len(form.Get("pedido")) > maxURL*2 {
		rest = url.Values{}
	}
	return Redirect{To: "/sim/confiabilidades/?" + rest.Encode()}, nil
}
