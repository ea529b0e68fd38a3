package web

import (
	"net/http"
	"strings"

	"selo/account"
	"selo/fault"
	"selo/govbr"
	"selo/locale"

	"github.com/a-h/templ"
)

// The addresses of a person's own pages, of Portuguese.
const (
	accountPath    = "/minha-conta"
	photoPath      = accountPath + "/foto"
	sessionsPath   = accountPath + "/sessoes"
	privacyPath    = accountPath + "/privacidade"
	consentPath    = privacyPath + "/consentimento"
	correctionPath = privacyPath + "/correcao"
	exportPath     = accountPath + "/dados.json"
)

// factView is one line of a person's data: what holds, and what gov.br says
// where the person has said otherwise.
type factView struct {
	field  account.Field
	own    *account.Fact
	govbr  *account.Fact
	untold bool // nobody says anything
}

// accountView is the page of a person's own data.
type accountView struct {
	person *account.Person
	facts  []factView
	photo  bool
	stepUp string // where the level is raised; empty: nowhere, or no need
}

func (s *Server) getAccount(r *Request) (Answer, error) {
	v := accountView{person: r.Person, facts: personFacts(r.Person)}
	ctx := r.HTTP.Context()
	err := s.deps.Accounts.Read(ctx, func(tx account.Tx) (err error) {
		_, v.photo, err = tx.FindPhoto(ctx, r.Person.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if s.deps.GovBR != nil && !r.Person.Level.AtLeast(account.Gold) {
		higher := govbr.AnyOf(govbr.Silver, govbr.Gold)
		if r.Person.Level == account.Silver {
			higher = govbr.AllOf(govbr.Gold) // asked for what there is, gov.br would send the person straight back
		}
		v.stepUp = s.deps.GovBR.StepUpURL(higher)
	}
	if v.stepUp != "" {
		return withCookies{Page{View: v}, []*http.Cookie{s.leaving(r)}}, nil
	}
	return Page{View: v}, nil
}

func personFacts(p *account.Person) []factView {
	var list []factView
	for _, f := range account.Fields() {
		v := factView{field: f}
		if own, ok := p.Own[f]; ok {
			v.own = &own
		}
		if said, ok := p.GovBR[f]; ok {
			v.govbr = &said
		}
		v.untold = v.own == nil && v.govbr == nil
		list = append(list, v)
	}
	return list
}

// Head implements [View].
func (v accountView) Head(r *Request) Head {
	return Head{Title: r.Text("web.account.title"), NoIndex: true}
}

// Body implements [View].
func (v accountView) Body(r *Request) templ.Component { return accountBody(r, v) }

// seloName is what a selo of gov.br means; the list is open.
func (r *Request) seloName(number string) string {
	if key := "web.selo." + number; locale.Known(key) {
		return r.Text(key)
	}
	return r.Text("web.account.selo.other", "numero", number)
}

// roleName is gov.br's word for what a person is to a company; the list is open.
func (r *Request) roleName(c account.Company) string {
	if key := "web.account.role." + strings.ToLower(c.Role); c.Role != "" && locale.Known(key) {
		return r.Text(key)
	}
	if c.Role == "" {
		return r.Text("web.account.role.untold." + string(c.How))
	}
	return c.Role
}

// getPhoto serves the person's own photo. Fault: NotFound "web.not_found".
func (s *Server) getPhoto(r *Request) (Answer, error) {
	ctx := r.HTTP.Context()
	var photo account.Photo
	err := s.deps.Accounts.Read(ctx, func(tx account.Tx) error {
		p, ok, err := tx.FindPhoto(ctx, r.Person.ID)
		if err == nil && !ok {
			err = fault.New(fault.NotFound, "web.not_found")
		}
		photo = p
		return err
	})
	if err != nil {
		return nil, err
	}
	return Content{Type: photo.Type, Body: photo.Data, Headers: http.Header{"Content-Disposition": {"inline"}}}, nil
}
