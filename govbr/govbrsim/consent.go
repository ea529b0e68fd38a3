package govbrsim

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"selo/brasil"
)

// grant is what a code stands for. It is never changed.
type grant struct {
	client, redirect, nonce, challenge string
	scopes                             []string
	session                            *session
	expires                            time.Time
}

// grantLife is how long a code may be redeemed. The real value is not
// published; the legacy service's was two minutes.
const grantLife = 2 * time.Minute

// proceed goes on with an authorization whose person is known: the phone, the
// consent, the code. The caller locks.
func (s *Server) proceed(x *Exchange, a *authorization) Answer {
	w := x.World
	if a.client == "" {
		w.pending.take(a.id)
		return Redirect{To: a.next}
	}
	client, p := w.clients[a.client], w.people[a.cpf]
	if client == nil || p == nil {
		w.pending.take(a.id)
		return x.errorPage(errorView{Code: "invalid_client", Text: "O sistema ou a conta deixou de existir durante a entrada."})
	}
	switches := w.switchesFor(client, p)
	if is(switches.Cancels, false) {
		return s.deny(w, a)
	}
	if slices.Contains(a.scopes, scopePhone) && !p.PhoneVerified && !is(switches.PhoneNotAsked, false) {
		a.step, a.phone = stepPhone, p.Phone
		return loginPageAgain(a)
	}
	if w.mustConsent(a, is(switches.Consent, ConsentOnce)) {
		a.step = stepConsent
		return loginPageAgain(a)
	}
	return s.giveCode(w, a)
}

// mustConsent tells whether the person has to be asked. The caller locks.
func (w *World) mustConsent(a *authorization, when Consent) bool {
	switch when {
	case ConsentAlways:
		return true
	case ConsentNever:
		return false
	}
	granted, _ := w.consents.get(consentKey(a.cpf, a.client))
	return slices.ContainsFunc(a.scopes, func(name string) bool { return !slices.Contains(granted, name) })
}

func consentKey(cpf brasil.CPF, client string) string { return string(cpf) + " " + client }

// giveCode ends the authorization with a code. The caller locks.
func (s *Server) giveCode(w *World, a *authorization) Answer {
	w.pending.take(a.id)
	code := s.grantCode(w, &grant{client: a.client, redirect: a.redirect, nonce: a.nonce, challenge: a.challenge, scopes: a.scopes, session: a.session})
	return toClient(a.redirect, "code", code, "state", a.state)
}

// grantCode keeps a grant under a new code. The caller locks.
func (s *Server) grantCode(w *World, g *grant) string {
	g.expires = w.now().Add(grantLife)
	code := s.sealedCode()
	w.codes.put(code, g)
	return code
}

func consentTexts(asked []string) []string {
	list := make([]string, 0, len(asked))
	for _, known := range scopes {
		if slices.Contains(asked, known.name) {
			list = append(list, known.text)
		}
	}
	return list
}

func (s *Server) postConsent(x *Exchange) (Answer, error) {
	return s.onForm(x, func(form url.Values, a *authorization) (Answer, error) {
		w := x.World
		if a.session == nil {
			return loginPageAgain(a), nil
		}
		switch form.Get("decisao") {
		case "autorizar":
		case "negar":
			return s.deny(w, a), nil
		default:
			return s.screen(x, a, "Escolha autorizar ou negar."), nil
		}
		key := consentKey(a.cpf, a.client)
		granted, _ := w.consents.get(key)
		granted = slices.Clone(granted)
		for _, name := range a.scopes {
			if !slices.Contains(granted, name) {
				granted = append(granted, name)
			}
		}
		w.consents.put(key, granted)
		w.changed++
		return s.giveCode(w, a), nil
	}, stepConsent)
}

func (s *Server) postPhone(x *Exchange) (Answer, error) {
	return s.onForm(x, func(form url.Values, a *authorization) (Answer, error) {
		digits := strings.NewReplacer("(", "", ")", "", "-", "", " ", "").Replace(form.Get("telefone"))
		if !phonePattern.MatchString(digits) {
			return s.screen(x, a, "Telefone inválido. Informe o DDD e o número."), nil
		}
		a.phone, a.step = digits, stepPhoneCode
		s.sendCode(x.World, a, Message{Kind: "sms", CPF: a.cpf, To: digits}, "Seu código de verificação do gov.br é ")
		return loginPageAgain(a), nil
	}, stepPhone, stepPhoneCode)
}

func (s *Server) postPhoneCode(x *Exchange) (Answer, error) {
	return s.onForm(x, func(form url.Values, a *authorization) (Answer, error) {
		if wrong := x.World.codeWrong(a, form.Get("codigo")); wrong != "" {
			return s.screen(x, a, wrong), nil
		}
		if err := x.World.changePerson(a.cpf, func(p *Person) { p.Phone, p.PhoneVerified = a.phone, true }); err != nil {
			return nil, err
		}
		return s.proceed(x, a), nil
	}, stepPhoneCode)
}

// maskPhone shows a number as the screens do: (61) 9****-**01.
func maskPhone(digits string) string {
	if len(digits) < 10 {
		return digits
	}
	return "(" + digits[:2] + ") " + digits[2:3] + "****-**" + digits[len(digits)-2:]
}
