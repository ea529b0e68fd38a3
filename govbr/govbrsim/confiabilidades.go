package govbrsim

import (
	"time"

	"selo/brasil"
)

// rated is one element of the confiabilidades API (Login Único manual).
type rated struct {
	ID      string `json:"id"`
	Updated string `json:"dataAtualizacao"`
}

// rate writes an element as the sibling APIs do, or as the manual prints it.
func rate(id, name string, at time.Time, asManual bool) rated {
	if asManual {
		return rated{ID: id + " (" + name + ")", Updated: at.In(brasil.Location()).Format(time.DateTime)}
	}
	return rated{ID: id, Updated: stamp(at)}
}

var levelNames = map[Level]string{Bronze: "Bronze", Prata: "Prata", Ouro: "Ouro"}

// getLevels answers with one element, the account's level.
func (s *Server) getLevels(x *Exchange) (Answer, error) {
	return s.rating(x, func(p *Person, asManual bool) []rated {
		level := p.EffectiveLevel()
		return []rated{rate(level.id(), levelNames[level], p.levelSince(), asManual)}
	})
}

func (s *Server) getSelos(x *Exchange) (Answer, error) {
	return s.rating(x, func(p *Person, asManual bool) []rated {
		list := []rated{}
		for _, selo := range p.Selos {
			list = append(list, rate(selo.ID, seloKindOf(selo.ID).name, selo.UpdatedAt, asManual))
		}
		return list
	})
}

// getCategories answers as getLevels does: categories were what levels are now.
func (s *Server) getCategories(x *Exchange) (Answer, error) { return s.getLevels(x) }

func (s *Server) rating(x *Exchange, list func(p *Person, asManual bool) []rated) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	p, refusal := s.allowedFor(x, scopeReliability, x.Request.PathValue("cpf"))
	if refusal != nil {
		return refusal, nil
	}
	return Wire{Body: list(p, is(w.switchesFor(nil, p).ManualShapes, false))}, nil
}
