package govbr

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"selo/fault"
)

const (
	aProof    = ProofID("0b7c9f4e-5b0e-4d52-9c2e-0a1b2c3d4e5f")
	proofs    = "/meugov/api/vbeta4/transacoes"
	messages  = "/meugov/api/vbeta1/mensagens"
	lifeToken = "POST /meugov/auth/oauth/token"
)

func newLife(t *testing.T) (*fake, *ProofOfLife) {
	t.Helper()
	f := newFake(t)
	f.on(lifeToken, func(w http.ResponseWriter, r *http.Request) {
		if id, secret, ok := r.BasicAuth(); !ok || id != "vida" || secret != aSecret || r.URL.RawQuery != "grant_type=client_credentials" {
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		answerJSON(200, golden(t, "pv_token.json"))(w, r)
	})
	p, err := NewProofOfLife(f.config(), f.options())
	if err != nil {
		t.Fatal(err)
	}
	return f, p
}

func aRequest() ProofRequest {
	return ProofRequest{CPF: aCPF, CNPJ: "00489828007400", Agency: "Inmetro", Service: "Selo", Reason: "Prova de vida para o Selo",
		ExpiresIn: 2 * time.Hour, ReuseWithin: 2 * time.Hour, Success: "Tudo certo.", Failure: "Não deu certo."}
}

func TestCreateProof(t *testing.T) {
	t.Parallel()
	f, p := newLife(t)
	f.on("POST "+proofs, func(w http.ResponseWriter, r *http.Request) {
		if _, body, _ := f.last(); body != strings.TrimSpace(golden(t, "pv_pedido.json")) {
			t.Errorf("body %s", body)
		}
		if r.Header.Get("Authorization") != "Bearer eyJhbGciOi.vida" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("headers %v", r.Header)
		}
		answerJSON(201, golden(t, "pv_pendente.json"))(w, r)
	})
	got, err := p.Create(t.Context(), aRequest())
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != aProof || got.CPF != aCPF || got.State(now) != ProofPending || got.Category != "PV" ||
		!got.ExpiresAt.Equal(time.Date(2025, 8, 21, 22, 6, 46, 123456789, time.UTC)) {
		t.Errorf("%+v", got)
	}
	clean(t, got.LogValue().String()+aRequest().LogValue().String())
	r := aRequest()
	r.ReuseWithin, r.Other, r.Type, r.ExpiresIn = 0, true, "C", 90*time.Second
	f.on("POST "+proofs, func(w http.ResponseWriter, r *http.Request) {
		_, body, _ := f.last()
		if strings.Contains(body, "reuso") || !strings.Contains(body, `"tipo":"C","expiracao_em":"2"`) || !strings.Contains(body, `"categoria":"OU"`) {
			t.Errorf("body %s", body)
		}
		answerJSON(201, golden(t, "pv_pendente.json"))(w, r)
	})
	if _, err := p.Create(t.Context(), r); err != nil {
		t.Error(err)
	}
	if n := f.count(lifeToken); n != 1 {
		t.Errorf("%d tokens for two requests", n)
	}
}

// TestProofStates walks the states, each from a golden answer.
func TestProofStates(t *testing.T) {
	t.Parallel()
	end := time.Date(2025, 8, 21, 22, 6, 46, 123456789, time.UTC)
	for name, tc := range map[string]struct {
		at    time.Time
		want  ProofState
		final bool
	}{
		"pv_pendente.json": {now, ProofPending, false}, "pv_reuso.json": {now, ProofAutoAuthorised, true},
		"pv_autorizada.json": {now, ProofAuthorised, true}, "pv_negada.json": {now, ProofDenied, true},
		"pv_cancelada.json": {now, ProofCancelled, true}, "pv_sembiom.json": {now, ProofImpossible, true},
	} {
		f, p := newLife(t)
		f.on("GET "+proofs+"/"+string(aProof), answerJSON(200, golden(t, name)))
		got, err := p.Proof(t.Context(), aProof)
		if err != nil || got.State(tc.at) != tc.want || tc.want.Final() != tc.final {
			t.Errorf("%s: %s, %v", name, got.State(tc.at), err)
		}
		late := got.State(end.Add(time.Nanosecond))
		if tc.final && late != tc.want || !tc.final && late != ProofExpired {
			t.Errorf("%s, after its end: %s", name, late)
		}
		if name == "pv_reuso.json" && (!got.Reused || !got.ReusedAt.Equal(time.Date(2025, 8, 21, 19, 0, 0, 0, time.UTC))) {
			t.Errorf("%+v", got)
		}
	}
	for code, want := range map[string]DenialReason{`1`: PersonRefused, `2`: FaceFailed, `"3"`: BiographicFailed, `4`: BothFailed, `9`: OtherDenial, `null`: OtherDenial} {
		got, err := readProof(&answer{status: 200, body: []byte(strings.Replace(golden(t, "pv_negada.json"), `"motivo_negacao":2`, `"motivo_negacao":`+code, 1))})
		if err != nil || got.Answer == nil || got.Answer.Why != want {
			t.Errorf("%s: %+v, %v", code, got.Answer, err)
		}
	}
	got, err := readProof(&answer{status: 200, body: []byte(golden(t, "pv_autorizada.json"))})
	if err != nil || got.Answer.Why != NotDenied {
		t.Errorf("%+v %v", got.Answer, err)
	}
	if ProofState("").Final() {
		t.Error("no state is not the end")
	}
}

func TestCancelProof(t *testing.T) {
	t.Parallel()
	f, p := newLife(t)
	route := "PUT " + proofs + "/" + string(aProof) + "/cancelar"
	f.on(route, answerAs(200, "", ""))
	if err := p.Cancel(t.Context(), aProof); err != nil {
		t.Error(err)
	}
	f.on(route, answerJSON(404, `{}`))
	wantFault(t, p.Cancel(t.Context(), aProof), fault.NotFound, "govbr.not_found")
	before := f.count(route)
	for _, id := range []ProofID{"", "x", "../mensagens", aProof + "/cancelar", "0b7c9f4e-5b0e-4d52-9c2e-0a1b2c3d4e5g"} {
		wantFault(t, p.Cancel(t.Context(), id), fault.Invalid, "govbr.life.id")
		_, err := p.Proof(t.Context(), id)
		wantFault(t, err, fault.Invalid, "govbr.life.id")
		wantFault(t, p.DeleteMessage(t.Context(), id), fault.Invalid, "govbr.life.id")
	}
	if f.count(route) != before {
		t.Error("it asked all the same")
	}
}

func TestLifeRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		kind   fault.Kind
		key    string
		says   string
	}{
		"400":            {answerJSON(400, golden(t, "pv_400.json")), fault.Invalid, "govbr.life.refused", "Argumentos não válidos"},
		"422":            {answerJSON(422, golden(t, "pv_422.json")), fault.Invalid, "govbr.life.refused", "A não é um tipo válido [B,C]"},
		"with a CPF":     {answerJSON(422, `{"message":"o CPF 529.982.247-25 ou 52998224725 não"}`), fault.Invalid, "govbr.life.refused", "o CPF … ou … não"},
		"no JSON":        {answerAs(400, "text/plain", "x"), fault.Invalid, "govbr.life.refused", ""},
		"403":            {answerJSON(403, `{}`), fault.Unavailable, "govbr.life.credentials", ""},
		"418":            {answerJSON(418, `{}`), fault.Unavailable, "govbr.strange", ""},
		"500":            {answerJSON(500, `{}`), fault.Unavailable, "govbr.down", ""},
		"another person": {answerJSON(201, strings.Replace(golden(t, "pv_pendente.json"), aCPF, "11144477735", 1)), fault.Unavailable, "govbr.strange", ""},
		"no person":      {answerJSON(201, `{"id":"0b7c9f4e-5b0e-4d52-9c2e-0a1b2c3d4e5f"}`), fault.Unavailable, "govbr.strange", ""},
		"no id":          {answerJSON(201, `{"cpf":"52998224725"}`), fault.Unavailable, "govbr.strange", ""},
		"list":           {answerJSON(201, `[]`), fault.Unavailable, "govbr.strange", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, p := newLife(t)
			f.on("POST "+proofs, tc.answer)
			_, err := p.Create(t.Context(), aRequest())
			wantFault(t, err, tc.kind, tc.key)
			if tc.says != "" && fault.Of(err).Args["mensagem"] != tc.says {
				t.Errorf("message %q", fault.Of(err).Args["mensagem"])
			}
			if name == "400" && (len(fault.Of(err).Problems) != 1 || fault.Of(err).Problems[0].Field != "cpf") {
				t.Errorf("%v", err)
			}
			if n := f.count("POST " + proofs); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
	_, p := newLife(t)
	for _, change := range []func(*ProofRequest){
		func(r *ProofRequest) { r.CPF = "52998224724" }, func(r *ProofRequest) { r.CNPJ = "" }, func(r *ProofRequest) { r.ExpiresIn = time.Second },
	} {
		r := aRequest()
		change(&r)
		if _, err := p.Create(t.Context(), r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// TestLifeToken is kept until shortly before its end, fetched once for many, and
// fetched anew when it is refused.
func TestLifeToken(t *testing.T) {
	t.Parallel()
	f, p := newLife(t)
	route := "GET " + proofs + "/" + string(aProof)
	f.on(route, answerJSON(200, golden(t, "pv_pendente.json")))
	ask := func() error { _, err := p.Proof(t.Context(), aProof); return err }
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if err := ask(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	f.clock.Advance(900*time.Second - lifeMargin - time.Second)
	if err := ask(); err != nil || f.count(lifeToken) != 1 {
		t.Errorf("%v, %d tokens", err, f.count(lifeToken))
	}
	f.clock.Advance(time.Second)
	if err := ask(); err != nil || f.count(lifeToken) != 2 {
		t.Errorf("%v, %d tokens", err, f.count(lifeToken))
	}
	before := f.count(route)
	f.on(route, answerJSON(401, `{}`))
	wantFault(t, ask(), fault.Unavailable, "govbr.life.credentials")
	if f.count(route)-before > 2 {
		t.Errorf("%d attempts", f.count(route)-before)
	}
	f.on(lifeToken, answerJSON(401, `{}`))
	f.clock.Advance(time.Hour)
	wantFault(t, ask(), fault.Unavailable, "govbr.life.credentials")
	f.on(lifeToken, answerJSON(200, `{}`))
	wantFault(t, ask(), fault.Unavailable, "govbr.strange")
}

func TestMessages(t *testing.T) {
	t.Parallel()
	f, p := newLife(t)
	const id = "7d0c0d3a-1111-4222-8333-444455556666"
	m := Message{CNPJ: "00489828007400", Agency: "Inmetro", Title: "Aviso", Content: "Texto", CPF: aCPF}
	f.on("POST "+messages, answerJSON(201, `{"`+id+`"}`))
	got, err := p.Send(t.Context(), m, false)
	if err != nil || got != id {
		t.Errorf("%s, %v", got, err)
	}
	want := `{"remetente":{"cnpj":"00.489.828/0074-00","nome":"Inmetro"},"titulo":"Aviso","conteudo":"Texto","tipo":"D","cpf":"52998224725"}`
	if _, body, _ := f.last(); body != want {
		t.Errorf("body %s", body)
	}
	all := m
	all.CPF = ""
	if _, err := p.Send(t.Context(), all, true); err != nil {
		t.Error(err)
	}
	if _, body, _ := f.last(); !strings.HasSuffix(body, `"tipo":"B"}`) {
		t.Errorf("body %s", body)
	}
	_, err = p.Send(t.Context(), all, false)
	wantFault(t, err, fault.Invalid, "govbr.life.addressee")
	_, err = p.Send(t.Context(), m, true)
	wantFault(t, err, fault.Invalid, "govbr.life.addressee")
	for _, body := range []string{``, `{}`, `{"` + id + `","` + id + `"}`} {
		f.on("POST "+messages, answerJSON(201, body))
		_, err = p.Send(t.Context(), m, false)
		wantFault(t, err, fault.Unavailable, "govbr.strange")
	}
	f.on("POST "+messages, answerJSON(400, golden(t, "pv_400.json")))
	_, err = p.Send(t.Context(), m, false)
	wantFault(t, err, fault.Invalid, "govbr.life.refused")
	f.on("GET "+messages+"/"+id, answerJSON(200, want))
	if back, err := p.Message(t.Context(), id); err != nil || back != m {
		t.Errorf("%+v, %v", back, err)
	}
	clean(t, m.LogValue().String())
	f.on("DELETE "+messages+"/"+id, answerAs(204, "", ""))
	if err := p.DeleteMessage(t.Context(), id); err != nil {
		t.Error(err)
	}
	f.on("DELETE "+messages+"/"+id, answerJSON(404, "{}"))
	wantFault(t, p.DeleteMessage(t.Context(), id), fault.NotFound, "govbr.not_found")
}
