package govbrsim

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"selo/brasil"
	"selo/fault"

	"github.com/smallstep/pkcs7"
)

// Bounds of what a world remembers of signatures.
const (
	maxHolders    = 2000
	maxSignatures = 2000
)

// signatures is what a world knows of Assinatura Eletrônica.
type signatures struct {
	clients map[string]*SignatureClient
	pending *bounded[*casRequest]     // by id
	codes   *bounded[*casGrant]       // by code
	tokens  *bounded[*signingToken]   // by token
	keys    *bounded[*rsa.PrivateKey] // by CPF
	holders *bounded[*holder]         // by profile
	count   int64                     // of codes
	made    []SignatureMade
}

func newSignatures(clients []*SignatureClient) signatures {
	s := signatures{clients: map[string]*SignatureClient{}, pending: newBounded[*casRequest](maxPending), codes: newBounded[*casGrant](maxCodes),
		tokens: newBounded[*signingToken](maxCodes), keys: newBounded[*rsa.PrivateKey](maxHolders), holders: newBounded[*holder](maxHolders)}
	for _, c := range clients {
		s.clients[c.ID] = c.clone()
	}
	return s
}

// SignatureMade is a signature that was given, for tests to look at.
type SignatureMade struct {
	At       time.Time  `json:"em"`
	CPF      brasil.CPF `json:"cpf"`
	ClientID string     `json:"client_id"`
	Digest   []byte     `json:"hash"`               // SHA-256
	Provider string     `json:"provedor,omitempty"` // of ICP-Brasil; none: gov.br's certificate
}

// signatureRoutes are the CAS, the signature service and the chain.
func (s *Server) signatureRoutes() []Route {
	return []Route{
		{http.MethodGet, "/sim/cas/oauth2.0/authorize", Screen, s.getSignAuthorize},
		{http.MethodPost, "/sim/cas/oauth2.0/token", Service, s.postSignToken},
		{http.MethodGet, "/sim/cas/autorizacao", Screen, s.getSignScreen},
		{http.MethodPost, "/sim/cas/certificado", Screen, s.postSignKind},
		{http.MethodPost, "/sim/cas/autorizacao", Screen, s.postSignDecision},
		{http.MethodPost, "/sim/cas/codigo", Screen, s.postSignCode},
		{http.MethodPost, "/sim/cas/outro", Screen, s.postSignOther},

		{http.MethodGet, "/sim/assinatura/externo/v2/certificadoPublico", Service, s.getSignerCertificate},
		{http.MethodPost, "/sim/assinatura/externo/v2/assinarPKCS7", Service, s.postSign},
		{http.MethodGet, "/sim/assinatura/cadeia.pem", Service, s.getChain},
		{http.MethodGet, "/sim/assinatura/cadeia.p7b", Service, s.getChainP7B},
		{http.MethodGet, "/sim/assinatura/lcr/{lista}", Service, s.getRevocationList},
		{http.MethodGet, "/sim/assinatura/cadeia-icp.pem", Service, s.getQualifiedChain},
	}
}

// The texts of 403 (Assinatura manual), word for word.
const (
	textNoLevel = "Cidadão não possui a identidade (Prata ou Ouro) necessária para uso da assinatura eletrônica digital."
	textBadCPF  = "CPF com situação cancelada, nula ou falecido na Receita Federal não permite uso da assinatura eletrônica digital."
)

const plainText = "text/plain;charset=UTF-8"

// springError is how the services of ITI refuse (Assinatura manual).
type springError struct {
	Timestamp int64  `json:"timestamp"` // milliseconds
	Status    int    `json:"status"`
	Error     string `json:"error"`
	Message   string `json:"message"`
	Path      string `json:"path"`
}

// refuseSpring answers with that body; path is the real service's. The caller locks.
func (w *World) refuseSpring(status int, message, path string) Answer {
	return Wire{Status: status, Body: springError{w.now().UnixMilli(), status, http.StatusText(status), orElse(message, "No message available"), path}}
}

// signer is whom a token lets sign, as read with the lock and used without it.
type signer struct {
	token   *signingToken
	profile profile
	person  *Person
	flaws   []SignatureFlaw
	now     time.Time
	base    string
}

// signerOf reads the token of a request. The answer is nil when the person may
// sign. That a token which is used up or ended is answered with 401 is this
// simulator's choice. The caller locks.
func (w *World) signerOf(x *Exchange, path string) (*signer, Answer) {
	text, found := strings.CutPrefix(x.Request.Header.Get("Authorization"), "Bearer ")
	token, ok := w.signature.tokens.get(strings.TrimSpace(text))
	if !found || !ok || !w.now().Before(token.expires) || token.left == 0 {
		return nil, w.refuseSpring(http.StatusUnauthorized, "", path)
	}
	p, client := w.people[token.cpf], w.signature.clients[token.client]
	if p == nil || client == nil {
		return nil, w.refuseSpring(http.StatusUnauthorized, "", path)
	}
	if token.provider == "" && p.EffectiveLevel() == Bronze {
		return nil, Bytes{Status: http.StatusForbidden, Type: plainText, Body: []byte(textNoLevel)}
	}
	if slices.Contains([]Situation{Deceased, Multiple, Void, ExOfficio}, p.Situation) {
		return nil, Bytes{Status: http.StatusForbidden, Type: plainText, Body: []byte(textBadCPF)}
	}
	out := &signer{token: token, person: p, flaws: w.signatureFlawsFor(client, p), now: w.now(), base: w.base}
	out.profile = profileOf(p, out.flaws)
	return out, nil
}

// profileOf is the certificate that the person has, with its flaws.
func profileOf(p *Person, flaws []SignatureFlaw) profile {
	out := profile{cpf: p.CPF, name: p.Name, email: p.Email, born: p.Born}
	for _, f := range flaws {
		switch f {
		case FlawOtherPerson:
			out.cpf, out.name, out.email = "99999999808", "OUTRA PESSOA FICTÍCIA", ""
		case FlawOtherCA:
			out.foreign = true
		case FlawExpiredCert:
			out.expired = true
		case FlawCPFInName:
			out.place = cpfInName
		case FlawNoCPF:
			out.place = cpfNowhere
		case FlawDigest, FlawBits, FlawAttached, FlawNoChain: // of the signature
		}
	}
	return out
}

// holderOf is the person's key and certificate, made on demand. Making a key
// takes a while, so the caller does not lock.
func (s *Server) holderOf(w *World, by *signer) (*holder, error) {
	name := by.token.provider + fmt.Sprintf("%+v", by.profile)
	w.mu.Lock()
	known, ok := w.signature.holders.get(name)
	key, hasKey := w.signature.keys.get(string(by.profile.cpf))
	w.mu.Unlock()
	if ok && (known.inForce(by.now) || by.profile.expired) {
		return known, nil
	}
	if !hasKey {
		var err error
		if key, err = s.newKey(); err != nil {
			return nil, fmt.Errorf("make key: %w", err)
		}
	}
	made, err := s.issue(by, key)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if other, there := w.signature.holders.get(name); there && other != known {
		return other, nil // another request was quicker
	}
	w.signature.keys.put(string(by.profile.cpf), made.key)
	w.signature.holders.put(name, made)
	return made, nil
}

// issue makes the certificate: gov.br's, or that of the provider of ICP-Brasil.
func (s *Server) issue(by *signer, key *rsa.PrivateKey) (*holder, error) {
	if by.token.provider != "" {
		return s.issueQualified(by, key)
	}
	ca, err := s.authority()
	if err != nil {
		return nil, err
	}
	return ca.issue(by.profile, key, by.base, by.now)
}

const (
	pathCertificate = "/externo/v2/certificadoPublico"
	pathSign        = "/externo/v2/assinarPKCS7"
)

// getSignerCertificate is certificadoPublico (Assinatura manual): PEM. It does not use the
// token up.
func (s *Server) getSignerCertificate(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	by, refusal := w.signerOf(x, pathCertificate)
	w.mu.Unlock()
	if refusal != nil {
		return refusal, nil
	}
	h, err := s.holderOf(w, by)
	if err != nil {
		return nil, err
	}
	return Bytes{Type: plainText, Body: certificatePEM(h.cert)}, nil
}

// postSign is assinarPKCS7 (Assinatura manual): a detached CMS over the digest, binary.
func (s *Server) postSign(x *Exchange) (Answer, error) {
	digest, wrong := x.digest()
	w := x.World
	w.mu.Lock()
	by, refusal := w.signerOf(x, pathSign)
	if refusal == nil && wrong != "" {
		refusal = w.refuseSpring(http.StatusBadRequest, wrong, pathSign)
	}
	if refusal != nil {
		w.mu.Unlock()
		return refusal, nil
	}
	by.token.left--
	w.signature.made = append(w.signature.made, SignatureMade{At: by.now, CPF: by.person.CPF, ClientID: by.token.client, Digest: digest[:], Provider: by.token.provider})
	if n := len(w.signature.made); n > maxSignatures {
		w.signature.made = slices.Clone(w.signature.made[n-maxSignatures:])
	}
	w.mu.Unlock()
	h, err := s.holderOf(w, by)
	if err != nil {
		return nil, err
	}
	der, err := h.sign(digest, by.now, by.flaws)
	if err != nil {
		return nil, err
	}
	return Bytes{Type: "application/octet-stream", Body: der}, nil
}

// digest reads the body of assinarPKCS7, and tells what is wrong with it.
func (x *Exchange) digest() (digest [32]byte, wrong string) {
	var in struct {
		Hash *string `json:"hashBase64"`
	}
	if media, _, _ := strings.Cut(x.Request.Header.Get("Content-Type"), ";"); strings.TrimSpace(media) != "application/json" {
		return digest, "Content type must be application/json"
	}
	if err := json.NewDecoder(x.Request.Body).Decode(&in); err != nil || in.Hash == nil {
		return digest, "Required request body is missing or malformed: hashBase64"
	}
	raw, err := base64.StdEncoding.DecodeString(*in.Hash)
	if err != nil {
		return digest, "hashBase64 is not Base64"
	}
	if len(raw) != len(digest) {
		return digest, fmt.Sprintf("hashBase64 must hold the %d bytes of a SHA-256, it holds %d", len(digest), len(raw))
	}
	return [32]byte(raw), ""
}

// getChain is the authorities for verification, the root first.
func (s *Server) getChain(*Exchange) (Answer, error) {
	ca, err := s.authority()
	if err != nil {
		return nil, err
	}
	return Bytes{Type: "application/x-pem-file", Body: ca.pem()}, nil
}

func (s *Server) getChainP7B(*Exchange) (Answer, error) {
	ca, err := s.authority()
	if err != nil {
		return nil, err
	}
	var certs []byte
	for _, cert := range ca.certs {
		certs = append(certs, cert.Raw...)
	}
	der, err := pkcs7.DegenerateCertificate(certs)
	if err != nil {
		return nil, fmt.Errorf("write chain: %w", err)
	}
	return Bytes{Type: "application/x-pkcs7-certificates", Body: der}, nil
}

// getRevocationList is the list of one authority. Fault: NotFound "govbrsim.not_found".
func (s *Server) getRevocationList(x *Exchange) (Answer, error) {
	ca, err := s.authority()
	if err != nil {
		return nil, err
	}
	der, err := ca.list(x.Request.PathValue("lista"), x.World.Now())
	if err != nil {
		return nil, fmt.Errorf("make revocation list: %w", err)
	}
	if der == nil {
		return nil, fault.New(fault.NotFound, "govbrsim.not_found")
	}
	return Bytes{Type: "application/pkix-crl", Body: der}, nil
}
