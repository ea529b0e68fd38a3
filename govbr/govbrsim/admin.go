package govbrsim

import (
	"crypto/subtle"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"selo/brasil"
	"selo/fault"
	"selo/locale"
)

// adminRoutes are the administration that tests use: JSON in, JSON out.
func (s *Server) adminRoutes() []Route {
	return []Route{
		{http.MethodGet, "/sim/admin/mundos", Admin, s.getWorlds},
		{http.MethodPost, "/sim/admin/mundos", Admin, s.postWorld},
		{http.MethodDelete, "/sim/admin/mundos/{nome}", Admin, s.deleteWorld},
		{http.MethodPost, "/sim/admin/reinicio", Admin, s.postReset},
		{http.MethodGet, "/sim/admin/relogio", Admin, s.getClock},
		{http.MethodPost, "/sim/admin/relogio", Admin, s.postClock},
		{http.MethodGet, "/sim/admin/interruptores", Admin, s.getSwitches},
		{http.MethodPut, "/sim/admin/interruptores", Admin, s.putSwitches},
		{http.MethodGet, "/sim/admin/caixa", Admin, s.getInbox},
		{http.MethodDelete, "/sim/admin/caixa", Admin, s.deleteInbox},
		{http.MethodPost, "/sim/admin/autorizacoes", Admin, s.postAuthorization},

		{http.MethodGet, "/sim/admin/pessoas", Admin, s.getPeople},
		{http.MethodPost, "/sim/admin/pessoas", Admin, s.postPerson},
		{http.MethodGet, "/sim/admin/pessoas/{cpf}", Admin, s.getPerson},
		{http.MethodPatch, "/sim/admin/pessoas/{cpf}", Admin, s.patchPerson},
		{http.MethodDelete, "/sim/admin/pessoas/{cpf}", Admin, s.deletePerson},
		{http.MethodPut, "/sim/admin/pessoas/{cpf}/nivel", Admin, s.putLevel},
		{http.MethodPut, "/sim/admin/pessoas/{cpf}/interruptores", Admin, s.putPersonSwitches},

		{http.MethodGet, "/sim/admin/empresas", Admin, s.getAllCompanies},
		{http.MethodPost, "/sim/admin/empresas", Admin, s.postCompany},
		{http.MethodDelete, "/sim/admin/empresas/{cnpj}", Admin, s.deleteCompany},
		{http.MethodPut, "/sim/admin/empresas/{cnpj}/participantes/{cpf}", Admin, s.putMember},
		{http.MethodDelete, "/sim/admin/empresas/{cnpj}/participantes/{cpf}", Admin, s.deleteMember},

		{http.MethodGet, "/sim/admin/clientes", Admin, s.getClients},
		{http.MethodPost, "/sim/admin/clientes", Admin, s.postClient},
		{http.MethodPatch, "/sim/admin/clientes/{id}", Admin, s.patchClient},
		{http.MethodDelete, "/sim/admin/clientes/{id}", Admin, s.deleteClient},
		{http.MethodPut, "/sim/admin/clientes/{id}/interruptores", Admin, s.putClientSwitches},

		{http.MethodGet, "/sim/admin/procuracoes", Admin, s.getAllPowers},
		{http.MethodPost, "/sim/admin/procuracoes", Admin, s.postPower},
		{http.MethodGet, "/sim/admin/procuracoes/usos", Admin, s.getPowerUses},
	}
}

// mayAdminister checks the token or, where there is none, that the request was
// meant for this machine: a page elsewhere whose name points here is refused,
// and so is the simulator's own name where others know it by one.
// Fault: Forbidden "govbrsim.admin".
func (s *Server) mayAdminister(x *Exchange) error {
	if want := s.options.AdminToken; want != "" {
		given := strings.TrimPrefix(x.Request.Header.Get("Authorization"), "Bearer ")
		if subtle.ConstantTimeCompare([]byte(want), []byte(given)) != 1 {
			return fault.New(fault.Forbidden, "govbrsim.admin.token")
		}
		return nil
	}
	if !OwnMachine(x.Request.Host) {
		return fault.New(fault.Forbidden, "govbrsim.admin.host", "valor", cut(x.Request.Host))
	}
	return nil
}

// failAdmin answers with problem+json (RFC 9457), in Portuguese.
func (x *Exchange) failAdmin(f *fault.Fault, status int) {
	failure := locale.Internal(locale.PT, "govbrsim")
	if f != nil {
		failure = locale.Fault(locale.PT, f)
	}
	_ = Wire{Status: status, Headers: map[string]string{"Content-Type": "application/problem+json"}, Body: struct {
		Status int `json:"status"`
		locale.Failure
	}{status, failure}}.write(x)
}

// body reads the JSON of a request. Names that are not known are refused, so
// that a slip does not pass for a success. Faults: Invalid
// "govbrsim.media_type", "govbrsim.json", "govbrsim.json.more".
func (x *Exchange) body(into any) error {
	media, _, err := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return fault.New(fault.Invalid, "govbrsim.media_type").Because(err)
	}
	return decodeStrict(x.Request.Body, into)
}

// done answers an act that has nothing to say.
func done() (Answer, error) { return Wire{Status: http.StatusNoContent}, nil }

// locked runs do with the world locked and answers with what it returns; nil
// is an act that has nothing to say.
func (x *Exchange) locked(do func(w *World) (any, error)) (Answer, error) {
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	body, err := do(x.World)
	if err != nil {
		return nil, err
	}
	if body == nil {
		return done()
	}
	// It is written when the lock is free, and so must not change any more.
	content, err := encode(body)
	if err != nil {
		return nil, err
	}
	return Bytes{Type: "application/json", Body: content}, nil
}

// created is an answer with 201.
func created(a Answer, err error) (Answer, error) {
	if b, ok := a.(Bytes); ok {
		b.Status = http.StatusCreated
		return b, err
	}
	return a, err
}

// worldInfo is a world as the administration lists it.
type worldInfo struct {
	Name    string `json:"nome"`
	URL     string `json:"url"`
	Issuer  string `json:"emissor"`
	People  int    `json:"pessoas"`
	Clients int    `json:"clientes"`
}

func (w *World) info() worldInfo {
	return worldInfo{Name: w.name, URL: w.base, Issuer: w.issuer(), People: len(w.people), Clients: len(w.clients)}
}

func (s *Server) getWorlds(*Exchange) (Answer, error) {
	list := []worldInfo{}
	for _, name := range s.worldNames() {
		if w, err := s.World(name); err == nil {
			w.mu.Lock()
			list = append(list, w.info())
			w.mu.Unlock()
		}
	}
	return Wire{Body: map[string]any{"mundos": list}}, nil
}

// postWorld makes a world; without a name it gets one.
func (s *Server) postWorld(x *Exchange) (Answer, error) {
	var in struct {
		Name string `json:"nome"`
	}
	if err := x.body(&in); err != nil {
		return nil, err
	}
	if in.Name == "" {
		in.Name = "m" + s.jti()[:13]
	}
	w, err := s.CreateWorld(in.Name)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return Wire{Status: http.StatusCreated, Body: w.info()}, nil
}

func (s *Server) deleteWorld(x *Exchange) (Answer, error) {
	if err := s.DeleteWorld(x.Request.PathValue("nome")); err != nil {
		return nil, err
	}
	return done()
}

// postReset puts the world back to what it began with.
func (s *Server) postReset(x *Exchange) (Answer, error) {
	x.World.reset(s.options.People, s.options.Clients)
	return done()
}

// clockInfo is the world's clock.
type clockInfo struct {
	Now   time.Time `json:"agora"`
	Still bool      `json:"parado"`
}

func (w *World) clock() clockInfo { return clockInfo{Now: w.now(), Still: !w.frozen.IsZero()} }

func (s *Server) getClock(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) { return w.clock(), nil })
}

// postClock sets the clock, lets it stand or run, and moves it, in that order.
func (s *Server) postClock(x *Exchange) (Answer, error) {
	var in struct {
		Advance *Duration  `json:"avancar"`
		Set     *time.Time `json:"agora"`
		Still   *bool      `json:"parado"`
	}
	if err := x.body(&in); err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		if in.Set != nil && (in.Set.Year() < 1900 || in.Set.Year() > 2200) {
			return nil, fault.New(fault.Invalid, "govbrsim.clock")
		}
		if in.Advance != nil && (*in.Advance > Duration(10*365*24*time.Hour) || *in.Advance < -Duration(10*365*24*time.Hour)) {
			return nil, fault.New(fault.Invalid, "govbrsim.clock")
		}
		if in.Set != nil || in.Still != nil {
			at := w.now()
			if in.Set != nil {
				at = *in.Set
			}
			w.setClock(at, is(in.Still, !w.frozen.IsZero()))
		}
		if in.Advance != nil {
			w.advance(time.Duration(*in.Advance))
		}
		return w.clock(), nil
	})
}

func (s *Server) getSwitches(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) { return w.switches, nil })
}

// switchesOf reads and checks switches.
func (x *Exchange) switchesOf() (Switches, error) {
	var in Switches
	if err := x.body(&in); err != nil {
		return in, err
	}
	c := &checker{}
	in.check(c)
	return in, c.result()
}

// putSwitches sets all of the world's switches; those not named are unset.
func (s *Server) putSwitches(x *Exchange) (Answer, error) {
	in, err := x.switchesOf()
	if err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		w.switches = in
		w.changed++
		return in, nil
	})
}

// getInbox lists the messages, the oldest first; ?cpf= and ?depois= (an id)
// choose.
func (s *Server) getInbox(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	after, err := strconv.ParseInt(orElse(q.Get("depois"), "0"), 10, 64)
	if err != nil {
		return nil, fault.New(fault.Invalid, "govbrsim.query").Because(err)
	}
	return x.locked(func(w *World) (any, error) {
		list := []Message{}
		for _, m := range w.inbox {
			if m.ID > after && (q.Get("cpf") == "" || m.CPF == brasil.CPF(q.Get("cpf"))) {
				list = append(list, m)
			}
		}
		return map[string]any{"mensagens": list}, nil
	})
}

func (s *Server) deleteInbox(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) {
		w.inbox = nil
		w.changed++
		return nil, nil //nolint:nilnil // nothing to say
	})
}
