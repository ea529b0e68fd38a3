package govbr

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"selo/fault"
)

func TestPOAs(t *testing.T) {
	t.Parallel()
	const route = "GET /api/procuracoes/v2/procuracoes"
	f := newFake(t)
	c := f.client()
	f.on(route, answerJSON(200, golden(t, "procuracoes.json")))
	list, err := c.POAs(t.Context(), access(), "111.444.777-35")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	end := time.Date(2025, 9, 1, 12, 0, 0, 0, time.UTC)
	want := POA{ID: 8743, Grantor: "11144477735", Agent: aCPF, Status: POAActive, CreatedAt: time.Date(2025, 8, 1, 12, 0, 0, 0, time.UTC),
		ExpiresAt: end, Services: []POAService{{aClient, 3124, "Serviço"}}}
	if !reflect.DeepEqual(list[0], want) {
		t.Errorf("%+v", list[0])
	}
	clean(t, list[0].LogValue().String())
	_, _, q := f.last()
	if !reflect.DeepEqual(q, url.Values{"filtrar-por-outorgante": {"11144477735"}, "filtrar-por-procurador": {aCPF},
		"filtrar-por-clientid": {aClient}, "filtrar-por-situacao": {"ativo"}}) {
		t.Errorf("query %v", q)
	}
	p := list[0]
	if !p.Covers(aClient, 3124, now) || p.Covers(aClient, 3125, now) || p.Covers("h-outro", 3124, now) || p.Covers(aClient, 3124, end) {
		t.Error("what it covers")
	}
	for _, s := range []POAStatus{POACanceled, POACanceledByLock, POACanceledByRemoval, POACanceledByReregister, POAExpired, POARenounced, POARevoked, "", "NEW"} {
		p.Status = s
		if p.Covers(aClient, 3124, now) {
			t.Errorf("%s lets somebody act", s)
		}
	}
	for _, swap := range [][2]string{{"11144477735", "52998224725"}, {`"id":"52998224725"`, `"id":"11144477735"`}, {`"id":8743`, `"id":0`}} {
		f.on(route, answerJSON(200, strings.Replace(golden(t, "procuracoes.json"), swap[0], swap[1], 1)))
		_, err := c.POAs(t.Context(), access(), "11144477735")
		wantFault(t, err, fault.Unavailable, "govbr.strange")
	}
	f.on(route, answerJSON(200, strings.Replace(golden(t, "procuracoes.json"), `"expiresAtUtc":"2025-09-01T12:00:00.000"`, `"expiresAtUtc":"logo"`, 1)))
	if list, err = c.POAs(t.Context(), access(), "11144477735"); err != nil || list[0].Covers(aClient, 3124, now) {
		t.Errorf("an end that cannot be read: %v", err)
	}
	f.on(route, answerJSON(200, `{"poas":[]}`))
	if list, err = c.POAs(t.Context(), access(), "11144477735"); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	if _, err = c.POAs(t.Context(), access(), "1"); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func TestRegisterAccess(t *testing.T) {
	t.Parallel()
	const route = "POST /api/procuracoes/v2/procuracoes/8743/historico-acessos"
	f := newFake(t)
	c := f.client()
	at := time.Date(2023, 10, 5, 13, 11, 47, 0, time.UTC)
	f.on(route, func(w http.ResponseWriter, r *http.Request) {
		want := `{"poaAccessHistory":{"clientId":"h-client.teste.gov.br","serviceId":10,"instanteEvento":"2023-10-05T10:11:47.000"}}`
		if _, body, _ := f.last(); body != want {
			t.Errorf("body %s", body)
		}
		answerJSON(201, `{"id":12345}`)(w, r)
	})
	if id, err := c.RegisterAccess(t.Context(), access(), 8743, 10, at); err != nil || id != 12345 {
		t.Error(id, err)
	}
	for body, key := range map[string]string{
		`{"errors":[{"status":403,"code":"REQUEST_POAACCESSHISTORY_CLIENTID_MUSTMATCHREQUESTACCESSTOKENAUD","title":"O identificador do sistema deve coincidir com o sistema do access token."}]}`: "govbr.poa.other_client",
		`{"errors":[{"status":403,"code":"REQUEST_POAACCESSHISTORY_CLIENTIDANDSERVICEID_MUSTMATCHPOASERVICECLIENTIDANDSERVICEID"}]}`:                                                               "govbr.poa.not_covered",
		`{"errors":[{"status":403,"code":"OTHER"}]}`: "govbr.forbidden",
	} {
		before := f.count(route)
		f.on(route, answerJSON(403, body))
		_, err := c.RegisterAccess(t.Context(), access(), 8743, 10, at)
		wantFault(t, err, fault.Forbidden, key)
		if f.count(route) != before+1 {
			t.Error("not once")
		}
	}
	f.on(route, answerJSON(201, `{}`))
	_, err := c.RegisterAccess(t.Context(), access(), 8743, 10, at)
	wantFault(t, err, fault.Unavailable, "govbr.strange")
	without := access()
	without.Scopes = nil
	_, err = c.RegisterAccess(t.Context(), without, 8743, 10, at)
	wantFault(t, err, fault.Forbidden, "govbr.scope_missing")
}
