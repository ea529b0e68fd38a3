package govbr

import (
	"reflect"
	"testing"
	"time"

	"selo/brasil"
	"selo/fault"
)

func TestCompanies(t *testing.T) {
	t.Parallel()
	const route = "GET /api/empresas/v2/empresas"
	f := newFake(t)
	f.on(route, answerJSON(200, golden(t, "empresas.json")))
	got, err := f.client().Companies(t.Context(), access())
	want := []CompanyLink{{"11222333000181", "Razao Social da Empresa", time.Date(2025, 5, 28, 19, 54, 53, 871e6, time.UTC)},
		{"12ABC34501DE35", "Empresa Nova Ltda", time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if _, _, q := f.last(); q.Get("filtrar-por-participante") != aCPF {
		t.Errorf("query %v", q)
	}
	f.on(route, answerJSON(200, `[]`))
	if got, err := f.client().Companies(t.Context(), access()); err != nil || got == nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
	f.on(route, answerJSON(200, `[{"cnpj":"11222333000180"}]`))
	_, err = f.client().Companies(t.Context(), access())
	wantFault(t, err, fault.Unavailable, "govbr.strange")
	without := access()
	without.Scopes = nil
	_, err = f.client().Companies(t.Context(), without)
	wantFault(t, err, fault.Forbidden, "govbr.scope_missing")
}

func TestParticipation(t *testing.T) {
	t.Parallel()
	const cnpj = brasil.CNPJ("12ABC34501DE35")
	const route = "GET /api/empresas/v2/empresas/12ABC34501DE35/participantes/" + aCPF
	f := newFake(t)
	c := f.client()
	f.on(route, answerJSON(200, golden(t, "participante.json")))
	got, err := c.Participation(t.Context(), access(), "12.ABC.345/01DE-35")
	want := Participation{CPF: aCPF, CNPJ: cnpj, Role: Accountant, RegisteredBy: "11144477735",
		LinkedAt: time.Date(2025, 7, 25, 14, 21, 37, 262e6, time.UTC), ExpiresAt: time.Date(2025, 7, 31, 3, 0, 0, 0, time.UTC)}
	if err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	clean(t, got.LogValue().String())
	for body, holds := range map[string]func(Participation) bool{
		`{"cpf":"52998224725","atuacao":"SOCIO","cadastrador":true}`:                        func(p Participation) bool { return p.Registrar && p.ExpiresAt.IsZero() && !p.Doubtful },
		`{"cpf":"52998224725","cadastrador":"true","dataExpiracao":null}`:                   func(p Participation) bool { return p.Registrar && p.Role == Collaborator && !p.Doubtful },
		`{"cpf":"529.982.247-25","cadastrador":false,"dataExpiracao":"amanha"}`:             func(p Participation) bool { return p.Doubtful },
		`{"cpf":"52998224725","atuacao":"DIRETOR_NOVO","cadastrador":null,"dataCriacao":1}`: func(p Participation) bool { return p.Role == "DIRETOR_NOVO" && !p.Registrar },
	} {
		f.on(route, answerJSON(200, body))
		if got, err := c.Participation(t.Context(), access(), cnpj); err != nil || !holds(got) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{`{"cpf":"11144477735"}`, `{}`, `[]`, `{"cpf":"52998224725","cpfCadastrador":"x"}`, `{"cpf":52998224725}`} {
		f.on(route, answerJSON(200, body))
		_, err := c.Participation(t.Context(), access(), cnpj)
		wantFault(t, err, fault.Unavailable, "govbr.strange")
	}
	f.on(route, answerJSON(404, `{"errors":[{"status":404,"code":"X","title":"x"}]}`))
	_, err = c.Participation(t.Context(), access(), cnpj)
	wantFault(t, err, fault.NotFound, "govbr.not_found")
	before := f.count(route)
	if _, err = c.Participation(t.Context(), access(), "../../contas"); !fault.Is(err, fault.Invalid) || f.count(route) != before {
		t.Errorf("a path in place of a CNPJ: %v", err)
	}
}

// TestStanding walks the rule: every role, with and without the company's
// certificate, before and after the end of the link.
func TestStanding(t *testing.T) {
	t.Parallel()
	const company, other = brasil.CNPJ("11222333000181"), brasil.CNPJ("11222333000262")
	withToken := Session{Identity: Identity{CPF: aCPF, CNPJ: company, AMR: Methods{"x509", "x509_token"}}}
	byPassword := Session{Identity: Identity{CPF: aCPF, AMR: Methods{"passwd"}}}
	otherToken := Session{Identity: Identity{CPF: aCPF, CNPJ: other, AMR: Methods{"x509", "x509_token"}}}
	claimAlone := Session{Identity: Identity{CPF: aCPF, CNPJ: company, AMR: Methods{"passwd"}}}
	agent := withToken
	agent.Access = AccessToken{Agent: true, Grantor: "11144477735"}
	link := func(r Role) Participation { return Participation{CPF: aCPF, CNPJ: company, Role: r} }
	until := func(p Participation, at time.Time) Participation { p.ExpiresAt = at; return p }
	registrar := link(Collaborator)
	registrar.Registrar = true
	doubtful := link(Partner)
	doubtful.Doubtful = true
	another := link(Partner)
	another.CPF = "11144477735"
	for name, tc := range map[string]struct {
		s    Session
		p    Participation
		want Standing
	}{
		"sócio":                          {withToken, link(Partner), Represents},
		"representante legal":            {withToken, link(LegalRepresentative), Represents},
		"sócio by password":              {byPassword, link(Partner), NeedsCertificate},
		"representante by password":      {byPassword, link(LegalRepresentative), NeedsCertificate},
		"sócio, another company's token": {otherToken, link(Partner), NeedsCertificate},
		"sócio, claim without x509":      {claimAlone, link(Partner), NeedsCertificate},
		"not active":                     {withToken, link(NoRole), HoldsCertificate},
		"accountant":                     {withToken, link(Accountant), KeepsBooks},
		"accountant by password":         {byPassword, link(Accountant), KeepsBooks},
		"colaborador":                    {byPassword, until(link(Collaborator), now.Add(time.Second)), Collaborates},
		"colaborador without end":        {byPassword, link(Collaborator), Collaborates},
		"colaborador, ended":             {byPassword, until(link(Collaborator), now), Ended},
		"sócio, ended":                   {withToken, until(link(Partner), now.Add(-time.Hour)), Ended},
		"sócio, not ended":               {withToken, until(link(Partner), now.Add(time.Hour)), Represents},
		"registrar without role":         {withToken, registrar, Unproven},
		"end unreadable":                 {withToken, doubtful, Unproven},
		"another person's link":          {withToken, another, Unproven},
		"new role":                       {withToken, link("DIRETOR_NOVO"), Unproven},
		"agent":                          {agent, link(Partner), Unproven},
		"nothing":                        {Session{}, Participation{}, Unproven},
		"nobody":                         {withToken, Participation{CNPJ: company, Role: Partner}, Unproven},
	} {
		if got := StandingOf(tc.s, tc.p, now); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}
