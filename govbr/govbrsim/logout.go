package govbrsim

import (
	"fmt"
	"net/http"
)

// logout is GET and POST /logout (Login Único manual). The browser's session ends for every
// client, whatever address is given; only a registered one is gone to.
func (s *Server) logout(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	if x.Request.Method == http.MethodPost && !q.Has("post_logout_redirect_uri") {
		if form, err := x.form(); err == nil {
			q = form
		}
	}
	if x.Request.Method == http.MethodPost && x.cookieValue("sessao") == "" {
		// A browser keeps its cookies back from another site's form, but not
		// from the address that the form leads to.
		return Redirect{To: "/logout?" + q.Encode()}, nil
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sessions.take(x.cookieValue("sessao"))
	x.setCookie("sessao", "")
	to := q.Get("post_logout_redirect_uri")
	if to == "" {
		return Page{View: goodbyeView{}}, nil
	}
	client := w.clientOfLogout(to)
	if client == nil || len(q["post_logout_redirect_uri"]) != 1 || is(w.switchesFor(client, nil).UnknownLogout, false) {
		return x.errorPage(errorView{Code: "invalid_request", Text: "O endereço para depois da saída não está cadastrado em nenhum sistema. A sua sessão no gov.br foi encerrada.",
			Hint: fmt.Sprintf("post_logout_redirect_uri recebido: %q. Ele precisa estar em “urls_logout” de um cliente, letra por letra.", cutLong(to))}), nil
	}
	return Redirect{To: to, Status: http.StatusFound}, nil
}
