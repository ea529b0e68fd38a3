package govbr

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"selo/fault"
)

// refusal is what is read of the bodies with which gov.br says no: OAuth's, the
// resource APIs' envelope (LU:erroscomuns), Spring's, the manual's own spelling
// erro_description included.
type refusal struct {
	Error string // "invalid_grant"
	Code  string // "ACCESSTOKEN_MUSTBEVALID"
}

var (
	oauthCode = regexp.MustCompile(`^[A-Za-z0-9_]{1,60}$`)
	apiCode   = regexp.MustCompile(`^[A-Z0-9_]{1,120}$`)
)

// readRefusal never fails: what cannot be read is left out. Free text is left
// out too, for it may repeat a code or a CPF.
func readRefusal(a *answer) refusal {
	var body struct {
		Error  json.RawMessage `json:"error"`
		Errors json.RawMessage `json:"errors"`
	}
	var r refusal
	if json.Unmarshal(a.body, &body) != nil {
		return r
	}
	var word string
	if json.Unmarshal(body.Error, &word) == nil && oauthCode.MatchString(word) {
		r.Error = word
	}
	var list []struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(body.Errors, &list) == nil && len(list) > 0 && apiCode.MatchString(list[0].Code) {
		r.Code = list[0].Code
	}
	return r
}

// refusalCause is for the log: codes, no free text.
func refusalCause(a *answer) error {
	r := readRefusal(a)
	return fmt.Errorf("status %d %s", a.status, cmp.Or(r.Code, r.Error, "without code"))
}

// refused judges an answer of a resource API that is not 2xx (LU, erros comuns).
//
// Faults: Forbidden govbr.token_refused, govbr.scope_missing, govbr.forbidden;
// NotFound govbr.not_found; Invalid govbr.refused; Unavailable govbr.strange.
func refused(s service, a *answer) error {
	r := readRefusal(a)
	cause := refusalCause(a)
	switch {
	case r.Code == "ACCESSTOKEN_SCOPE_MUSTCONTAINSEXPECTEDSCOPE":
		return fault.New(fault.Forbidden, "govbr.scope_missing", "servico", string(s)).Because(cause)
	case r.Code == "ACCESSTOKEN_MUSTBEVALID", a.status == http.StatusUnauthorized:
		return fault.New(fault.Forbidden, "govbr.token_refused", "servico", string(s)).Because(cause)
	case a.status == http.StatusForbidden:
		return fault.New(fault.Forbidden, "govbr.forbidden", "servico", string(s), "codigo", cmp.Or(r.Code, strconv.Itoa(a.status))).Because(cause)
	case a.status == http.StatusNotFound:
		return fault.New(fault.NotFound, "govbr.not_found", "servico", string(s)).Because(cause)
	case a.status == http.StatusBadRequest, a.status == http.StatusUnprocessableEntity:
		return fault.New(fault.Invalid, "govbr.refused", "servico", string(s), "codigo", cmp.Or(r.Code, strconv.Itoa(a.status))).Because(cause)
	}
	return strange(s, "status %d", a.status)
}
