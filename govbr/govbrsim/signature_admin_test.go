package govbrsim

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"selo/clock"
)

// TestCredentials: those of Assinatura and Prova de Vida are made, changed,
// checked and removed.
func TestCredentials(t *testing.T) {
	t.Parallel()
	s := start(t)
	for path, made := range map[string]map[string]any{
		"/clientes-assinatura":    {"client_id": "novo", "client_secret": "segredo", "nome": "Novo", "urls_retorno": []string{"http://localhost:1/r"}},
		"/clientes-prova-de-vida": {"client_id": "novo", "client_secret": "segredo", "nome": "Novo", "cnpj": "90.000.002/0001-73"},
	} {
		for _, want := range []int{201, 409} {
			if a := s.admin(http.MethodPost, path, made, nil); a.StatusCode != want {
				t.Errorf("%s: %d %s", path, a.StatusCode, a.text)
			}
		}
		if a := s.admin(http.MethodPatch, path+"/novo", map[string]any{"nome": "Outro nome", "client_id": "x"}, nil); a.StatusCode != http.StatusOK || !strings.Contains(a.text, `"client_id":"novo"`) || !strings.Contains(a.text, "Outro nome") {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.text)
		}
		if a := s.admin(http.MethodGet, path, nil, nil); !strings.Contains(a.text, "Outro nome") {
			t.Errorf("%s: %s", path, a.text)
		}
		wrong := map[string]any{"client_id": "a b", "client_secret": " x", "nome": strings.Repeat("a", 51), "interruptores": map[string]any{"prova_de_vida": "x"}}
		if path == "/clientes-assinatura" {
			wrong["urls_retorno"], wrong["ambiente"] = []string{"javascript:1"}, "producao"
		} else {
			wrong["cnpj"] = "1"
		}
		for field, value := range wrong {
			bad := map[string]any{"client_id": "mau", "client_secret": "s", "nome": "n", field: value}
			for k, v := range made {
				if bad[k] == nil {
					bad[k] = v
				}
			}
			if a := s.admin(http.MethodPost, path, bad, nil); a.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("%s %s: %d %s", path, field, a.StatusCode, a.text)
			}
		}
		for _, want := range []int{204, 404} {
			if a := s.admin(http.MethodDelete, path+"/novo", nil, nil); a.StatusCode != want {
				t.Errorf("%s: delete %d", path, a.StatusCode)
			}
		}
		if a := s.admin(http.MethodPatch, path+"/novo", map[string]any{}, nil); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: patch %d", path, a.StatusCode)
		}
	}
	for text, ok := range map[string]bool{`{"clientes_assinatura":[]}`: true, `{"clientes_assinatura":[null]}`: false, `{"clientes_assinatura":[{}]}`: false,
		`{"clientes_prova_de_vida":[null]}`: false, `{"clientes_prova_de_vida":[{}]}`: false} {
		if _, err := ReadClients(strings.NewReader(text)); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestDirectSigning refuses what the screens refuse.
func TestDirectSigning(t *testing.T) {
	t.Parallel()
	s := start(t)
	right := map[string]any{"cpf": clara, "client_id": signID, "redirect_uri": signBack, "scope": "sign"}
	for name, change := range map[string]map[string]any{"cpf": {"cpf": "90000001651"}, "client": {"client_id": exampleID}, "address": {"redirect_uri": exampleBack},
		"scope": {"scope": "govbr"}, "provider": {"provedor": "vidaas"}, "no provider": {"scope": "sign icp_brasil"}, "other provider": {"scope": "sign icp_brasil", "provedor": "x"}} {
		in := map[string]any{}
		for k, v := range right {
			in[k] = v
		}
		for k, v := range change {
			in[k] = v
		}
		if a := s.admin(http.MethodPost, "/assinatura/autorizacoes", in, nil); a.StatusCode != http.StatusUnprocessableEntity && a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.text)
		}
	}
}

// TestSignatureStateIsKept: authority, credentials, transactions and messages
// outlive the process.
func TestSignatureStateIsKept(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "estado.json")
	kept := func(o *Options) { o.State = file }
	s := quick(start(t, kept))
	chain := s.get("/sim/assinatura/cadeia.pem").text
	token := s.lifeToken()
	id, text := s.prove(token)
	s.life(http.MethodPost, notices, token, noticeAsked())
	s.admin(http.MethodPatch, "/clientes-assinatura/"+signID, map[string]any{"nome": "Guardado"}, nil)
	if err := s.server.Save(); err != nil {
		t.Fatal(err)
	}
	again := quick(start(t, kept, func(o *Options) { o.Clock = clock.NewManual(begin) }))
	if got := again.get("/sim/assinatura/cadeia.pem").text; got != chain {
		t.Error("another authority")
	}
	if got := again.life(http.MethodGet, proofs+"/"+id, again.lifeToken(), nil); got.text != text {
		t.Errorf("transaction %s, was %s", got.text, text)
	}
	if home := again.get("/sim/celular/" + string(clara)); !strings.Contains(home.text, "Aviso") {
		t.Errorf("phone %s", home.text)
	}
	if list := again.admin(http.MethodGet, "/clientes-assinatura", nil, nil); !strings.Contains(list.text, "Guardado") {
		t.Errorf("credentials %s", list.text)
	}
	if a := again.sign(again.signToken(clara, "sign", ""), nil); a.StatusCode != http.StatusOK {
		t.Errorf("sign: %d", a.StatusCode)
	}
	again.admin(http.MethodPost, "/reinicio", nil, nil)
	if a := again.life(http.MethodGet, proofs+"/"+id, again.lifeToken(), nil); a.StatusCode != http.StatusNotFound {
		t.Errorf("after a reset: %d", a.StatusCode)
	}
	for _, odd := range []*savedAuthority{{}, {Certs: make([][]byte, 3), Keys: make([][]byte, 3)}} {
		if _, err := odd.restored(); err == nil {
			t.Errorf("%+v is an authority", odd)
		}
	}
}

// TestSignatureNamesAreText: what agencies and people are called never becomes markup.
func TestSignatureNamesAreText(t *testing.T) {
	t.Parallel()
	s := quick(start(t))
	const evil = `<script>alert(1)</script>"'><img src=x>`
	s.admin(http.MethodPatch, "/pessoas/"+string(clara), map[string]any{"nome": evil, "certificado_nuvem": "vidaas"}, nil)
	s.admin(http.MethodPatch, "/clientes-assinatura/"+signID, map[string]any{"nome": evil}, nil)
	token := s.lifeToken()
	who := map[string]any{"cnpj": "90000002000173", "nome": evil, "servico": evil}
	id, _ := s.prove(token, "solicitante", who, "motivo", evil, "mensagem_falha", evil)
	made := s.life(http.MethodPost, notices, token, noticeAsked("titulo", evil, "conteudo", evil, "remetente", who))
	request := "/sim/celular/" + string(clara) + "/pedidos/" + id
	pages := []answer{s.get("/sim/celular"), s.get("/sim/celular/" + string(clara)), s.get(request), s.fill(s.get(request), request, "decisao", "autorizar"),
		s.fill(s.get(request), request+"/rosto", "resultado", "face_nao_confere"), s.get("/sim/celular/" + string(clara) + "/mensagens/" + uuids.FindString(made.text)),
		s.signIn(s.get(askedToSign("scope", "sign icp_brasil")), clara), s.get(askedToSign("client_id", evil)), s.get(askedToSign("redirect_uri", evil))}
	pages = append(pages, s.fill(pages[6], "/sim/cas/certificado", "certificado", evil), s.fill(pages[6], "/sim/cas/certificado", "certificado", "vidaas"))
	for i, p := range pages {
		if strings.Contains(p.text, "<script") || strings.Contains(p.text, "<img") || strings.Contains(p.text, `"'>`) || !strings.Contains(p.text, "Simulação — não é o gov.br") || strings.Count(p.text, "<h1") != 1 {
			t.Errorf("page %d: %s", i, p.text)
		}
	}
	if a := s.certificate(s.signToken(clara, "sign", "")); len(certificatesIn(t, a.text)) != 1 {
		t.Errorf("certificate: %s", a.text)
	}
}

// FuzzSignToken: no parameters of the CAS's token endpoint give a token without a code.
func FuzzSignToken(f *testing.F) {
	f.Add("code=OC-1-x&client_id=" + signID + "&client_secret=" + signSecret + "&grant_type=authorization_code&redirect_uri=" + url.QueryEscape(signBack))
	f.Add("code=%zz")
	f.Add("a=b&a=c;d")
	s := still(f)
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/sim/cas/oauth2.0/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if rec.Code != http.StatusBadRequest && rec.Code != http.StatusUnauthorized {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

// FuzzProofInput: whatever an agency sends, it is a transaction that is in order, or refused.
func FuzzProofInput(f *testing.F) {
	f.Add(`{"cpf":"12345678909","motivo":"x","expiracao_em":1}`)
	f.Add(`{"expiracao_em":"99999999999999999999"}`)
	f.Add(`{"expiracao_em":{}}`)
	f.Fuzz(func(t *testing.T, body string) {
		var in proofInput
		if decodeStrict(strings.NewReader(body), &in) != nil {
			return
		}
		p, wrong, unprocessable := in.read(begin)
		if len(wrong) == 0 && unprocessable == "" && (!p.ExpiresAt.After(begin) || p.ReuseFrom.After(begin) || len(p.CPF) != 11 || p.Reason == "") {
			t.Errorf("%+v", p)
		}
	})
}
