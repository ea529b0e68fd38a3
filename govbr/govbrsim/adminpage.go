package govbrsim

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"selo/brasil"
	"selo/fault"
)

// adminPageRoutes are the pages that edit a world while it runs.
func (s *Server) adminPageRoutes() []Route {
	return []Route{
		{http.MethodGet, "/sim/administrar", Screen, s.getAdminEntry},
		{http.MethodPost, "/sim/administrar", Screen, s.postAdminEntry},
		{http.MethodGet, "/sim/pessoas", Screen, s.editor(s.getPeoplePage)},
		{http.MethodGet, "/sim/pessoas/nova", Screen, s.editor(s.getPersonPage)},
		{http.MethodPost, "/sim/pessoas/nova", Screen, s.editor(s.postPersonPage)},
		{http.MethodGet, "/sim/pessoas/{cpf}", Screen, s.editor(s.getPersonPage)},
		{http.MethodPost, "/sim/pessoas/{cpf}", Screen, s.editor(s.postPersonPage)},
		{http.MethodPost, "/sim/pessoas/{cpf}/interruptores", Screen, s.editor(s.postPersonSwitches)},
		{http.MethodPost, "/sim/pessoas/{cpf}/excluir", Screen, s.editor(s.postPersonGone)},
		{http.MethodGet, "/sim/clientes", Screen, s.editor(s.getClientsPage)},
		{http.MethodGet, "/sim/clientes/novo", Screen, s.editor(s.getClientPage)},
		{http.MethodPost, "/sim/clientes/novo", Screen, s.editor(s.postClientPage)},
		{http.MethodGet, "/sim/clientes/{id}", Screen, s.editor(s.getClientPage)},
		{http.MethodPost, "/sim/clientes/{id}", Screen, s.editor(s.postClientPage)},
		{http.MethodPost, "/sim/clientes/{id}/interruptores", Screen, s.editor(s.postClientSwitches)},
		{http.MethodPost, "/sim/clientes/{id}/excluir", Screen, s.editor(s.postClientGone)},
		{http.MethodGet, "/sim/mundo", Screen, s.editor(s.getWorldPage)},
		{http.MethodPost, "/sim/mundo/relogio", Screen, s.editor(s.postClockPage)},
		{http.MethodPost, "/sim/mundo/interruptores", Screen, s.editor(s.postWorldSwitches)},
		{http.MethodPost, "/sim/mundo/reinicio", Screen, s.editor(s.postResetPage)},
	}
}

// adminProof is what the browser keeps instead of the token.
func (s *Server) adminProof() string {
	sum := sha256.Sum256([]byte("govbrsim administracao\x00" + s.options.AdminToken))
	return hex.EncodeToString(sum[:])
}

// editor lets only those in who may administer: see mayAdminister. A browser
// shows the token once, on a page.
func (s *Server) editor(do func(*Exchange) (Answer, error)) func(*Exchange) (Answer, error) {
	return func(x *Exchange) (Answer, error) {
		if s.options.AdminToken == "" {
			if err := s.mayAdminister(x); err != nil {
				return nil, err
			}
			return do(x)
		}
		if subtle.ConstantTimeCompare([]byte(s.adminProof()), []byte(x.cookieValue("administracao"))) == 1 {
			return do(x)
		}
		if x.Request.Method == http.MethodPost {
			return nil, fault.New(fault.Forbidden, "govbrsim.admin.token")
		}
		return Redirect{To: "/sim/administrar?" + url.Values{"depois": {x.Request.URL.EscapedPath()}}.Encode()}, nil
	}
}

// afterToken is the page that was asked for: one of the simulator's only.
func afterToken(q url.Values) string {
	if to := q.Get("depois"); strings.HasPrefix(to, "/sim/") && !strings.ContainsAny(to, "\\?#") && !strings.Contains(to, "//") && len(to) < maxURL {
		return to
	}
	return "/sim/mundo"
}

func (s *Server) getAdminEntry(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	return Page{View: adminEntryView{Next: afterToken(q)}}, nil
}

func (s *Server) postAdminEntry(x *Exchange) (Answer, error) {
	form, err := x.form()
	if err != nil {
		return nil, err
	}
	if want := s.options.AdminToken; want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(strings.TrimSpace(form.Get("token")))) != 1 {
		return Page{View: adminEntryView{Next: afterToken(form), Wrong: "O token não confere. Ele foi mostrado, ou dado, quando o simulador começou."}, Status: http.StatusUnprocessableEntity}, nil
	}
	x.setCookie("administracao", s.adminProof())
	return Redirect{To: afterToken(form)}, nil
}

// edit runs do with the form read and the world locked.
func (x *Exchange) edit(do func(form url.Values, w *World) (Answer, error)) (Answer, error) {
	form, err := x.form()
	if err != nil {
		return nil, err
	}
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	return do(form, x.World)
}

// worldView is the page of the world. The caller locks.
func (w *World) worldView() worldPageView {
	return worldPageView{Name: w.name, Now: brasiliaTime(w.now()), Still: !w.frozen.IsZero(), Switches: rowsOf(w.switches, switchFields()),
		Typed: w.now().In(brasil.Location()).Format(clockLayout)}
}

const clockLayout = "02/01/2006 15:04:05"

func (s *Server) getWorldPage(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	v := x.World.worldView()
	v.Notice = editNotices[q.Get("feito")]
	return Page{View: v}, nil
}

// postClockPage moves the clock by a step, or sets it, running or still.
func (s *Server) postClockPage(x *Exchange) (Answer, error) {
	return x.edit(func(form url.Values, w *World) (Answer, error) {
		switch step := form.Get("avancar"); {
		case step != "":
			d, err := time.ParseDuration(step)
			if err != nil || d.Abs() > 366*24*time.Hour {
				return nil, fault.New(fault.Invalid, "govbrsim.clock")
			}
			w.advance(d)
		default:
			at, err := time.ParseInLocation(clockLayout, strings.TrimSpace(form.Get("agora")), brasil.Location())
			if err != nil || at.Year() < 1900 || at.Year() > 2200 {
				v := w.worldView()
				v.Typed, v.Wrong = cut(form.Get("agora")), "Informe data e hora como 31/12/2026 23:59:00."
				return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
			}
			w.setClock(at, form.Get("parado") == "sim")
		}
		return Redirect{To: "/sim/mundo?feito=relogio"}, nil
	})
}

func (s *Server) postWorldSwitches(x *Exchange) (Answer, error) {
	return x.edit(func(form url.Values, w *World) (Answer, error) {
		in, rows := readSwitches(form)
		if rows != nil {
			v := w.worldView()
			v.Switches = rows
			return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
		}
		w.switches = in
		w.changed++
		return Redirect{To: "/sim/mundo?feito=interruptores"}, nil
	})
}

func (s *Server) postResetPage(x *Exchange) (Answer, error) {
	if _, err := x.form(); err != nil {
		return nil, err
	}
	x.World.reset(s.options.People, s.options.Clients)
	return Redirect{To: "/sim/mundo?feito=reinicio"}, nil
}

// editNotices tell that something was done.
var editNotices = map[string]string{
	"relogio":       "O relógio do simulador foi mudado.",
	"interruptores": "Os interruptores foram salvos e valem desde já.",
	"reinicio":      "O mundo voltou ao começo: pessoas, clientes, interruptores, relógio e mensagens.",
	"salvo":         "Salvo.",
	"excluido":      "Excluído.",
}
