package govbrsim

import (
	"bytes"
	"encoding/json"

	"selo/brasil"
	"selo/fault"
)

func (s *Server) getPeople(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) { return map[string]any{"pessoas": sorted(w.people)}, nil })
}

func (s *Server) getPerson(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) { return w.person(brasil.CPF(x.Request.PathValue("cpf"))) })
}

// postPerson makes a person; one with that CPF is an error.
func (s *Server) postPerson(x *Exchange) (Answer, error) {
	var in Person
	if err := x.body(&in); err != nil {
		return nil, err
	}
	return created(x.locked(func(w *World) (any, error) {
		made := in.clone()
		if err := made.check(); err != nil {
			return nil, err
		}
		if w.people[made.CPF] != nil {
			return nil, fault.New(fault.Conflict, "govbrsim.person.taken", "cpf", string(made.CPF))
		}
		return made, w.putPerson(made)
	}))
}

// patch reads the names and values that decodeOver puts onto a record.
func (x *Exchange) patch() (raw json.RawMessage, err error) {
	err = x.body(&raw)
	return raw, err
}

// patchPerson changes the names that are given, and leaves the others. The CPF
// stays.
func (s *Server) patchPerson(x *Exchange) (Answer, error) {
	raw, err := x.patch()
	if err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		p, err := w.person(brasil.CPF(x.Request.PathValue("cpf")))
		if err != nil {
			return nil, err
		}
		c := p.clone()
		if err := decodeOver(raw, c); err != nil {
			return nil, err
		}
		c.CPF = p.CPF
		return c, w.putPerson(c)
	})
}

func (s *Server) deletePerson(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) {
		cpf := brasil.CPF(x.Request.PathValue("cpf"))
		if _, err := w.person(cpf); err != nil {
			return nil, err
		}
		w.removePerson(cpf)
		return nil, nil //nolint:nilnil // nothing to say
	})
}

// removePerson ends an account and its sessions. The caller locks.
func (w *World) removePerson(cpf brasil.CPF) {
	delete(w.people, cpf)
	delete(w.failures, cpf)
	w.sessions.drop(func(found *session) bool { return found.cpf == cpf })
	w.changed++
}

// putLevel gives the person a level, through selos, or one selo.
func (s *Server) putLevel(x *Exchange) (Answer, error) {
	var in struct {
		Level Level  `json:"nivel"`
		Selo  string `json:"selo"`
	}
	if err := x.body(&in); err != nil {
		return nil, err
	}
	c := &checker{}
	if in.Selo == "" {
		oneOf(c, "nivel", in.Level, Bronze, Prata, Ouro)
	} else if !seloPattern.MatchString(in.Selo) {
		c.add("selo", "govbrsim.selo", "valor", cut(in.Selo))
	}
	if err := c.result(); err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		cpf := brasil.CPF(x.Request.PathValue("cpf"))
		if err := w.changePerson(cpf, func(p *Person) {
			if in.Selo != "" {
				p.addSelo(in.Selo, w.now())
			}
			if in.Level != "" {
				p.raise(in.Level, w.now())
			}
		}); err != nil {
			return nil, err
		}
		return w.people[cpf], nil
	})
}

func (s *Server) putPersonSwitches(x *Exchange) (Answer, error) {
	in, err := x.switchesOf()
	if err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		return in, w.changePerson(brasil.CPF(x.Request.PathValue("cpf")), func(p *Person) { p.Switches = in })
	})
}

func (s *Server) getAllCompanies(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) { return map[string]any{"empresas": sorted(w.companies)}, nil })
}

// postCompany makes a company, or puts it in the place of the one with its CNPJ.
func (s *Server) postCompany(x *Exchange) (Answer, error) {
	var in Company
	if err := x.body(&in); err != nil {
		return nil, err
	}
	return created(x.locked(func(w *World) (any, error) {
		made := in.clone()
		return made, w.putCompany(made)
	}))
}

func (s *Server) deleteCompany(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) {
		cnpj := brasil.CNPJ(x.Request.PathValue("cnpj"))
		if w.companies[cnpj] == nil {
			return nil, fault.New(fault.NotFound, "govbrsim.company.none", "cnpj", cut(string(cnpj)))
		}
		delete(w.companies, cnpj)
		w.changed++
		return nil, nil //nolint:nilnil // nothing to say
	})
}

// putMember links a person to a company, in the place of an earlier link.
func (s *Server) putMember(x *Exchange) (Answer, error) {
	in := Member{Linked: true}
	if err := x.body(&in); err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		cnpj := brasil.CNPJ(x.Request.PathValue("cnpj"))
		in.CPF = brasil.CPF(x.Request.PathValue("cpf"))
		if in.CreatedAt.IsZero() {
			in.CreatedAt = w.now()
		}
		err := w.changeCompany(cnpj, func(c *Company) {
			if m := c.member(in.CPF); m != nil {
				*m = in
			} else {
				c.Members = append(c.Members, in)
			}
		})
		if err != nil {
			return nil, err
		}
		return w.companies[cnpj], nil
	})
}

func (s *Server) deleteMember(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) {
		cpf := brasil.CPF(x.Request.PathValue("cpf"))
		return nil, w.changeCompany(brasil.CNPJ(x.Request.PathValue("cnpj")), func(c *Company) {
			kept := []Member{}
			for _, m := range c.Members {
				if m.CPF != cpf {
					kept = append(kept, m)
				}
			}
			c.Members = kept
		})
	})
}

func (s *Server) getClients(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) { return map[string]any{"clientes": sorted(w.clients)}, nil })
}

// postClient makes a client; one with that id is an error.
func (s *Server) postClient(x *Exchange) (Answer, error) {
	var in Client
	if err := x.body(&in); err != nil {
		return nil, err
	}
	return created(x.locked(func(w *World) (any, error) {
		if w.clients[in.ID] != nil {
			return nil, fault.New(fault.Conflict, "govbrsim.client.taken", "cliente", cut(in.ID))
		}
		if in.Scopes == nil {
			in.Scopes = DefaultScopes()
		}
		made := in.clone()
		return made, w.putClient(made)
	}))
}

// changeClient changes a copy of a client and keeps it. The caller locks.
func (w *World) changeClient(id string, change func(*Client) error) (*Client, error) {
	found := w.clients[id]
	if found == nil {
		return nil, fault.New(fault.NotFound, "govbrsim.client.none", "cliente", cut(id))
	}
	c := found.clone()
	if err := change(c); err != nil {
		return nil, err
	}
	c.ID = found.ID
	return c, w.putClient(c)
}

// patchClient changes the names that are given, and leaves the others. The id stays.
func (s *Server) patchClient(x *Exchange) (Answer, error) {
	raw, err := x.patch()
	if err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		return w.changeClient(x.Request.PathValue("id"), func(c *Client) error { return decodeOver(raw, c) })
	})
}

func (s *Server) deleteClient(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) {
		id := x.Request.PathValue("id")
		if w.clients[id] == nil {
			return nil, fault.New(fault.NotFound, "govbrsim.client.none", "cliente", cut(id))
		}
		delete(w.clients, id)
		w.changed++
		return nil, nil //nolint:nilnil // nothing to say
	})
}

func (s *Server) putClientSwitches(x *Exchange) (Answer, error) {
	in, err := x.switchesOf()
	if err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		_, err := w.changeClient(x.Request.PathValue("id"), func(c *Client) error { c.Switches = in; return nil })
		return in, err
	})
}

func (s *Server) getAllPowers(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) { return map[string]any{"procuracoes": sorted(w.powers)}, nil })
}

// postPower makes a procuração, or puts it in the place of the one with its id.
func (s *Server) postPower(x *Exchange) (Answer, error) {
	var in Power
	if err := x.body(&in); err != nil {
		return nil, err
	}
	return created(x.locked(func(w *World) (any, error) {
		if in.CreatedAt.IsZero() {
			in.CreatedAt = w.now()
		}
		made := in.clone()
		return made, w.putPower(made)
	}))
}

func (s *Server) getPowerUses(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) { return map[string]any{"usos": append([]PowerUse{}, w.uses...)}, nil })
}

// decodeOver reads names and values onto what is there.
func decodeOver(raw json.RawMessage, into any) error {
	return decodeStrict(bytes.NewReader(raw), into)
}
