package govbrsim

import (
	"crypto/subtle"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"selo/brasil"
	"selo/fault"

	"github.com/a-h/templ"
)

// The scopes of the CAS (Assinatura manual).
const (
	scopeSign      = "sign"
	scopeSession   = "signature_session"
	scopeGovBR     = "govbr"
	scopeICPBrasil = "icp_brasil"
)

const (
	// maxHashes is how many digests one token of a session signs.
	maxHashes = 100
	// signingLife is how long a token lives.
	signingLife = 600 * time.Second
	// fixedCode is taken in homologação in place of the one that was sent.
	fixedCode = "12345"
)

// casRequest is one request to sign on its way through the CAS's screens. It
// belongs to the browser that made it. The world's lock guards it.
type casRequest struct {
	id, browser string
	started     time.Time

	client, redirect, state string
	batch                   bool // up to maxHashes documents
	gov, icp                bool // certificates that may be chosen

	cpf      brasil.CPF // whom the code was sent to
	chosen   bool       // the certificate is known
	provider string     // of ICP-Brasil; "" is gov.br's certificate
	code     string
	codeEnds time.Time
}

// casGrant is what a code of the CAS stands for. It is never changed.
type casGrant struct {
	client, redirect string
	cpf              brasil.CPF
	provider         string
	batch            bool
	expires          time.Time
}

// signingToken is leave to sign. The world's lock guards what is left of it.
type signingToken struct {
	client   string
	cpf      brasil.CPF
	provider string
	left     int
	expires  time.Time
}

// getSignAuthorize is GET /oauth2.0/authorize (Assinatura manual). A client or address that is
// not registered is a page with 401; other mistakes go back to the client.
func (s *Server) getSignAuthorize(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	client, redirect, state := w.signature.clients[q.Get("client_id")], q.Get("redirect_uri"), q.Get("state")
	if client == nil || len(q["client_id"]) != 1 {
		return Page{Status: http.StatusUnauthorized, View: errorView{Code: "Unauthorized", Text: "O sistema que pediu a assinatura não é conhecido.",
			Hint: fmt.Sprintf("client_id recebido: %q. A credencial de assinatura é outra que a do Login Único e precisa estar em “clientes_assinatura”.", cutLong(q.Get("client_id")))}}, nil
	}
	if !slices.Contains(client.Redirects, redirect) || len(q["redirect_uri"]) != 1 {
		return Page{Status: http.StatusUnauthorized, View: errorView{Code: "Unauthorized", Text: "O endereço de retorno não está cadastrado para este sistema.",
			Hint: fmt.Sprintf("redirect_uri recebido: %q. Cadastrados, e comparados letra por letra: %s", cutLong(redirect), strings.Join(client.Redirects, " · "))}}, nil
	}
	made := &casRequest{id: fmt.Sprintf("%x", s.bytes(16)), browser: s.browser(x), started: w.now(), client: client.ID, redirect: redirect, state: state}
	if refused := made.read(q); refused != nil {
		return backToClient(redirect, state, refused), nil
	}
	w.signature.pending.put(made.id, made)
	return Redirect{To: "/sim/cas/autorizacao?pedido=" + made.id, Status: http.StatusFound}, nil
}

// read takes over what the client asks for. The words of refusals are this
// simulator's choice.
func (r *casRequest) read(q url.Values) *refusedRequest {
	if name := repeated(q); name != "" {
		return &refusedRequest{"invalid_request", "Parameter must not be repeated: " + cut(name)}
	}
	if kind := q.Get("response_type"); kind != "code" {
		return &refusedRequest{"unsupported_response_type", "Unsupported response type: " + cut(kind)}
	}
	for _, name := range []string{"state", "nonce"} {
		if len(q.Get(name)) > maxParameter {
			return &refusedRequest{"invalid_request", "Parameter too long: " + name}
		}
	}
	asked := map[string]bool{}
	for name := range strings.FieldsSeq(q.Get("scope")) {
		if !slices.Contains([]string{scopeSign, scopeSession, scopeGovBR, scopeICPBrasil}, name) {
			return &refusedRequest{"invalid_scope", "Invalid scope: " + cut(name)}
		}
		asked[name] = true
	}
	if asked[scopeSign] == asked[scopeSession] {
		return &refusedRequest{"invalid_scope", "Exactly one of sign and signature_session is needed"}
	}
	r.batch, r.icp = asked[scopeSession], asked[scopeICPBrasil]
	r.gov = asked[scopeGovBR] || !r.icp
	r.chosen = !r.icp
	return nil
}

// casRequestOf finds the browser's request. Fault: NotFound "govbrsim.login.gone".
// The caller locks.
func (x *Exchange) casRequestOf(q url.Values) (*casRequest, *SignatureClient, error) {
	r, ok := x.World.signature.pending.get(q.Get("pedido"))
	if !ok || x.World.now().Sub(r.started) > authorizationLife ||
		subtle.ConstantTimeCompare([]byte(r.browser), []byte(x.cookieValue("navegador"))) != 1 {
		return nil, nil, fault.New(fault.NotFound, "govbrsim.login.gone")
	}
	client := x.World.signature.clients[r.client]
	if client == nil {
		return nil, nil, fault.New(fault.NotFound, "govbrsim.login.gone")
	}
	return r, client, nil
}

// getSignScreen shows where the request stands. Who is not signed in does so
// first, at Login Único: the CAS has no accounts of its own.
func (s *Server) getSignScreen(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	r, client, err := x.casRequestOf(q)
	if err != nil {
		return nil, err
	}
	found := x.session()
	if found == nil {
		return s.signInAt(x, "/sim/cas/autorizacao?pedido="+r.id), nil
	}
	if r.cpf != found.cpf {
		r.cpf, r.code, r.chosen, r.provider = found.cpf, "", !r.icp, ""
	}
	if r.chosen && r.code == "" {
		s.sendSignCode(w, r, client)
	}
	return w.signScreen(r, client, ""), nil
}

// signScreen draws the screen of the request's step. The caller locks.
func (w *World) signScreen(r *casRequest, client *SignatureClient, wrong string) Answer {
	p := w.people[r.cpf]
	v := signView{Request: r.id, Service: client.Name, Name: p.displayName(), CPF: p.CPF, Batch: r.batch, Provider: r.provider, Gov: r.gov,
		Fixed: client.Environment == Homologacao, Wrong: wrong}
	page := Page{View: signCodeView{v}, Client: true}
	if !r.chosen {
		page.View = signKindView{v}
	}
	if wrong != "" {
		page.Status = http.StatusUnprocessableEntity
	}
	return page
}

// onSignForm runs a handler of a form of the CAS with the world locked and the
// person signed in.
func (s *Server) onSignForm(x *Exchange, do func(form url.Values, r *casRequest, client *SignatureClient) (Answer, error)) (Answer, error) {
	form, err := x.form()
	if err != nil {
		return nil, err
	}
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	r, client, err := x.casRequestOf(form)
	if err != nil {
		return nil, err
	}
	if found := x.session(); found == nil || found.cpf != r.cpf {
		return signScreenAgain(r), nil
	}
	return do(form, r, client)
}

func signScreenAgain(r *casRequest) Answer {
	return Redirect{To: "/sim/cas/autorizacao?pedido=" + r.id}
}

// postSignKind chooses the certificate: gov.br's, or one of ICP-Brasil's at a
// provider that has one of this person.
func (s *Server) postSignKind(x *Exchange) (Answer, error) {
	return s.onSignForm(x, func(form url.Values, r *casRequest, client *SignatureClient) (Answer, error) {
		choice := form.Get("certificado")
		switch {
		case choice == scopeGovBR && r.gov:
			r.provider = ""
		case r.icp && slices.Contains(CloudProviders(), choice):
			if has := x.World.people[r.cpf].Certificate; has != choice {
				return x.World.signScreen(r, client, "Este prestador não tem certificado ICP-Brasil em nuvem do seu CPF. No simulador, quem tem qual está em “certificado_nuvem” da pessoa."), nil
			}
			r.provider = choice
		default:
			return x.World.signScreen(r, client, "Escolha um dos certificados."), nil
		}
		r.chosen, r.code = true, ""
		return signScreenAgain(r), nil
	})
}

// sendSignCode makes the code that the person types to authorise. The caller locks.
func (s *Server) sendSignCode(w *World, r *casRequest, client *SignatureClient) {
	p := w.people[r.cpf]
	n := new(big.Int).SetBytes(s.bytes(8))
	r.code = fmt.Sprintf("%05d", n.Mod(n, big.NewInt(100_000)).Int64())
	r.codeEnds = w.now().Add(codeLife)
	m := Message{Kind: "aplicativo", CPF: p.CPF, To: "aplicativo gov.br de " + p.displayName(), Code: r.code,
		Text: "Seu código para autorizar a assinatura em " + client.Name + " é " + r.code + ". Ele vale por 5 minutos."}
	if client.Environment == Homologacao && p.Phone != "" { // production writes to the app
		m.Kind, m.To = "sms", p.Phone
	}
	w.send(m)
}

// postSignCode sends another code.
func (s *Server) postSignCode(x *Exchange) (Answer, error) {
	return s.onSignForm(x, func(_ url.Values, r *casRequest, client *SignatureClient) (Answer, error) {
		if text := x.World.locked(r.cpf); text != "" {
			return x.World.signScreen(r, client, text), nil
		}
		r.code = ""
		return signScreenAgain(r), nil
	})
}

// postSignDecision ends the request: with a code for the client, or refused.
func (s *Server) postSignDecision(x *Exchange) (Answer, error) {
	return s.onSignForm(x, func(form url.Values, r *casRequest, client *SignatureClient) (Answer, error) {
		w := x.World
		switch form.Get("decisao") {
		case "autorizar":
		case "recusar":
			w.signature.pending.take(r.id)
			return backToClient(r.redirect, r.state, &refusedRequest{"access_denied", "User denied access"}), nil
		default:
			return w.signScreen(r, client, "Escolha autorizar ou recusar."), nil
		}
		if !r.chosen {
			return signScreenAgain(r), nil
		}
		if wrong := w.signCodeWrong(r, client, form.Get("codigo")); wrong != "" {
			return w.signScreen(r, client, wrong), nil
		}
		w.signature.pending.take(r.id)
		code := s.grantSigning(w, &casGrant{client: r.client, redirect: r.redirect, cpf: r.cpf, provider: r.provider, batch: r.batch})
		return toClient(r.redirect, "code", code, "state", r.state), nil
	})
}

// signCodeWrong tells what is wrong with a code that was typed; "" when it is
// right. The caller locks.
func (w *World) signCodeWrong(r *casRequest, client *SignatureClient, typed string) string {
	if text := w.locked(r.cpf); text != "" {
		return text
	}
	typed = strings.TrimSpace(typed)
	if typed == fixedCode && client.Environment == Homologacao {
		return ""
	}
	if r.code == "" || !w.now().Before(r.codeEnds) {
		return "O código venceu. Peça outro."
	}
	if subtle.ConstantTimeCompare([]byte(typed), []byte(r.code)) != 1 {
		return w.failed(r.cpf, "Código incorreto.")
	}
	return ""
}

// grantSigning keeps a grant under a new code, which looks like those of a CAS.
// The caller locks.
func (s *Server) grantSigning(w *World, g *casGrant) string {
	g.expires = w.now().Add(grantLife)
	w.signature.count++
	code := "OC-" + strconv.FormatInt(w.signature.count, 10) + "-" + b64(s.bytes(24))
	w.signature.codes.put(code, g)
	return code
}

// postSignOther lets another person sign in, and begins anew.
func (s *Server) postSignOther(x *Exchange) (Answer, error) {
	return s.onSignForm(x, func(_ url.Values, r *casRequest, _ *SignatureClient) (Answer, error) {
		x.World.sessions.take(x.cookieValue("sessao"))
		x.setCookie("sessao", "")
		return s.signInAt(x, "/sim/cas/autorizacao?pedido="+r.id), nil
	})
}

// signView is what the screens of the CAS share.
type signView struct {
	Request  string
	Service  string
	Name     string
	CPF      brasil.CPF
	Batch    bool
	Provider string // of ICP-Brasil, once chosen
	Gov      bool   // gov.br's certificate may be chosen
	Fixed    bool   // the fixed code is taken
	Wrong    string // what was wrong with what was sent
}

type signKindView struct{ signView }

type signCodeView struct{ signView }

func (signKindView) Title() string { return "Escolha o certificado" }
func (signCodeView) Title() string { return "Autorização de assinatura" }

func (v signKindView) Body(x *Exchange) templ.Component { return v.body(x) }
func (v signCodeView) Body(x *Exchange) templ.Component { return v.body(x) }

// documents says how much is authorised.
func (v signView) documents() string {
	if v.Batch {
		return "até " + itoa(maxHashes) + " documentos, nos próximos 10 minutos"
	}
	return "1 documento, nos próximos 10 minutos"
}

// providerNames are the providers of certificates in the cloud as people know them.
var providerNames = map[string]string{"neoid": "NeoID (Serpro)", "safeid": "SafeID", "birdid": "BirdID", "serasa": "Serasa ID", "vidaas": "VIDaaS", "remoteid": "RemoteID"}

// certificate names what the person signs with.
func (v signView) certificate() string {
	if v.Provider == "" {
		return "certificado gov.br (assinatura avançada)"
	}
	return "certificado ICP-Brasil em nuvem de " + providerNames[v.Provider] + " (assinatura qualificada)"
}
