package govbrsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"selo/brasil"
)

// poaList is the body of the list of procurações (Login Único manual).
type poaList struct {
	POAs []poa `json:"poas"`
}

type poa struct {
	ID            int64        `json:"id"`
	Grantor       poaAccount   `json:"grantorAccount"`
	Agent         poaAccount   `json:"agentAccount"`
	CreatedAtUTC  string       `json:"createdAtUtc"`
	ExpiresAtUTC  *string      `json:"expiresAtUtc"`
	RevokedAt     *string      `json:"revokedAtUtc"`
	RenouncedAt   *string      `json:"renouncedAtUtc"`
	CanceledAt    *string      `json:"canceledAtUtc"`
	StatusDetails struct{}     `json:"statusDetails"`
	Status        string       `json:"status"`
	StatusAtUTC   string       `json:"statusAtUtc"`
	StatusAt      string       `json:"statusAt"`
	CreatedAt     string       `json:"createdAt"`
	ExpiresAt     *string      `json:"expiresAt"`
	Services      []poaService `json:"services"`
}

type poaAccount struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Address struct{} `json:"address"`
}

type poaService struct {
	ClientID string `json:"clientId"`
	ID       int64  `json:"serviceId"`
	Name     string `json:"serviceName"`
}

// getPowers lists procurações. The client must ask for itself, and the token's
// person must be the agent.
func (s *Server) getPowers(x *Exchange) (Answer, error) {
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	claims, refusal := s.allowed(x, scopePowerList)
	if refusal != nil {
		return refusal, nil
	}
	if q.Get("filtrar-por-clientid") != claims.Aud {
		return refuseAPI(http.StatusForbidden, codePoaQuery, "O identificador do sistema deve coincidir com o sistema do access token."), nil
	}
	if q.Get("filtrar-por-procurador") != claims.Username {
		return refuseAPI(http.StatusForbidden, codePoaAgent, "O procurador deve coincidir com o titular do access token."), nil
	}
	list := poaList{POAs: []poa{}}
	for _, p := range sorted(w.powers) {
		status := p.status(w.now())
		if string(p.Agent) != claims.Username || q.Has("filtrar-por-outorgante") && q.Get("filtrar-por-outorgante") != string(p.Grantor) ||
			q.Get("filtrar-por-situacao") == "ativo" && status != "ACTIVE" ||
			!slices.ContainsFunc(p.Services, func(v PowerService) bool { return v.ClientID == claims.Aud }) {
			continue
		}
		list.POAs = append(list.POAs, w.poaOf(p, status))
	}
	return Wire{Body: list}, nil
}

func (w *World) poaOf(p *Power, status string) poa {
	account := func(cpf brasil.CPF) poaAccount {
		a := poaAccount{ID: string(cpf)}
		if person := w.people[cpf]; person != nil {
			a.Name = person.Name
		}
		return a
	}
	since := p.CreatedAt
	if !p.EndedAt.IsZero() {
		since = p.EndedAt
	} else if status == "EXPIRED" {
		since = p.ExpiresAt
	}
	a := poa{ID: p.ID, Grantor: account(p.Grantor), Agent: account(p.Agent), CreatedAtUTC: utcStamp(p.CreatedAt), Status: status,
		StatusAtUTC: utcStamp(since), StatusAt: stamp(since), CreatedAt: stamp(p.CreatedAt), Services: []poaService{}}
	if !p.ExpiresAt.IsZero() {
		utc, local := utcStamp(p.ExpiresAt), stamp(p.ExpiresAt)
		a.ExpiresAtUTC, a.ExpiresAt = &utc, &local
	}
	if !p.EndedAt.IsZero() {
		ended := utcStamp(p.EndedAt)
		switch status {
		case "REVOKED":
			a.RevokedAt = &ended
		case "RENOUNCED":
			a.RenouncedAt = &ended
		default:
			a.CanceledAt = &ended
		}
	}
	for _, v := range p.Services {
		a.Services = append(a.Services, poaService(v))
	}
	return a
}

func utcStamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// poaUse is the body that registers a use of a procuração.
type poaUse struct {
	History struct {
		ClientID  string `json:"clientId"`
		ServiceID int64  `json:"serviceId"`
		At        string `json:"instanteEvento"`
	} `json:"poaAccessHistory"`
}

// postPowerUse registers the use of a procuração, which its agents must.
func (s *Server) postPowerUse(x *Exchange) (Answer, error) {
	var use poaUse
	badBody := json.NewDecoder(x.Request.Body).Decode(&use) != nil
	at, badTime := time.ParseInLocation("2006-01-02T15:04:05.999", use.History.At, brasil.Location())
	id, badID := strconv.ParseInt(x.Request.PathValue("id"), 10, 64)
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	claims, refusal := s.allowed(x, scopePowerUse)
	if refusal != nil {
		return refusal, nil
	}
	if badBody || badTime != nil {
		return refuseAPI(http.StatusBadRequest, codeInvalid, "Corpo da requisição inválido."), nil
	}
	p := w.powers[id]
	if badID != nil || p == nil || string(p.Agent) != claims.Username {
		return refuseAPI(http.StatusNotFound, codeNotFound, "Procuração não encontrada."), nil
	}
	if use.History.ClientID != claims.Aud {
		return refuseAPI(http.StatusForbidden, codePoaClient, "O identificador do sistema deve coincidir com o sistema do access token."), nil
	}
	if !slices.ContainsFunc(p.Services, func(v PowerService) bool {
		return v.ClientID == use.History.ClientID && v.ID == use.History.ServiceID
	}) {
		return refuseAPI(http.StatusForbidden, codePoaService, "O sistema e o serviço devem coincidir com os da procuração."), nil
	}
	if len(w.uses) >= maxUses {
		w.uses = slices.Clone(w.uses[1:])
	}
	made := PowerUse{ID: 1, Power: id, ClientID: use.History.ClientID, ServiceID: use.History.ServiceID, At: at.UTC(), Received: w.now()}
	if n := len(w.uses); n > 0 {
		made.ID = w.uses[n-1].ID + 1
	}
	w.uses = append(w.uses, made)
	w.changed++
	return Wire{Status: http.StatusCreated, Body: map[string]int64{"id": made.ID}}, nil
}
