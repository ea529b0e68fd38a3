package govbrsim

import (
	"net/http"
	"net/url"
	"slices"

	"selo/brasil"
	"selo/fault"
	"selo/icpbrasil"
)

// The steps of a certificate in the cloud: the provider, then what the person
// approves in the provider's app.
const (
	stepCloud     step = "nuvem"
	stepCloudCode step = "nuvem/codigo"
)

// cloudNames are the providers as people know them.
var cloudNames = map[string]string{"neoid": "NeoID (Serpro)", "safeid": "SafeID (Safeweb)", "birdid": "BirdID (Soluti)",
	"serasa": "SerasaID", "vidaas": "VIDaaS (Valid)", "remoteid": "RemoteID (Certisign)"}

// cloudTry is an entry with a certificate in the cloud under way.
type cloudTry struct {
	provider string
	cpf      brasil.CPF
}

// getCloud asks for the provider.
func (s *Server) getCloud(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	a, err := x.authorizationOf(q)
	if err != nil {
		return nil, err
	}
	if a.session != nil && a.purpose == "" || !slices.Contains([]step{stepCPF, stepPassword, stepData, stepCloud, stepCloudCode}, a.step) {
		return loginPageAgain(a), nil
	}
	a.before, a.step, a.cloud = orElse(a.before, a.step), stepCloud, cloudTry{cpf: a.cpf}
	return loginPageAgain(a), nil
}

// cloudScreen draws the screens of a certificate in the cloud, or is nil. The
// caller locks.
func (w *World) cloudScreen(a *authorization, v loginView) View {
	switch a.step {
	case stepCloud:
		return cloudView{loginView: v, Typed: string(a.cloud.cpf), Provider: a.cloud.provider, Purpose: a.purpose}
	case stepCloudCode:
		return cloudCodeView{loginView: v, Provider: cloudNames[a.cloud.provider], Holder: a.cloud.cpf, Offers: w.cloudOffers(a)}
	}
	return nil
}

// cloudOffer is one certificate that a person has in the cloud.
type cloudOffer struct{ Value, Label string }

// cloudOffers are the e-CPF, and the e-CNPJ of each company that the person may
// act for, as far as the purpose needs them. The caller locks.
func (w *World) cloudOffers(a *authorization) []cloudOffer {
	var list []cloudOffer
	p := w.people[a.cloud.cpf]
	if p == nil {
		return nil
	}
	if a.purpose != forCompany {
		list = append(list, cloudOffer{"e-cpf", "e-CPF de " + p.Name})
	}
	for _, c := range sorted(w.companies) {
		if m := c.member(a.cloud.cpf); a.purpose != forSelo && m != nil && m.Acting != Contributor {
			list = append(list, cloudOffer{string(c.CNPJ), "e-CNPJ de " + c.Name + " (" + c.CNPJ.Masked() + ")"})
		}
	}
	return list
}

// postCloud takes the provider and the CPF, and has the provider's app ask.
func (s *Server) postCloud(x *Exchange) (Answer, error) {
	return s.onForm(x, func(form url.Values, a *authorization) (Answer, error) {
		w := x.World
		v := cloudView{loginView: w.loginViewOf(a, ""), Typed: cut(form.Get("cpf")), Provider: form.Get("provedor"), Purpose: a.purpose, Problems: map[string]string{}}
		if !slices.Contains(CloudProviders(), v.Provider) {
			v.Provider, v.Problems["provedor"] = "", "Escolha o provedor do seu certificado em nuvem."
		}
		cpf, err := brasil.ParseCPF(form.Get("cpf"))
		switch {
		case err != nil:
			v.Problems["cpf"] = "CPF inválido. Confira os 11 números."
		case a.purpose != "" && cpf != a.cpf:
			v.Problems["cpf"] = "O certificado tem de ser da pessoa que entrou em Minha área."
		case w.people[cpf] == nil:
			v.Problems["cpf"] = "Este provedor simulado não tem certificado deste CPF. Ele tem o das pessoas que existem no simulador."
		}
		if len(v.Problems) > 0 {
			return unprocessable(v, a), nil
		}
		a.cloud, a.step = cloudTry{provider: v.Provider, cpf: cpf}, stepCloudCode
		p := w.people[cpf]
		s.sendCode(w, a, Message{Kind: "aplicativo", CPF: cpf, To: cloudNames[v.Provider] + " de " + p.displayName()}, "Seu código para usar o certificado em nuvem é ")
		return loginPageAgain(a), nil
	}, stepCloud, stepCloudCode)
}

// postCloudCode is the person's approval: a certificate and the app's code.
func (s *Server) postCloudCode(x *Exchange) (Answer, error) {
	return s.onForm(x, func(form url.Values, a *authorization) (Answer, error) {
		w, chosen := x.World, form.Get("certificado")
		offers := w.cloudOffers(a)
		if !slices.ContainsFunc(offers, func(o cloudOffer) bool { return o.Value == chosen }) {
			return s.screen(x, a, "Escolha um dos certificados."), nil
		}
		holder := w.people[a.cloud.cpf]
		if holder == nil {
			return nil, fault.New(fault.NotFound, "govbrsim.login.gone")
		}
		asked := a.cpf
		a.cpf = a.cloud.cpf // whose wrong codes are counted
		wrong := w.codeWrong(a, form.Get("codigo"))
		if a.cpf = asked; wrong != "" {
			return s.screen(x, a, wrong), nil
		}
		entry := &certificateEntry{provider: a.cloud.provider, identity: &icpbrasil.Identity{Kind: icpbrasil.Natural,
			Person: icpbrasil.Person{CPF: holder.CPF, Name: holder.Name, Birth: holder.Born}}}
		if c := w.companies[brasil.CNPJ(chosen)]; c != nil {
			entry.identity.Kind, entry.identity.Company = icpbrasil.Legal, &icpbrasil.Company{CNPJ: c.CNPJ, Name: c.Name}
		}
		return s.enter(x, a, entry)
	}, stepCloudCode)
}

// postCloudBack goes back to the provider, or to the screen before it.
func (s *Server) postCloudBack(x *Exchange) (Answer, error) {
	return s.onForm(x, func(_ url.Values, a *authorization) (Answer, error) {
		a.code = ""
		if a.step == stepCloudCode {
			a.step = stepCloud
			return loginPageAgain(a), nil
		}
		if a.purpose != "" {
			x.World.pending.take(a.id)
			return Redirect{To: a.next, Status: http.StatusSeeOther}, nil
		}
		a.step, a.before = orElse(a.before, stepCPF), ""
		return loginPageAgain(a), nil
	}, stepCloud, stepCloudCode)
}
