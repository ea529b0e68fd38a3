package govbrsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"selo/brasil"
	"selo/fault"
)

func (s *Server) getPeoplePage(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	v := peoplePageView{People: sorted(w.people), Notice: editNotices[q.Get("feito")]}
	if v.More = max(len(v.People)-maxListed, 0); v.More > 0 {
		v.People = v.People[:maxListed]
	}
	return Page{View: v}, nil
}

// personView is the page of a person; nil is a new one.
func personView(p *Person) recordView {
	v := recordView{Heading: "Nova pessoa", Action: "/sim/pessoas/nova", List: "/sim/pessoas", ListName: "Pessoas"}
	if p == nil {
		v.Rows = rowsOf(&Person{Password: "simulado", Selos: []Selo{{ID: "201"}}, Drawn: true}, personFields(true))
		for i := range v.Rows {
			if v.Rows[i].Name == "selos" {
				v.Rows[i].Values = []string{"201"}
			}
		}
		return v
	}
	v.Heading, v.Key = p.displayName(), p.CPF.Masked()
	v.Action = "/sim/pessoas/" + string(p.CPF)
	v.Rows, v.Switches, v.Exists = rowsOf(p, personFields(false)), rowsOf(p.Switches, switchFields()), true
	return v
}

// pathPerson is the person of the address; nil on the page of a new one. Fault:
// NotFound "govbrsim.person.none". The caller locks.
func (x *Exchange) pathPerson() (*Person, error) {
	cpf := x.Request.PathValue("cpf")
	if cpf == "" {
		return nil, nil //nolint:nilnil // the page of a new person
	}
	return x.World.person(brasil.CPF(cpf))
}

func (s *Server) getPersonPage(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	p, err := x.pathPerson()
	if err != nil {
		return nil, err
	}
	v := personView(p)
	v.Notice = editNotices[q.Get("feito")]
	return Page{View: v}, nil
}

// postPersonPage makes or changes a person.
func (s *Server) postPersonPage(x *Exchange) (Answer, error) {
	return x.edit(func(form url.Values, w *World) (Answer, error) {
		p, err := x.pathPerson()
		if err != nil {
			return nil, err
		}
		v := personView(p)
		rows, values := readRows(form, personFields(p == nil), true)
		v.Rows = rows
		made := &Person{}
		if p != nil {
			made = p.clone()
		}
		selos, wrong := readSelos(rows, made.Selos, w.now())
		delete(values, "selos")
		made.Selos, made.Born = nil, brasil.Date{}
		err = decodeValues(values, made)
		made.Selos = selos
		if err == nil && wrong == "" && !anyWrong(rows) {
			if p == nil {
				err = w.newPerson(made)
			} else {
				err = w.putPerson(made)
			}
			if err == nil {
				return Redirect{To: "/sim/pessoas/" + string(made.CPF) + "?feito=salvo"}, nil
			}
		}
		if err != nil {
			if v.Wrong, err = blame(v.Rows, err); err != nil {
				return nil, err
			}
		}
		v.Wrong = strings.TrimSpace(v.Wrong + " " + wrong)
		return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
	})
}

// newPerson keeps a person whose CPF nobody has. Fault: Conflict
// "govbrsim.person.taken". The caller locks.
func (w *World) newPerson(p *Person) error {
	if err := p.check(); err != nil {
		return err
	}
	if w.people[p.CPF] != nil {
		return fault.New(fault.Conflict, "govbrsim.person.taken", "cpf", string(p.CPF))
	}
	return w.putPerson(p)
}

// readSelos reads the lines of selos: an id, and when it was given. Without a
// time it is that of before, or now.
func readSelos(rows []recordRow, before []Selo, now time.Time) (list []Selo, wrong string) {
	list = []Selo{}
	i := slices.IndexFunc(rows, func(r recordRow) bool { return r.Name == "selos" })
	for _, line := range rows[i].Values {
		id, at, _ := strings.Cut(line, " ")
		s := Selo{ID: id, UpdatedAt: now}
		for _, old := range before {
			if old.ID == id {
				s.UpdatedAt = old.UpdatedAt
			}
		}
		if at = strings.TrimSpace(at); at != "" {
			t, err := time.Parse(time.RFC3339, at)
			if err != nil {
				rows[i].Wrong = "Data que não se lê: " + cut(at) + ". Escreva como 2025-07-02T17:17:16Z."
				return list, ""
			}
			s.UpdatedAt = t
		}
		list = append(list, s)
	}
	return list, ""
}

func (s *Server) postPersonSwitches(x *Exchange) (Answer, error) {
	return x.edit(func(form url.Values, w *World) (Answer, error) {
		p, err := x.pathPerson()
		if err != nil {
			return nil, err
		}
		in, rows := readSwitches(form)
		if rows != nil {
			v := personView(p)
			v.Switches = rows
			return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
		}
		return Redirect{To: "/sim/pessoas/" + string(p.CPF) + "?feito=interruptores"}, w.changePerson(p.CPF, func(p *Person) { p.Switches = in })
	})
}

func (s *Server) postPersonGone(x *Exchange) (Answer, error) {
	return x.edit(func(_ url.Values, w *World) (Answer, error) {
		p, err := x.pathPerson()
		if err != nil {
			return nil, err
		}
		w.removePerson(p.CPF)
		return Redirect{To: "/sim/pessoas?feito=excluido"}, nil
	})
}
