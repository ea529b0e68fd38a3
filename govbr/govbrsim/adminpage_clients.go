package govbrsim

import (
	"net/http"
	"net/url"

	"selo/fault"
)

func (s *Server) getClientsPage(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	return Page{View: clientsPageView{Clients: sorted(w.clients), Notice: editNotices[q.Get("feito")]}}, nil
}

func clientPath(id string) string { return "/sim/clientes/" + url.PathEscape(id) }

// clientView is the page of a client; nil is a new one.
func clientView(c *Client) recordView {
	v := recordView{Heading: "Novo cliente", Action: "/sim/clientes/novo", List: "/sim/clientes", ListName: "Clientes"}
	if c == nil {
		v.Rows = rowsOf(&Client{Environment: Homologacao, Scopes: DefaultScopes()}, clientFields(true))
		return v
	}
	v.Heading, v.Key, v.Action = c.Name, c.ID, clientPath(c.ID)
	v.Rows, v.Switches, v.Exists = rowsOf(c, clientFields(false)), rowsOf(c.Switches, switchFields()), true
	return v
}

// pathClient is the client of the address; nil on the page of a new one. Fault:
// NotFound "govbrsim.client.none". The caller locks.
func (x *Exchange) pathClient() (*Client, error) {
	id := x.Request.PathValue("id")
	if id == "" {
		return nil, nil //nolint:nilnil // the page of a new client
	}
	if c := x.World.clients[id]; c != nil {
		return c, nil
	}
	return nil, fault.New(fault.NotFound, "govbrsim.client.none", "cliente", cut(id))
}

func (s *Server) getClientPage(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	x.World.mu.Lock()
	defer x.World.mu.Unlock()
	c, err := x.pathClient()
	if err != nil {
		return nil, err
	}
	v := clientView(c)
	v.Notice = editNotices[q.Get("feito")]
	return Page{View: v}, nil
}

// postClientPage makes or changes a client.
func (s *Server) postClientPage(x *Exchange) (Answer, error) {
	return x.edit(func(form url.Values, w *World) (Answer, error) {
		c, err := x.pathClient()
		if err != nil {
			return nil, err
		}
		v := clientView(c)
		rows, values := readRows(form, clientFields(c == nil), true)
		v.Rows = rows
		made := &Client{}
		if c != nil {
			made = c.clone()
		}
		if err = decodeValues(values, made); err == nil {
			if c == nil && w.clients[made.ID] != nil {
				err = fault.New(fault.Conflict, "govbrsim.client.taken", "cliente", cut(made.ID))
			} else {
				err = w.putClient(made)
			}
		}
		if err == nil {
			return Redirect{To: clientPath(made.ID) + "?feito=salvo"}, nil
		}
		if v.Wrong, err = blame(v.Rows, err); err != nil {
			return nil, err
		}
		return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
	})
}

func (s *Server) postClientSwitches(x *Exchange) (Answer, error) {
	return x.edit(func(form url.Values, w *World) (Answer, error) {
		c, err := x.pathClient()
		if err != nil {
			return nil, err
		}
		in, rows := readSwitches(form)
		if rows != nil {
			v := clientView(c)
			v.Switches = rows
			return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
		}
		_, err = w.changeClient(c.ID, func(c *Client) error { c.Switches = in; return nil })
		return Redirect{To: clientPath(c.ID) + "?feito=interruptores"}, err
	})
}

func (s *Server) postClientGone(x *Exchange) (Answer, error) {
	return x.edit(func(_ url.Values, w *World) (Answer, error) {
		c, err := x.pathClient()
		if err != nil {
			return nil, err
		}
		delete(w.clients, c.ID)
		w.changed++
		return Redirect{To: "/sim/clientes?feito=excluido"}, nil
	})
}
