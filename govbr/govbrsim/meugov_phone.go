package govbrsim

import (
	"net/url"
	"slices"
	"time"

	"selo/brasil"
	"selo/fault"

	"github.com/a-h/templ"
)

// The citizen's phone is open to all, as the inbox is: whoever tests is the
// citizen too.

// phoneFrame is what the pages of a phone share.
type phoneFrame struct {
	CPF   brasil.CPF
	Name  string
	Clock string // hours and minutes
}

type phonesView struct{ People []*Person }

type phoneHomeView struct {
	phoneFrame
	Requests []phoneRequest
	Notices  []*Notice
	Inbox    []Message
}

// phoneRequest is a transaction as the phone shows it.
type phoneRequest struct {
	*Proof
	Outcome ProofOutcome
	Until   string
}

type phoneRequestView struct {
	phoneFrame
	phoneRequest
}

type phoneFaceView struct {
	phoneFrame
	phoneRequest
}

type phoneNoticeView struct {
	phoneFrame
	*Notice
	At string
}

func (phonesView) Title() string         { return "Celulares" }
func (v phoneHomeView) Title() string    { return "Celular de " + v.Name }
func (v phoneRequestView) Title() string { return "Prova de vida" }
func (v phoneFaceView) Title() string    { return "Validação facial" }
func (v phoneNoticeView) Title() string  { return "Mensagem" }

func (v phonesView) Body(x *Exchange) templ.Component       { return v.body(x) }
func (v phoneHomeView) Body(x *Exchange) templ.Component    { return v.body(x) }
func (v phoneRequestView) Body(x *Exchange) templ.Component { return v.body(x) }
func (v phoneFaceView) Body(x *Exchange) templ.Component    { return v.body(x) }
func (v phoneNoticeView) Body(x *Exchange) templ.Component  { return v.body(x) }

func (f phoneFrame) path() string { return "/sim/celular/" + string(f.CPF) }

// outcomeTexts say where a transaction stands.
var outcomeTexts = map[ProofOutcome]string{
	OutcomePending: "Esperando por você", OutcomeAuthorised: "Autorizada", OutcomeRefused: "Recusada por você",
	OutcomeFace: "Negada: o rosto não conferiu", OutcomeBiographic: "Negada: os dados não conferiram",
	OutcomeBoth: "Negada: nem o rosto nem os dados conferiram", OutcomeNoBiometric: "Cancelada: não há dados para comparar",
	OutcomeCancelled: "Cancelada por quem pediu", OutcomeExpired: "O prazo terminou",
}

// text says where the transaction stands.
func (r phoneRequest) text() string {
	if r.Reused {
		return "Autorizada com a validação facial que você já tinha feito"
	}
	return outcomeTexts[r.Outcome]
}

// message is the agency's, for how the transaction ended; "" while it waits.
func (r phoneRequest) message() string {
	switch {
	case r.Answer == nil:
		return ""
	case r.Answer.Authorised:
		return r.Success
	}
	return r.Failure
}

func phoneRequestOf(p *Proof, now time.Time) phoneRequest {
	return phoneRequest{Proof: p, Outcome: p.outcome(now), Until: brasiliaTime(p.ExpiresAt)}
}

// getPhones lists whose phones there are.
func (s *Server) getPhones(x *Exchange) (Answer, error) {
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	list := sorted(x.World.people)
	return Page{View: phonesView{list[:min(len(list), maxListed)]}}, nil
}

// phone is the frame of the path's phone. Fault: NotFound "govbrsim.person.none".
// The caller locks.
func (x *Exchange) phone() (phoneFrame, error) {
	p, err := x.World.person(brasil.CPF(x.Request.PathValue("cpf")))
	if err != nil {
		return phoneFrame{}, err
	}
	return phoneFrame{CPF: p.CPF, Name: p.displayName(), Clock: x.World.now().In(brasil.Location()).Format("15:04")}, nil
}

// getPhone is the first page: what waits, messages, codes.
func (s *Server) getPhone(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	frame, err := x.phone()
	if err != nil {
		return nil, err
	}
	v := phoneHomeView{phoneFrame: frame, Notices: w.noticesFor(frame.CPF)}
	for _, p := range w.proofsFor(frame.CPF) {
		v.Requests = append(v.Requests, phoneRequestOf(p, w.now()))
	}
	for _, m := range slices.Backward(w.inbox) {
		if m.CPF == frame.CPF && m.Kind != "email" && m.Link == "" && len(v.Inbox) < 20 {
			v.Inbox = append(v.Inbox, m)
		}
	}
	return Page{View: v}, nil
}

// phoneProof finds the transaction of the path on the path's phone. Fault:
// NotFound "govbrsim.life.none". The caller locks.
func (x *Exchange) phoneProof() (phoneFrame, *Proof, error) {
	frame, err := x.phone()
	if err != nil {
		return frame, nil, err
	}
	p := x.World.life.proofs[x.Request.PathValue("id")]
	if p == nil || p.CPF != frame.CPF {
		return frame, nil, fault.New(fault.NotFound, "govbrsim.life.none")
	}
	return frame, p, nil
}

func (s *Server) getPhoneRequest(x *Exchange) (Answer, error) {
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	frame, p, err := x.phoneProof()
	if err != nil {
		return nil, err
	}
	return Page{View: phoneRequestView{frame, phoneRequestOf(p, x.World.now())}}, nil
}

// onPhoneForm runs a handler of a form of the phone with the world locked.
func (s *Server) onPhoneForm(x *Exchange, do func(form url.Values, p *Proof) (Answer, error)) (Answer, error) {
	form, err := x.form()
	if err != nil {
		return nil, err
	}
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	_, p, err := x.phoneProof()
	if err != nil {
		return nil, err
	}
	if !p.open(x.World.now()) {
		return nil, fault.New(fault.Conflict, "govbrsim.life.over")
	}
	return do(form, p)
}

// postPhoneRequest refuses, or goes on to the face check.
func (s *Server) postPhoneRequest(x *Exchange) (Answer, error) {
	return s.onPhoneForm(x, func(form url.Values, p *Proof) (Answer, error) {
		switch form.Get("decisao") {
		case "autorizar":
			c := *p
			c.Accepted = true
			x.World.life.proofs[c.ID] = &c
			x.World.changed++
			return Redirect{To: p.path() + "/rosto"}, nil
		case "recusar":
			x.World.settle(p, OutcomeRefused)
		}
		return Redirect{To: p.path()}, nil
	})
}

// getPhoneFace is the face check of a transaction that was accepted.
func (s *Server) getPhoneFace(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	frame, p, err := x.phoneProof()
	if err != nil {
		return nil, err
	}
	if !p.Accepted || !p.open(w.now()) {
		return Redirect{To: p.path()}, nil
	}
	return Page{View: phoneFaceView{frame, phoneRequestOf(p, w.now())}}, nil
}

// postPhoneFace ends the face check as the tester wants it.
func (s *Server) postPhoneFace(x *Exchange) (Answer, error) {
	return s.onPhoneForm(x, func(form url.Values, p *Proof) (Answer, error) {
		outcome := ProofOutcome(form.Get("resultado"))
		if p.Accepted && slices.Contains([]ProofOutcome{OutcomeAuthorised, OutcomeFace, OutcomeBiographic, OutcomeBoth}, outcome) {
			x.World.settle(p, outcome)
		}
		return Redirect{To: p.path()}, nil
	})
}

// getPhoneNotice shows one message. Fault: NotFound "govbrsim.not_found".
func (s *Server) getPhoneNotice(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	frame, err := x.phone()
	if err != nil {
		return nil, err
	}
	n := w.life.notices[x.Request.PathValue("id")]
	if n == nil || n.CPF != "" && n.CPF != frame.CPF {
		return nil, fault.New(fault.NotFound, "govbrsim.not_found")
	}
	return Page{View: phoneNoticeView{frame, n, brasiliaTime(n.SentAt)}}, nil
}
