package govbrsim

import (
	"crypto/subtle"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"selo/brasil"
	"selo/fault"
)

// session is one person signed in in one browser. It is never changed.
type session struct {
	id       string
	cpf      brasil.CPF
	authTime time.Time
	amr      []string
	// Of an entry with e-CNPJ only.
	cnpj    brasil.CNPJ
	company string
}

// failures are wrong passwords and codes of one person.
type failures struct {
	count int
	until time.Time // locked until then
}

const (
	sessionLife  = 8 * time.Hour
	codeLife     = 5 * time.Minute
	lockAfter    = 5
	lockDuration = 15 * time.Minute
)

// session is the one of the request's browser, or nil. The caller locks.
func (x *Exchange) session() *session {
	w := x.World
	found, ok := w.sessions.get(x.cookieValue("sessao"))
	if !ok || w.now().Sub(found.authTime) > sessionLife || w.people[found.cpf] == nil {
		return nil
	}
	return found
}

// signIn gives the browser a new session with a new id. The caller locks.
func (s *Server) signIn(x *Exchange, cpf brasil.CPF, amr []string) *session {
	w := x.World
	w.sessions.take(x.cookieValue("sessao"))
	made := &session{id: fmt.Sprintf("%x", s.bytes(16)), cpf: cpf, authTime: w.now(), amr: amr}
	w.sessions.put(made.id, made)
	x.setCookie("sessao", made.id)
	delete(w.failures, cpf)
	return made
}

// signInAt begins an authorization for a page of the simulator itself and asks
// the browser who it is; next is a path of the world. The caller locks.
func (s *Server) signInAt(x *Exchange, next string) Answer {
	a := &authorization{browser: s.browser(x), started: x.World.now(), next: next, step: stepCPF}
	s.keep(x.World, a)
	return loginPage(a)
}

// authorizationOf finds the browser's authorization by its id. Fault: NotFound
// "govbrsim.login.gone" when it ended, or is another browser's. The caller locks.
func (x *Exchange) authorizationOf(q url.Values) (*authorization, error) {
	a, ok := x.World.pending.get(q.Get("authorization_id"))
	if !ok || a.client != q.Get("client_id") || x.World.now().Sub(a.started) > authorizationLife ||
		subtle.ConstantTimeCompare([]byte(a.browser), []byte(x.cookieValue("navegador"))) != 1 {
		return nil, fault.New(fault.NotFound, "govbrsim.login.gone")
	}
	return a, nil
}

// getLogin shows the screen that the authorization waits at.
func (s *Server) getLogin(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	if q.Get("authorization_id") == "" && q.Get("client_id") == "" {
		return s.signInAt(x, "/sim/"), nil
	}
	a, err := x.authorizationOf(q)
	if err != nil {
		return nil, err
	}
	return s.screen(x, a, ""), nil
}

// screen draws the screen of the authorization's step, with what was wrong. The
// caller locks.
func (s *Server) screen(x *Exchange, a *authorization, wrong string) Answer {
	w := x.World
	v := loginView{Authorization: a.id, ClientID: a.client, CPF: a.cpf, Wrong: wrong}
	client := w.clients[a.client]
	if client != nil {
		v.Service = client.Name
	}
	holder := is(w.people[a.cpf], Person{})
	p := Page{Client: a.leadsOut(), Status: http.StatusOK}
	if wrong != "" {
		p.Status = http.StatusUnprocessableEntity
	}
	if p.View = w.registerScreen(a, v); p.View != nil {
		return p
	}
	if p.View = w.cloudScreen(a, v); p.View != nil {
		return p
	}
	switch a.step {
	case stepPassword:
		p.View = passwordView{v}
	case stepCode:
		p.View = codeView{loginView: v, Offline: holder.SecondFactor == OTPOffline}
	case stepPhone:
		p.View = phoneView{loginView: v, Phone: a.phone}
	case stepPhoneCode:
		p.View = phoneCodeView{loginView: v, Phone: maskPhone(a.phone)}
	case stepConsent:
		p.View = consentView{loginView: v, Name: holder.displayName(), Scopes: consentTexts(a.scopes)}
	default:
		p.View = cpfView{loginView: v, Typed: string(a.cpf)}
	}
	return p
}

// leadsOut tells whether the forms of the screens may end at a client's
// address. The catálogo, too, may lead on to a client.
func (a *authorization) leadsOut() bool {
	return a.client != "" || strings.Contains(a.next, "redirect_uri=")
}

// posted reads a form of the screens and finds its authorization, which must
// wait at one of steps; one that does not is shown where it waits. The caller locks.
func (s *Server) posted(x *Exchange, form url.Values, steps ...step) (a *authorization, elsewhere Answer, err error) {
	if a, err = x.authorizationOf(form); err != nil {
		return nil, nil, err
	}
	if !slices.Contains(steps, a.step) {
		return nil, loginPageAgain(a), nil
	}
	return a, nil, nil
}

func loginPageAgain(a *authorization) Answer {
	r := loginPage(a).(Redirect) //nolint:forcetypeassert // it makes nothing else
	r.Status = http.StatusSeeOther
	return r
}

// onForm runs a handler of a form with the world locked.
func (s *Server) onForm(x *Exchange, do func(form url.Values, a *authorization) (Answer, error), steps ...step) (Answer, error) {
	form, err := x.form()
	if err != nil {
		return nil, err
	}
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	a, elsewhere, err := s.posted(x, form, steps...)
	if err != nil || elsewhere != nil {
		return elsewhere, err
	}
	return do(form, a)
}

func (s *Server) postCPF(x *Exchange) (Answer, error) {
	return s.onForm(x, func(form url.Values, a *authorization) (Answer, error) {
		cpf, err := brasil.ParseCPF(form.Get("cpf"))
		if err != nil {
			return s.screen(x, a, "CPF inválido. Confira os 11 números."), nil
		}
		a.cpf = cpf
		if x.World.people[cpf] == nil {
			return s.screen(x, a, "Não há conta gov.br com este CPF neste simulador. Crie a conta, ou escolha uma das pessoas da página inicial, em /sim/."), nil
		}
		a.step = stepPassword
		return loginPageAgain(a), nil
	}, stepCPF, stepPassword)
}

// locked tells what to say while the person is locked out. The caller locks.
func (w *World) locked(cpf brasil.CPF) string {
	f := w.failures[cpf]
	if f == nil || !w.now().Before(f.until) {
		return ""
	}
	return "Conta bloqueada por tentativas erradas. Tente de novo depois das " + f.until.In(brasil.Location()).Format("15:04:05") + " do relógio do simulador."
}

// failed counts a wrong password or code and tells what to say. The caller locks.
func (w *World) failed(cpf brasil.CPF, text string) string {
	f := w.failures[cpf]
	if f == nil || !f.until.IsZero() && !w.now().Before(f.until) {
		f = &failures{}
		w.failures[cpf] = f
	}
	f.count++
	if f.count >= lockAfter {
		f.until = w.now().Add(lockDuration)
		return w.locked(cpf)
	}
	return text
}

func (s *Server) postPassword(x *Exchange) (Answer, error) {
	return s.onForm(x, func(form url.Values, a *authorization) (Answer, error) {
		w := x.World
		p := w.people[a.cpf]
		if p == nil {
			a.step = stepCPF
			return loginPageAgain(a), nil
		}
		if text := w.locked(a.cpf); text != "" {
			return s.screen(x, a, text), nil
		}
		if subtle.ConstantTimeCompare([]byte(form.Get("senha")), []byte(p.Password)) != 1 {
			return s.screen(x, a, w.failed(a.cpf, "Senha incorreta.")), nil
		}
		if p.SecondFactor != "" {
			a.step = stepCode
			s.sendCode(w, a, Message{Kind: "aplicativo", CPF: p.CPF, To: "aplicativo gov.br de " + p.displayName()}, "Seu código de acesso ao gov.br é ")
			return loginPageAgain(a), nil
		}
		a.session = s.signIn(x, a.cpf, []string{"passwd", "captcha"})
		return s.proceed(x, a), nil
	}, stepPassword)
}

// sendCode makes the code that the authorization waits for and leaves it in the
// inbox. The caller locks.
func (s *Server) sendCode(w *World, a *authorization, m Message, text string) {
	n := new(big.Int).SetBytes(s.bytes(8))
	a.code = fmt.Sprintf("%06d", n.Mod(n, big.NewInt(1_000_000)).Int64())
	a.codeEnds = w.now().Add(codeLife)
	m.Code, m.Text = a.code, text+a.code+". Ele vale por 5 minutos."
	w.send(m)
}

// codeWrong tells what is wrong with a code that was typed; "" when it is right. The
// code is then used up. The caller locks.
func (w *World) codeWrong(a *authorization, typed string) string {
	if text := w.locked(a.cpf); text != "" {
		return text
	}
	typed = strings.TrimSpace(typed)
	if a.code == "" || !w.now().Before(a.codeEnds) {
		return "O código venceu. Comece de novo."
	}
	if subtle.ConstantTimeCompare([]byte(typed), []byte(a.code)) != 1 {
		return w.failed(a.cpf, "Código incorreto.")
	}
	a.code = ""
	return ""
}

func (s *Server) postCode(x *Exchange) (Answer, error) {
	return s.onForm(x, func(form url.Values, a *authorization) (Answer, error) {
		p := x.World.people[a.cpf]
		if p == nil {
			a.step = stepCPF
			return loginPageAgain(a), nil
		}
		if wrong := x.World.codeWrong(a, form.Get("codigo")); wrong != "" {
			return s.screen(x, a, wrong), nil
		}
		a.session = s.signIn(x, a.cpf, []string{"passwd", "captcha", "mfa", string(orElse(p.SecondFactor, OTP))})
		return s.proceed(x, a), nil
	}, stepCode)
}

// postOther starts over with another person.
func (s *Server) postOther(x *Exchange) (Answer, error) {
	return s.onForm(x, func(_ url.Values, a *authorization) (Answer, error) {
		x.World.sessions.take(x.cookieValue("sessao"))
		x.setCookie("sessao", "")
		a.step, a.cpf, a.session, a.code = stepCPF, "", nil, ""
		return loginPageAgain(a), nil
	}, stepPassword, stepCode, stepPhone, stepPhoneCode, stepConsent)
}

// everyStep are the steps at which one may leave.
var everyStep = slices.Concat([]step{stepCPF, stepPassword, stepCode, stepPhone, stepPhoneCode, stepConsent, stepCloud, stepCloudCode}, registerSteps)

func (s *Server) postCancel(x *Exchange) (Answer, error) {
	return s.onForm(x, func(_ url.Values, a *authorization) (Answer, error) { return s.deny(x.World, a), nil },
		everyStep...)
}
