package govbrsim

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"selo/brasil"
	"selo/fault"
)

// The steps of making an account, in their order: those of the service as it
// stood in 2019. A person who forgot the password begins at the questions.
const (
	stepData     step = "cadastro/dados"
	stepQuiz     step = "cadastro/perguntas"
	stepChannel  step = "cadastro/canal"
	stepConfirm  step = "cadastro/confirmacao"
	stepPassNew  step = "cadastro/senha"
	channelMail       = "email"
	channelPhone      = "sms"
)

// registerSteps are the steps of making an account.
var registerSteps = []step{stepData, stepQuiz, stepChannel, stepConfirm, stepPassNew}

// linkLife is how long the link in the mail is good.
const linkLife = 30 * time.Minute

// registration is an account in the making; the world's lock guards it.
type registration struct {
	name, email, phone string
	terms, human       bool
	again              bool // the account exists: only its password is new
	channel            string
	link               string // what the link in the mail proves
	linkEnds           time.Time
	entry              *certificateEntry // a certificate in the place of questions and channel; nil without
}

// registerRoutes are the screens of making an account.
func (s *Server) registerRoutes() []Route {
	return []Route{
		{http.MethodPost, "/login/cadastro", Screen, s.postRegister},
		{http.MethodPost, "/login/esqueci", Screen, s.postForgot},
		{http.MethodPost, "/login/cadastro/dados", Screen, s.postRegisterData},
		{http.MethodPost, "/login/cadastro/perguntas", Screen, s.postQuiz},
		{http.MethodPost, "/login/cadastro/canal", Screen, s.postChannel},
		{http.MethodPost, "/login/cadastro/codigo", Screen, s.postRegisterCode},
		{http.MethodGet, "/login/cadastro/link", Screen, s.getRegisterLink},
		{http.MethodPost, "/login/cadastro/senha", Screen, s.postNewPassword},
		{http.MethodPost, "/login/cadastro/voltar", Screen, s.postRegisterBack},
	}
}

// postRegister begins an account, with the CPF that was typed.
func (s *Server) postRegister(x *Exchange) (Answer, error) {
	return s.onForm(x, func(_ url.Values, a *authorization) (Answer, error) {
		a.draft, a.step = &registration{}, stepData
		return loginPageAgain(a), nil
	}, stepCPF, stepPassword)
}

// postForgot begins a new password of an account that exists.
func (s *Server) postForgot(x *Exchange) (Answer, error) {
	return s.onForm(x, func(_ url.Values, a *authorization) (Answer, error) {
		p := x.World.people[a.cpf]
		if p == nil {
			a.step = stepCPF
			return loginPageAgain(a), nil
		}
		a.draft = &registration{name: p.Name, email: p.Email, phone: p.Phone, again: true}
		a.step = stepQuiz
		return loginPageAgain(a), nil
	}, stepPassword)
}

// registerScreen draws the screen of a step of making an account, or nil for
// other steps. The caller locks.
func (w *World) registerScreen(a *authorization, v loginView) View {
	if !slices.Contains(registerSteps, a.step) || a.draft == nil {
		return nil
	}
	d := a.draft
	switch a.step {
	case stepQuiz:
		return quizView{loginView: v, Questions: w.questions(a.cpf), Again: d.again}
	case stepChannel:
		return channelView{loginView: v, Mail: maskMail(d.email), Phone: maskPhone(d.phone), Chosen: d.channel, Again: d.again}
	case stepConfirm:
		return confirmView{loginView: v, Mail: maskMail(d.email), Phone: maskPhone(d.phone), ByPhone: d.channel == channelPhone, Again: d.again}
	case stepPassNew:
		return newPasswordView{loginView: v, Rules: passwordRules(""), Again: d.again, Certificate: d.entry != nil}
	}
	return registerView{loginView: v, Typed: string(a.cpf), Name: d.name, Email: d.email, Phone: d.phone, Terms: d.terms, Human: d.human}
}

// unprocessable shows a form again with what was wrong.
func unprocessable(v View, a *authorization) Answer {
	return Page{View: v, Status: http.StatusUnprocessableEntity, Client: a.leadsOut()}
}

// onDraft runs a handler of a form of making an account with the world locked.
func (s *Server) onDraft(x *Exchange, do func(form url.Values, a *authorization) (Answer, error), steps ...step) (Answer, error) {
	return s.onForm(x, func(form url.Values, a *authorization) (Answer, error) {
		if a.draft == nil {
			a.step = stepCPF
			return loginPageAgain(a), nil
		}
		return do(form, a)
	}, steps...)
}

// postRegisterData is "Dados pessoais". What was typed stays, whatever is wrong.
func (s *Server) postRegisterData(x *Exchange) (Answer, error) {
	return s.onDraft(x, func(form url.Values, a *authorization) (Answer, error) {
		v, cpf := readRegister(form)
		if cpf != "" && x.World.people[cpf] != nil {
			v.Problems["cpf"] = "Já existe uma conta gov.br com este CPF. Volte e entre com a senha; se a esqueceu, escolha “Esqueci minha senha”."
		}
		if len(v.Problems) > 0 {
			v.loginView = x.World.loginViewOf(a, "")
			return unprocessable(v, a), nil
		}
		d := a.draft
		a.cpf, d.name, d.email, d.phone, d.terms, d.human = cpf, v.Name, v.Email, onlyDigits(v.Phone), true, true
		d.link, a.code, a.step = "", "", stepQuiz
		return loginPageAgain(a), nil
	}, stepData, stepQuiz, stepChannel, stepConfirm)
}

// postQuiz is "Validar dados". Which answer is wrong is not said, and wrong ones
// count as wrong passwords do.
func (s *Server) postQuiz(x *Exchange) (Answer, error) {
	return s.onDraft(x, func(form url.Values, a *authorization) (Answer, error) {
		w := x.World
		if text := w.locked(a.cpf); text != "" {
			return s.screen(x, a, text), nil
		}
		v := quizView{loginView: w.loginViewOf(a, ""), Questions: w.questions(a.cpf), Again: a.draft.again}
		missing, right := false, true
		for i := range v.Questions {
			q := &v.Questions[i]
			q.Chosen = form.Get(q.Name)
			if !slices.Contains(q.Options, q.Chosen) {
				q.Chosen, q.Wrong, missing = "", "Escolha uma resposta.", true
			}
			right = right && q.Chosen == q.answer
		}
		switch {
		case missing:
			return unprocessable(v, a), nil
		case !right:
			v.Wrong = w.failed(a.cpf, "As respostas não conferem com os dados deste CPF. Confira e tente de novo.")
			return unprocessable(v, a), nil
		}
		a.step = stepChannel
		return loginPageAgain(a), nil
	}, stepQuiz, stepChannel, stepConfirm)
}

// postChannel is "Habilitar cadastro": a link by mail or a code by SMS.
func (s *Server) postChannel(x *Exchange) (Answer, error) {
	return s.onDraft(x, func(form url.Values, a *authorization) (Answer, error) {
		d, channel := a.draft, form.Get("canal")
		if channel == channelMail && d.email == "" || channel == channelPhone && d.phone == "" || channel != channelMail && channel != channelPhone {
			a.step = stepChannel
			return s.screen(x, a, "Escolha receber o pedido de confirmação por e-mail ou por SMS."), nil
		}
		d.channel, d.link, a.code, a.step = channel, "", "", stepConfirm
		if channel == channelPhone {
			s.sendCode(x.World, a, Message{Kind: "sms", CPF: a.cpf, To: d.phone}, "Seu código para cadastrar a senha do gov.br é ")
			return loginPageAgain(a), nil
		}
		d.link, d.linkEnds = fmt.Sprintf("%x", s.bytes(16)), x.World.now().Add(linkLife)
		link := x.World.base + "/login/cadastro/link?" + url.Values{"authorization_id": {a.id}, "client_id": {a.client}, "chave": {d.link}}.Encode()
		x.World.send(Message{Kind: "email", CPF: a.cpf, To: d.email, Link: link,
			Text: "Você pediu para cadastrar a senha da sua conta gov.br. Abra o link no mesmo navegador em que começou. Ele vale por 30 minutos."})
		return loginPageAgain(a), nil
	}, stepChannel, stepConfirm)
}

// postRegisterCode takes the code of the SMS.
func (s *Server) postRegisterCode(x *Exchange) (Answer, error) {
	return s.onDraft(x, func(form url.Values, a *authorization) (Answer, error) {
		if a.draft.channel != channelPhone {
			return loginPageAgain(a), nil
		}
		if wrong := x.World.codeWrong(a, form.Get("codigo")); wrong != "" {
			return s.screen(x, a, wrong), nil
		}
		a.step = stepPassNew
		return loginPageAgain(a), nil
	}, stepConfirm)
}

// getRegisterLink is the link of the mail. It is good in the browser that asked
// for it, once and for a time. Fault: NotFound "govbrsim.login.gone".
func (s *Server) getRegisterLink(x *Exchange) (Answer, error) {
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
	d := a.draft
	if a.step == stepPassNew {
		return loginPageAgain(a), nil // the link was opened twice
	}
	if d == nil || a.step != stepConfirm || d.link == "" || subtle.ConstantTimeCompare([]byte(d.link), []byte(q.Get("chave"))) != 1 {
		return nil, fault.New(fault.NotFound, "govbrsim.login.gone")
	}
	if !w.now().Before(d.linkEnds) {
		d.link, a.step = "", stepChannel
		return s.screen(x, a, "O link venceu. Peça outro."), nil
	}
	d.link, a.step = "", stepPassNew
	return loginPageAgain(a), nil
}

// postNewPassword is "Cadastrar senha": the account is made, or gets the
// password, and the person goes on to where the authorization came from.
func (s *Server) postNewPassword(x *Exchange) (Answer, error) {
	return s.onDraft(x, func(form url.Values, a *authorization) (Answer, error) {
		w, d, password := x.World, a.draft, form.Get("senha")
		v := newPasswordView{loginView: w.loginViewOf(a, ""), Rules: passwordRules(password), Again: d.again, Certificate: d.entry != nil}
		for _, r := range v.Rules {
			if !r.Kept {
				v.Wrong = "A senha não cumpre todas as regras."
			}
		}
		if v.Wrong == "" && form.Get("repetida") != password {
			v.Repeat = "As duas senhas são diferentes."
		}
		if v.Wrong != "" || v.Repeat != "" {
			return unprocessable(v, a), nil
		}
		if err := w.register(a, password); err != nil {
			return nil, err
		}
		a.draft = nil
		if d.entry != nil {
			return s.enter(x, a, d.entry)
		}
		a.session = s.signIn(x, a.cpf, []string{"passwd", "captcha"})
		return s.proceed(x, a), nil
	}, stepPassNew)
}

// register makes the account, or gives it the password. The caller locks.
func (w *World) register(a *authorization, password string) error {
	d, now := a.draft, w.now()
	verify := func(p *Person) {
		p.Password = password
		p.EmailVerified = p.EmailVerified || d.channel == channelMail && p.Email == d.email
		p.PhoneVerified = p.PhoneVerified || d.channel == channelPhone && p.Phone == d.phone
	}
	if d.again {
		delete(w.failures, a.cpf)
		return w.changePerson(a.cpf, verify)
	}
	if w.people[a.cpf] != nil {
		return fault.New(fault.Conflict, "govbrsim.person.taken", "cpf", string(a.cpf))
	}
	born, mother := w.civil(a.cpf)
	made := &Person{CPF: a.cpf, Name: d.name, Email: d.email, Phone: d.phone, Born: born, Mother: mother,
		Selos: []Selo{{ID: "201", UpdatedAt: now}}, Drawn: true, Note: "Criada pelas telas de cadastro"}
	if d.entry != nil && !d.entry.identity.Person.Birth.IsZero() {
		made.Born = d.entry.identity.Person.Birth
	}
	verify(made)
	return w.putPerson(made)
}

// postRegisterBack goes one step back; what was typed stays.
func (s *Server) postRegisterBack(x *Exchange) (Answer, error) {
	return s.onDraft(x, func(_ url.Values, a *authorization) (Answer, error) {
		a.code, a.draft.link = "", ""
		switch at := slices.Index(registerSteps, a.step); {
		case a.draft.entry != nil || at == 0:
			a.step = stepCPF
		case a.draft.again && a.step == stepQuiz:
			a.step = stepPassword
		case a.step == stepPassNew: // what was confirmed has to be confirmed again
			a.step = stepChannel
		default:
			a.step = registerSteps[at-1]
		}
		return loginPageAgain(a), nil
	}, registerSteps...)
}

// loginViewOf is what the authorization's screens share. The caller locks.
func (w *World) loginViewOf(a *authorization, wrong string) loginView {
	v := loginView{Authorization: a.id, ClientID: a.client, CPF: a.cpf, Wrong: wrong}
	if client := w.clients[a.client]; client != nil {
		v.Service = client.Name
	}
	return v
}

// civil is what the Receita Federal knows of a CPF. Of one that nobody here has
// it is what the real service takes in homologação (PV): the mother is MAMÃE,
// the birth on 1 January 1980. The caller locks.
func (w *World) civil(cpf brasil.CPF) (born brasil.Date, mother string) {
	p := is(w.people[cpf], Person{})
	born, mother = p.Born, p.Mother
	if born.IsZero() {
		born, _ = brasil.NewDate(1980, time.January, 1) // it exists
	}
	return born, orElse(mother, "MAMÃE")
}
