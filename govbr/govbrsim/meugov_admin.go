package govbrsim

import (
	"time"

	"selo/brasil"
	"selo/fault"
)

func (s *Server) getAgencies(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) {
		return map[string]any{"clientes_prova_de_vida": sorted(w.life.clients)}, nil
	})
}

// postAgency makes a credential; one with that id is an error.
func (s *Server) postAgency(x *Exchange) (Answer, error) {
	var in AgencyClient
	if err := x.body(&in); err != nil {
		return nil, err
	}
	return created(x.locked(func(w *World) (any, error) {
		if w.life.clients[in.ID] != nil {
			return nil, fault.New(fault.Conflict, "govbrsim.client.taken", "cliente", cut(in.ID))
		}
		made := in.clone()
		return made, w.putAgency(made)
	}))
}

// patchAgency changes the names that are given, and leaves the others. The id stays.
func (s *Server) patchAgency(x *Exchange) (Answer, error) {
	raw, err := x.patch()
	if err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		found, err := existing(w.life.clients, x.Request.PathValue("id"))
		if err != nil {
			return nil, err
		}
		c := found.clone()
		if err := decodeOver(raw, c); err != nil {
			return nil, err
		}
		c.ID = found.ID
		return c, w.putAgency(c)
	})
}

func (s *Server) deleteAgency(x *Exchange) (Answer, error) {
	return x.locked(func(w *World) (any, error) {
		id := x.Request.PathValue("id")
		if _, err := existing(w.life.clients, id); err != nil {
			return nil, err
		}
		delete(w.life.clients, id)
		w.changed++
		return nil, nil //nolint:nilnil // nothing to say
	})
}

// getProofs lists the transactions, the oldest first; ?cpf= chooses.
func (s *Server) getProofs(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		list := []*Proof{}
		for _, p := range w.life.saved().Proofs {
			if q.Get("cpf") == "" || p.CPF == brasil.CPF(q.Get("cpf")) {
				list = append(list, p)
			}
		}
		return map[string]any{"transacoes": list}, nil
	})
}

// seedProof is a transaction as a test wants it: the body of a creation, whose
// it is, and how it stands.
type seedProof struct {
	proofInput
	ClientID string       `json:"client_id"`
	Outcome  ProofOutcome `json:"resultado"` // none: as creation leaves it
}

// postSeedProof makes a transaction without a token, in any state.
func (s *Server) postSeedProof(x *Exchange) (Answer, error) {
	var in seedProof
	if err := x.body(&in); err != nil {
		return nil, err
	}
	return created(x.locked(func(w *World) (any, error) {
		client, err := existing(w.life.clients, in.ClientID)
		if err != nil {
			return nil, err
		}
		if in.Requester == (Requester{}) {
			in.Requester = Requester{CNPJ: client.CNPJ.Masked(), Name: client.Name}
		}
		in.Expires = orElse(in.Expires, "120")
		p, wrong, unprocessable := in.read(w.now())
		c := &checker{}
		for field := range wrong {
			c.add(field, "govbrsim.life.field", "motivo", wrong[field])
		}
		if unprocessable != "" {
			c.add("tipo", "govbrsim.life.field", "motivo", unprocessable)
		}
		oneOf(c, "resultado", in.Outcome, append(proofOutcomes(), "")...)
		if err := c.result(); err != nil {
			return nil, err
		}
		p = s.openProof(w, p, client)
		if in.Outcome != "" {
			p = w.settle(p, in.Outcome)
		}
		return p, nil
	}))
}

// putProofOutcome forces a transaction into a state, also one that has ended.
// Faults: NotFound "govbrsim.life.none", Invalid "govbrsim.record".
func (s *Server) putProofOutcome(x *Exchange) (Answer, error) {
	var in struct {
		Outcome ProofOutcome `json:"resultado"`
	}
	if err := x.body(&in); err != nil {
		return nil, err
	}
	c := &checker{}
	oneOf(c, "resultado", in.Outcome, proofOutcomes()...)
	if err := c.result(); err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		p := w.life.proofs[x.Request.PathValue("id")]
		if p == nil {
			return nil, fault.New(fault.NotFound, "govbrsim.life.none")
		}
		return w.settle(p, in.Outcome), nil
	})
}

// putFace says when the person's face was last validated, for the reuse of
// validations; none takes it away. Those of selos stay.
func (s *Server) putFace(x *Exchange) (Answer, error) {
	var in struct {
		At time.Time `json:"em"`
	}
	if err := x.body(&in); err != nil {
		return nil, err
	}
	return x.locked(func(w *World) (any, error) {
		p, err := w.person(brasil.CPF(x.Request.PathValue("cpf")))
		if err != nil {
			return nil, err
		}
		if in.At.IsZero() {
			delete(w.life.faces, p.CPF)
		} else {
			w.life.faces[p.CPF] = in.At
		}
		w.changed++
		return nil, nil //nolint:nilnil // nothing to say
	})
}
