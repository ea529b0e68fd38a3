package govbrsim

import (
	"net/http"
	"slices"
	"time"

	"selo/brasil"
)

// Notice is a message of an agency to one person's gov.br app, or to all. The
// records are replaced, never changed.
type Notice struct {
	ID       string     `json:"id"` // UUID
	ClientID string     `json:"client_id"`
	Sender   Sender     `json:"remetente"`
	Title    string     `json:"titulo"`
	Content  string     `json:"conteudo"`
	Type     string     `json:"tipo"` // "D" direct, "B" broadcast
	CPF      brasil.CPF `json:"cpf,omitempty"`
	SentAt   time.Time  `json:"enviada_em"`
}

// Sender is who writes, as the agency said it.
type Sender struct {
	CNPJ string `json:"cnpj"`
	Name string `json:"nome"`
}

// noticeBody is a message on the wire. How it is read back is not documented:
// as it was sent, with its id.
type noticeBody struct {
	ID      string `json:"id,omitempty"`
	Sender  Sender `json:"remetente"`
	Title   string `json:"titulo"`
	Content string `json:"conteudo"`
	Type    string `json:"tipo"`
	CPF     string `json:"cpf,omitempty"`
	SentAt  string `json:"criado_em,omitempty"`
}

// postNotice is POST /api/vbeta1/mensagens. Its answer is {"<uuid>"}, which is no
// JSON, as in the manual.
func (s *Server) postNotice(x *Exchange) (Answer, error) {
	var in noticeBody
	unread := x.lifeBody(&in)
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	client, refusal := s.agency(x)
	if refusal = orAnswer(refusal, unread); refusal != nil {
		return refusal, nil
	}
	wrong := arguments{}
	n := &Notice{ClientID: client.ID, Sender: in.Sender, Title: in.Title, Content: in.Content, Type: in.Type, SentAt: w.now()}
	wrong.cnpj("remetente.cnpj", in.Sender.CNPJ)
	wrong.text("remetente.nome", in.Sender.Name, true)
	wrong.text("titulo", in.Title, true)
	wrong.text("conteudo", in.Content, true)
	switch in.Type {
	case "D":
		n.CPF = wrong.cpf("cpf", in.CPF)
	case "B":
		if in.CPF != "" {
			wrong["cpf"] = "deve ser nulo"
		}
	default:
		return w.refuseLife(x, http.StatusUnprocessableEntity, cut(in.Type)+" não é um tipo válido [D,B]"), nil
	}
	if len(wrong) > 0 {
		return refuseArguments(wrong), nil
	}
	n.ID = s.jti()
	w.life.notices[n.ID] = n
	w.life.remember(n.ID)
	w.changed++
	return Bytes{Status: http.StatusCreated, Type: "application/json", Body: []byte(`{"` + n.ID + `"}`)}, nil
}

// noticeOf finds the message of the path: the agency's own ones only. The caller locks.
func (s *Server) noticeOf(x *Exchange) (*Notice, Answer) {
	client, refusal := s.agency(x)
	if refusal != nil {
		return nil, refusal
	}
	n := x.World.life.notices[x.Request.PathValue("id")]
	if n == nil || n.ClientID != client.ID {
		return nil, x.World.refuseLife(x, http.StatusNotFound, "Mensagem não encontrada")
	}
	return n, nil
}

func (s *Server) getNotice(x *Exchange) (Answer, error) {
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	n, refusal := s.noticeOf(x)
	if refusal != nil {
		return refusal, nil
	}
	return Wire{Body: noticeBody{n.ID, n.Sender, n.Title, n.Content, n.Type, string(n.CPF), nanoStamp(n.SentAt)}}, nil
}

// deleteNotice withdraws a message: 200 without a body, as a cancellation.
func (s *Server) deleteNotice(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	n, refusal := s.noticeOf(x)
	if refusal != nil {
		return refusal, nil
	}
	delete(w.life.notices, n.ID)
	w.changed++
	return Wire{}, nil
}

// noticesFor are the messages that a person's phone shows, the newest first. The
// caller locks.
func (w *World) noticesFor(cpf brasil.CPF) []*Notice {
	var list []*Notice
	for _, id := range slices.Backward(w.life.order) {
		if n := w.life.notices[id]; n != nil && (n.CPF == cpf || n.CPF == "") {
			list = append(list, n)
		}
	}
	return list[:min(len(list), maxListed)]
}

// proofsFor are the transactions of a person, the newest first. The caller locks.
func (w *World) proofsFor(cpf brasil.CPF) []*Proof {
	var list []*Proof
	for _, id := range slices.Backward(w.life.order) {
		if p := w.life.proofs[id]; p != nil && p.CPF == cpf {
			list = append(list, p)
		}
	}
	return list[:min(len(list), maxListed)]
}
