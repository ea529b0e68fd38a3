package govbrsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"selo/brasil"
)

// apiErrors is the envelope of all refusals of the APIs (Login Único manual).
type apiErrors struct {
	Errors []apiError `json:"errors"`
}

type apiError struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
}

// The codes; the manual has the first two and those of procurações, the others
// are this simulator's choice.
const (
	codeToken      = "ACCESSTOKEN_MUSTBEVALID"
	codeScope      = "ACCESSTOKEN_SCOPE_MUSTCONTAINSEXPECTEDSCOPE"
	codeOtherCPF   = "REQUEST_CPF_MUSTMATCHACCESSTOKENSUB"
	codeNotFound   = "RESOURCE_NOTFOUND"
	codeInvalid    = "REQUEST_MUSTBEVALID"
	codePoaClient  = "REQUEST_POAACCESSHISTORY_CLIENTID_MUSTMATCHREQUESTACCESSTOKENAUD"
	codePoaService = "REQUEST_POAACCESSHISTORY_CLIENTIDANDSERVICEID_MUSTMATCHPOASERVICECLIENTIDANDSERVICEID"
	codePoaQuery   = "REQUEST_CLIENTID_MUSTMATCHREQUESTACCESSTOKENAUD"
	codePoaAgent   = "REQUEST_POA_AGENT_MUSTMATCHREQUESTACCESSTOKENSUB"
)

func refuseAPI(status int, code, title string) Answer {
	return Wire{Status: status, Body: apiErrors{Errors: []apiError{{Status: status, Code: code, Title: title}}}}
}

// allowed checks the token and its scope for an API. The answer is nil when the
// request may go on. The caller locks.
func (s *Server) allowed(x *Exchange, scope string) (accessClaims, Answer) {
	claims, _, ok := s.bearer(x)
	if !ok {
		return claims, refuseAPI(http.StatusUnauthorized, codeToken, "Access token inválido.")
	}
	if !slices.Contains(claims.Scope, scope) {
		return claims, refuseAPI(http.StatusUnauthorized, codeScope,
			fmt.Sprintf("Escopo requerido não encontrado. Valor esperado: '%s', valor recebido: '%s'.", scope, strings.Join(claims.Scope, " ")))
	}
	return claims, nil
}

// allowedFor is allowed for what belongs to the CPF in the path: the token's
// own, or that of the grantor it acts for. The caller locks.
func (s *Server) allowedFor(x *Exchange, scope, cpf string) (*Person, Answer) {
	claims, refusal := s.allowed(x, scope)
	if refusal != nil {
		return nil, refusal
	}
	if cpf != claims.Username && (claims.Grantor == "" || cpf != claims.Grantor) {
		return nil, refuseAPI(http.StatusForbidden, codeOtherCPF, "O CPF da requisição deve coincidir com o do access token.")
	}
	p := x.World.people[brasil.CPF(cpf)]
	if p == nil {
		return nil, refuseAPI(http.StatusNotFound, codeNotFound, "Conta não encontrada.")
	}
	return p, nil
}
