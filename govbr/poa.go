package govbr

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"selo/brasil"
	"selo/fault"
)

// POA is a Procuração Eletrônica: a grantor lets an agent use services in the
// grantor's name (LU, Procuração Eletrônica). Only services of the federal government that are enabled
// for it may ask.
type POA struct {
	ID        int64
	Grantor   brasil.CPF // who gave it
	Agent     brasil.CPF // who may act
	Status    POAStatus
	CreatedAt time.Time // UTC
	ExpiresAt time.Time // UTC; zero is without end
	Services  []POAService

	// doubtful is set when gov.br gave an end that cannot be read.
	doubtful bool
}

// POAService is a service that a procuração covers.
type POAService struct {
	ClientID  string
	ServiceID int64
	Name      string
}

// POAStatus is how a procuração stands. Only [POAActive] lets anybody act.
type POAStatus string

const (
	POAActive               POAStatus = "ACTIVE"
	POACanceled             POAStatus = "CANCELED"
	POACanceledByLock       POAStatus = "CANCELED_BY_ACCOUNT_LOCK"
	POACanceledByRemoval    POAStatus = "CANCELED_BY_ACCOUNT_REMOVAL"
	POACanceledByReregister POAStatus = "CANCELED_BY_ACCOUNT_REREGISTER"
	POAExpired              POAStatus = "EXPIRED"
	POARenounced            POAStatus = "RENOUNCED" // by the agent
	POARevoked              POAStatus = "REVOKED"   // by the grantor
)

// LogValue keeps the people out of logs.
func (p POA) LogValue() slog.Value {
	return slog.GroupValue(slog.Int64("id", p.ID), slog.String("status", string(p.Status)))
}

// Covers tells whether the procuração lets its agent use that service of that
// client_id at that moment. That it is active is not enough: the service itself
// must stand in it.
func (p POA) Covers(clientID string, service int64, at time.Time) bool {
	if p.Status != POAActive || p.doubtful || !p.ExpiresAt.IsZero() && !at.Before(p.ExpiresAt) {
		return false
	}
	for _, s := range p.Services {
		if s.ClientID == clientID && s.ServiceID == service {
			return true
		}
	}
	return false
}

// rawPOA is a procuração as the API writes it. The fields whose names end in Utc
// are UTC; whether they say so is unverified.
type rawPOA struct {
	ID      int64 `json:"id"`
	Grantor struct {
		ID string `json:"id"`
	} `json:"grantorAccount"`
	Agent struct {
		ID string `json:"id"`
	} `json:"agentAccount"`
	Status    string   `json:"status"`
	CreatedAt utcStamp `json:"createdAtUtc"`
	ExpiresAt utcStamp `json:"expiresAtUtc"`
	Services  []struct {
		ClientID  string `json:"clientId"`
		ServiceID int64  `json:"serviceId"`
		Name      string `json:"serviceName"`
	} `json:"services"`
}

// POAs lists the active procurações by which the person who signed in may act for
// the grantor in this client's services. That the accounts' id is the CPF is
// concluded from the filters [I]. Scope: [ScopePOAList].
//
// Faults: those of [Client].
func (c *Client) POAs(ctx context.Context, access AccessToken, grantor brasil.CPF) ([]POA, error) {
	grantor, err := brasil.ParseCPF(string(grantor))
	if err != nil {
		return nil, err
	}
	q := url.Values{"filtrar-por-outorgante": {string(grantor)}, "filtrar-por-procurador": {string(access.CPF)},
		"filtrar-por-clientid": {c.cfg.Login.ID}, "filtrar-por-situacao": {"ativo"}}
	var answer struct {
		POAs []rawPOA `json:"poas"`
	}
	address := c.cfg.Endpoints.API + "/procuracoes/v2/procuracoes?" + q.Encode()
	if err := c.read(ctx, "procuracoes", address, access, ScopePOAList, &answer); err != nil {
		return nil, err
	}
	list := make([]POA, 0, len(answer.POAs))
	for _, raw := range answer.POAs {
		p, ok := raw.poa()
		if !ok || p.Grantor != grantor || p.Agent != access.CPF {
			return nil, strange(serviceAPI, "procuracoes: one is of other people")
		}
		list = append(list, p)
	}
	return list, nil
}

func (r rawPOA) poa() (POA, bool) {
	grantor, ok1 := readCPF(r.Grantor.ID)
	agent, ok2 := readCPF(r.Agent.ID)
	p := POA{ID: r.ID, Grantor: grantor, Agent: agent, Status: POAStatus(printable(r.Status, 60)), CreatedAt: r.CreatedAt.Time,
		ExpiresAt: r.ExpiresAt.Time, doubtful: r.ExpiresAt.Unreadable}
	for _, s := range r.Services {
		p.Services = append(p.Services, POAService{ClientID: printable(s.ClientID, 200), ServiceID: s.ServiceID, Name: printable(s.Name, 300)})
	}
	return p, ok1 && ok2 && r.ID > 0
}

// RegisterAccess tells gov.br that the agent used a service under a procuração,
// which must be done at each use; the grantor sees it. It returns the number of the
// record. The zone of instanteEvento is not documented; Brasília's is sent [I].
// It is sent once. Scope: [ScopePOARegister].
//
// Faults: Forbidden govbr.poa.other_client, govbr.poa.not_covered; those of [Client].
func (c *Client) RegisterAccess(ctx context.Context, access AccessToken, poa, service int64, at time.Time) (int64, error) {
	if err := c.usable(access, ScopePOARegister); err != nil {
		return 0, err
	}
	type history struct {
		ClientID  string `json:"clientId"`
		ServiceID int64  `json:"serviceId"`
		At        string `json:"instanteEvento"`
	}
	a, err := c.caller.do(ctx, request{service: serviceAPI, name: "historico-acessos", method: http.MethodPost, bearer: access.Token,
		url:    c.cfg.Endpoints.API + "/procuracoes/v2/procuracoes/" + strconv.FormatInt(poa, 10) + "/historico-acessos",
		accept: []string{jsonMedia}, limit: maxUserInfo,
		json: map[string]history{"poaAccessHistory": {c.cfg.Login.ID, service, at.In(brasil.Location()).Format("2006-01-02T15:04:05.000")}}})
	if err != nil {
		return 0, err
	}
	if !a.ok() {
		switch readRefusal(a).Code {
		case "REQUEST_POAACCESSHISTORY_CLIENTID_MUSTMATCHREQUESTACCESSTOKENAUD":
			return 0, fault.New(fault.Forbidden, "govbr.poa.other_client").Because(refusalCause(a))
		case "REQUEST_POAACCESSHISTORY_CLIENTIDANDSERVICEID_MUSTMATCHPOASERVICECLIENTIDANDSERVICEID":
			return 0, fault.New(fault.Forbidden, "govbr.poa.not_covered").Because(refusalCause(a))
		}
		return 0, refused(serviceAPI, a)
	}
	var record struct {
		ID int64 `json:"id"`
	}
	if err := json.Unmarshal(a.body, &record); err != nil || record.ID <= 0 {
		return 0, strange(serviceAPI, "historico-acessos: no id in the answer")
	}
	return record.ID, nil
}
