package govbr

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"

	"selo/brasil"
	"selo/fault"
)

// Message is what an agency writes to the gov.br app: to one person, or to all.
type Message struct {
	CNPJ    brasil.CNPJ // of the agency
	Agency  string
	Title   string
	Content string
	CPF     brasil.CPF // empty: to everybody
}

// LogValue keeps person and content out of logs.
func (m Message) LogValue() slog.Value { return slog.BoolValue(m.CPF != "") }

type messageBody struct {
	Sender struct {
		CNPJ string `json:"cnpj"`
		Name string `json:"nome"`
	} `json:"remetente"`
	Title   string     `json:"titulo"`
	Content string     `json:"conteudo"`
	Type    string     `json:"tipo"` // D direct, B broadcast
	CPF     brasil.CPF `json:"cpf,omitempty"`
}

// Send sends a message, once. A message to everybody must be asked for with
// broadcast, so that a forgotten CPF does not reach the country.
//
// Faults: Invalid govbr.life.refused, govbr.life.addressee; those of [ProofOfLife].
func (p *ProofOfLife) Send(ctx context.Context, m Message, broadcast bool) (ProofID, error) {
	if broadcast != (m.CPF == "") {
		return "", fault.New(fault.Invalid, "govbr.life.addressee")
	}
	cnpj, err := brasil.ParseCNPJ(string(m.CNPJ))
	if err != nil {
		return "", err
	}
	body := messageBody{Title: m.Title, Content: m.Content, Type: "B"}
	body.Sender.CNPJ, body.Sender.Name = cnpj.Masked(), m.Agency
	if !broadcast {
		body.Type = "D"
		if body.CPF, err = brasil.ParseCPF(string(m.CPF)); err != nil {
			return "", err
		}
	}
	a, err := p.ask(ctx, request{name: "enviar", method: http.MethodPost, url: p.cfg.Endpoints.ProofOfLife + "/api/vbeta1/mensagens", json: body})
	if err != nil {
		return "", err
	}
	if !a.ok() {
		return "", refusedLife(a)
	}
	// The body is {"<uuid>"}, which is no JSON; so the name is looked for in the text.
	if id := uuid.FindAll(a.body, 2); len(id) == 1 {
		return ProofID(id[0]), nil
	}
	return "", strange(serviceProofOfLife, "enviar: no id in the answer")
}

// Message reads a message. The manual does not show the answer; it is taken to be
// what was sent [I].
//
// Faults: NotFound govbr.not_found; Invalid govbr.life.id; those of [ProofOfLife].
func (p *ProofOfLife) Message(ctx context.Context, id ProofID) (Message, error) {
	a, err := p.message(ctx, http.MethodGet, "ler mensagem", id, true)
	if err != nil {
		return Message{}, err
	}
	var body messageBody
	if err := json.Unmarshal(a.body, &body); err != nil {
		return Message{}, strange(serviceProofOfLife, "mensagem: %v", plain(err))
	}
	m := Message{Agency: printable(body.Sender.Name, 300), Title: printable(body.Title, 300), Content: body.Content}
	if cnpj, err := brasil.ParseCNPJ(body.Sender.CNPJ); err == nil {
		m.CNPJ = cnpj
	}
	if cpf, ok := readCPF(string(body.CPF)); ok {
		m.CPF = cpf
	}
	return m, nil
}

// DeleteMessage withdraws a message. Faults: as [ProofOfLife.Message].
func (p *ProofOfLife) DeleteMessage(ctx context.Context, id ProofID) error {
	_, err := p.message(ctx, http.MethodDelete, "apagar mensagem", id, false)
	return err
}

func (p *ProofOfLife) message(ctx context.Context, method, name string, id ProofID, repeat bool) (*answer, error) {
	if err := id.check(); err != nil {
		return nil, err
	}
	q := request{name: name, method: method, repeat: repeat,
		url: p.cfg.Endpoints.ProofOfLife + "/api/vbeta1/mensagens/" + url.PathEscape(string(id))}
	a, err := p.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	if !a.ok() {
		return nil, refusedLife(a)
	}
	return a, nil
}
