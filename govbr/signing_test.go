package govbr

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"selo/document/cms/cmstest"
	"selo/fault"
	"selo/icpbrasil"
	"selo/icpbrasil/testca"
)

const signRoute = "POST /assinatura/externo/v2/assinarPKCS7"

// itis are fake CAS and signature service over a test chain.
type itis struct {
	*fake
	chain    *cmstest.Chain
	holder   *cmstest.Holder
	switches cmstest.Switches
}

func newITI(t *testing.T, edit func(*x509.Certificate)) *itis {
	t.Helper()
	i := &itis{fake: newFake(t), chain: cmstest.NewChain("GOV.BR", now)}
	i.holder = i.chain.Person("NOME CIDADAO:"+aCPF, now, edit)
	i.on("POST /cas/oauth2.0/token", answerJSON(200, golden(t, "assinatura_token.json")))
	i.on("GET /assinatura/externo/v2/certificadoPublico", answerAs(200, "application/octet-stream", string(cmstest.PEM(i.holder.Cert))))
	i.on(signRoute, i.sign)
	return i
}

// sign answers assinarPKCS7 as the manual says, to exactly the documented body.
func (i *itis) sign(w http.ResponseWriter, r *http.Request) {
	_, body, _ := i.last()
	code, ok := strings.CutPrefix(body, `{"hashBase64":"`)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(code, `"}`))
	if !ok || err != nil || len(raw) != 32 || r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "bad body", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(i.holder.Sign([32]byte(raw), i.switches))
}

func (i *itis) signing() *Signing {
	i.t.Helper()
	s, err := NewSigning(i.config(), i.chain.Roots(), nil, i.options())
	if err != nil {
		i.t.Fatal(err)
	}
	return s
}

func (i *itis) token(s *Signing, batch bool) *SigningToken {
	i.t.Helper()
	p := SigningPending{State: "estado", Batch: batch, StartedAt: i.clock.Now()}
	tok, err := s.Finish(i.t.Context(), p, url.Values{"code": {"OC-1-codigo"}, "state": {"estado"}})
	if err != nil {
		i.t.Fatal(err)
	}
	return tok
}

var (
	aDigest = sha256.Sum256([]byte("um documento"))
	me      = Signatory{CPF: aCPF, Name: "Nome Cidadão"}
)

// TestBronzeNeverSeesITI: neither bronze nor an unknown level gets an address.
func TestBronzeNeverSeesITI(t *testing.T) {
	t.Parallel()
	i := newITI(t, nil)
	for _, level := range []Level{Bronze, UnknownLevel, 9} {
		p, address, err := i.signing().Start(level, Advanced, false)
		wantFault(t, err, fault.Forbidden, "govbr.sign.level")
		if address != "" || p.State != "" {
			t.Errorf("%s: %s", level, address)
		}
		if got := fault.Of(err).Args["endereco"]; got != i.server.URL+"/confiabilidades/" {
			t.Errorf("link %s", got)
		}
	}
}

func TestSigningStart(t *testing.T) {
	t.Parallel()
	i := newITI(t, nil)
	s := i.signing()
	for scope, tc := range map[string]struct {
		kind  SigningKind
		batch bool
	}{
		"sign govbr": {Advanced, false}, "signature_session govbr": {"", true}, "sign icp_brasil": {Qualified, false},
		"signature_session govbr icp_brasil": {AnyKind, true},
	} {
		p, address, err := s.Start(Gold, tc.kind, tc.batch)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address)
		if err != nil || !strings.HasPrefix(address, i.server.URL+"/cas/oauth2.0/authorize?") {
			t.Fatal(address)
		}
		q := u.Query()
		if q.Get("nonce") == "" || q.Get("nonce") == p.State {
			t.Error("nonce")
		}
		q.Del("nonce")
		want := url.Values{"response_type": {"code"}, "client_id": {"assina"}, "scope": {scope}, "state": {p.State},
			"redirect_uri": {"https://selo.exemplo.gov.br/assinar/retorno"}}
		if !reflect.DeepEqual(q, want) || p.Batch != tc.batch {
			t.Errorf("%v, want %v", q, want)
		}
		if strings.Contains(p.String()+p.LogValue().String(), p.State) {
			t.Error("it shows its state")
		}
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	i := newITI(t, nil)
	i.switches.SignedAt = now
	s := i.signing()
	tok := i.token(s, false)
	_, body, query := i.last()
	form, err := url.ParseQuery(body)
	want := url.Values{"code": {"OC-1-codigo"}, "client_id": {"assina"}, "client_secret": {aSecret}, "grant_type": {"authorization_code"},
		"redirect_uri": {"https://selo.exemplo.gov.br/assinar/retorno"}}
	if err != nil || !reflect.DeepEqual(form, want) || len(query) != 0 {
		t.Errorf("token request %v %v", form, query)
	}
	if tok.Left() != 1 || !tok.ExpiresAt().Equal(now.Add(10*time.Minute)) {
		t.Errorf("%d left until %v", tok.Left(), tok.ExpiresAt())
	}
	clean(t, fmt.Sprintf("%v %s %v", tok, tok, tok.LogValue()))
	cert, err := s.Certificate(t.Context(), tok)
	if err != nil || !cert.Equal(i.holder.Cert) || tok.Left() != 1 {
		t.Errorf("certificate: %v", err)
	}
	sig, err := s.Sign(t.Context(), tok, aDigest, me)
	if err != nil {
		t.Fatal(err)
	}
	if sig.Person != MatchCPF || !sig.Signer.Equal(i.holder.Cert) || !sig.SignedAt.Equal(now) {
		t.Errorf("%v %v", sig.Person, sig.SignedAt)
	}
	clean(t, sig.LogValue().String())
	if again, err := s.Check(sig.CMS, aDigest, me); err != nil || again.Person != MatchCPF {
		t.Errorf("checked again: %v", err)
	}
	_, err = s.Sign(t.Context(), tok, aDigest, me)
	wantFault(t, err, fault.Conflict, "govbr.sign.used")
	if n := i.count(signRoute); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestBatch signs as many as an authorisation allows, and no more.
func TestBatch(t *testing.T) {
	t.Parallel()
	i := newITI(t, nil)
	s := i.signing()
	tok := i.token(s, true)
	for n := range MaxBatch {
		if _, err := s.Sign(t.Context(), tok, sha256.Sum256([]byte{byte(n)}), me); err != nil {
			t.Fatalf("%d: %v", n, err)
		}
	}
	_, err := s.Sign(t.Context(), tok, aDigest, me)
	wantFault(t, err, fault.Conflict, "govbr.sign.used")
	if n := i.count(signRoute); n != MaxBatch {
		t.Errorf("asked %d times", n)
	}
	late := i.token(s, true)
	i.clock.Advance(10 * time.Minute)
	_, err = s.Sign(t.Context(), late, aDigest, me)
	wantFault(t, err, fault.Conflict, "govbr.sign.used")
	_, err = s.Certificate(t.Context(), late)
	wantFault(t, err, fault.Conflict, "govbr.sign.used")
}

// TestSignatureChecked refuses what is not this person's signature of this digest.
func TestSignatureChecked(t *testing.T) {
	t.Parallel()
	other := cmstest.NewChain("OUTRA", now)
	for name, tc := range map[string]struct {
		answer func(*itis) http.HandlerFunc
		key    string
	}{
		"another digest": {func(i *itis) http.HandlerFunc {
			return raw(i.holder.Sign(sha256.Sum256([]byte("outro")), cmstest.Switches{}))
		}, "cms.digest"},
		"another root": {func(*itis) http.HandlerFunc {
			return raw(other.Person("NOME CIDADAO:"+aCPF, now, nil).Sign(aDigest, cmstest.Switches{}))
		}, "cms.untrusted"},
		"another key": {func(i *itis) http.HandlerFunc { return raw(i.holder.Sign(aDigest, cmstest.Switches{OtherKey: true})) }, "cms.signature"},
		"another person": {func(i *itis) http.HandlerFunc {
			return raw(i.chain.Person("BELTRANO:11144477735", now, nil).Sign(aDigest, cmstest.Switches{}))
		}, "govbr.sign.person"},
		"another in its fields": {func(i *itis) http.HandlerFunc {
			return raw(i.chain.Person("NOME CIDADAO", now, withFields("2.16.76.1.3.1", "11144477735")).Sign(aDigest, cmstest.Switches{}))
		}, "govbr.sign.person"},
		"both": {func(i *itis) http.HandlerFunc {
			return raw(i.chain.Person("NOME CIDADAO:"+aCPF, now, withFields("2.16.76.1.3.1", "11144477735")).Sign(aDigest, cmstest.Switches{}))
		}, "govbr.sign.person"},
		"no CMS":  {func(*itis) http.HandlerFunc { return raw([]byte("MIIC")) }, "cms.malformed"},
		"nothing": {func(*itis) http.HandlerFunc { return raw(nil) }, "cms.size"},
		"page":    {func(*itis) http.HandlerFunc { return answerAs(200, "text/html", "<html>") }, "govbr.strange"},
		"huge":    {func(*itis) http.HandlerFunc { return raw(make([]byte, 1<<20)) }, "govbr.strange"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newITI(t, nil)
			i.on(signRoute, tc.answer(i))
			s := i.signing()
			tok := i.token(s, false)
			_, err := s.Sign(t.Context(), tok, aDigest, me)
			wantFaultOneOf(t, err, tc.key)
			if n := i.count(signRoute); n != 1 || tok.Left() != 0 {
				t.Errorf("asked %d times, %d left", n, tok.Left())
			}
		})
	}
}

func raw(b []byte) http.HandlerFunc { return answerAs(200, "application/octet-stream", string(b)) }

// withFields puts a CPF where ICP-Brasil has it.
func withFields(oid, cpf string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{cmstest.Named(map[string]string{oid: "01011980" + cpf + strings.Repeat("0", 26)})}
	}
}

// TestPersonMatch walks the places where a certificate may hold the CPF (AE).
func TestPersonMatch(t *testing.T) {
	t.Parallel()
	chain := cmstest.NewChain("GOV.BR", now)
	for name, tc := range map[string]struct {
		common string
		edit   func(*x509.Certificate)
		want   PersonMatch
	}{
		"in the common name":          {"NOME CIDADAO:" + aCPF, nil, MatchCPF},
		"in the fields":               {"NOME CIDADAO", withFields("2.16.76.1.3.1", aCPF), MatchCPF},
		"of an e-CNPJ":                {"EMPRESA LTDA", withFields("2.16.76.1.3.4", aCPF), MatchCPF},
		"of an e-CNPJ, with its CNPJ": {"EMPRESA LTDA:11222333000181", withFields("2.16.76.1.3.4", aCPF), MatchCPF},
		"fields unknown":              {"NOME CIDADAO", withFields("2.16.76.1.3.1", "00000000000"), MatchName},
		"other fields":                {"NOME CIDADAO", withFields("2.16.76.1.3.5", "11144477735"), MatchName},
		"name only":                   {"Nome  Cidadão", nil, MatchName},
		"another name":                {"NOME C. CIDADAO", nil, NoMatch},
		"no number":                   {"NOME C:123", nil, NoMatch},
	} {
		got, err := me.match(chain.Person(tc.common, now, tc.edit).Cert)
		if err != nil || got != tc.want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if got, err := (Signatory{CPF: aCPF}).match(chain.Person("", now, nil).Cert); err != nil || got != NoMatch {
		t.Errorf("no name on either side: %s %v", got, err)
	}
}

// TestSigningRefusals walks the errors of both servers.
func TestSigningRefusals(t *testing.T) {
	t.Parallel()
	const bronze = "Cidadão não possui a identidade (Prata ou Ouro) necessária para uso da assinatura eletrônica digital."
	const dead = "CPF com situação cancelada, nula ou falecido na Receita Federal não permite uso da assinatura eletrônica digital."
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		kind   fault.Kind
		key    string
	}{
		"bronze":          {answerAs(403, "text/plain;charset=UTF-8", bronze), fault.Forbidden, "govbr.sign.level"},
		"bronze, Latin-1": {answerAs(403, "text/plain", latin1(bronze)), fault.Forbidden, "govbr.sign.level"},
		"bronze, in JSON": {answerJSON(403, `{"message":"`+bronze+`"}`), fault.Forbidden, "govbr.sign.level"},
		"CPF":             {answerAs(403, "", dead), fault.Forbidden, "govbr.sign.cpf"},
		"CPF, Latin-1":    {answerAs(403, "text/plain", latin1(dead)), fault.Forbidden, "govbr.sign.cpf"},
		"another 403":     {answerAs(403, "text/plain", "nada feito"), fault.Conflict, "govbr.sign.used"},
		"401":             {answerJSON(401, `{"status":401}`), fault.Conflict, "govbr.sign.used"},
		"400":             {answerJSON(400, `{}`), fault.Conflict, "govbr.sign.used"},
		"404":             {answerJSON(404, `{}`), fault.Unavailable, "govbr.strange"},
		"500":             {answerJSON(500, `{}`), fault.Unavailable, "govbr.down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newITI(t, nil)
			i.on(signRoute, tc.answer)
			i.on("GET /assinatura/externo/v2/certificadoPublico", tc.answer)
			s := i.signing()
			tok := i.token(s, true)
			_, err := s.Certificate(t.Context(), tok)
			wantFault(t, err, tc.kind, tc.key)
			_, err = s.Sign(t.Context(), tok, aDigest, me)
			wantFault(t, err, tc.kind, tc.key)
			if n := i.count(signRoute); n != 1 {
				t.Errorf("%d times", n)
			}
		})
	}
}

func latin1(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

func TestSigningFinishRefuses(t *testing.T) {
	t.Parallel()
	good := url.Values{"code": {"OC-1"}, "state": {"estado"}}
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		query  url.Values
		kind   fault.Kind
		key    string
	}{
		"401":            {answerJSON(401, golden(t, "assinatura_401.json")), good, fault.Unavailable, "govbr.sign.credentials"},
		"reused":         {answerAs(400, "text/plain", "error=invalid_request"), good, fault.Conflict, "govbr.sign.code"},
		"418":            {answerJSON(418, `{}`), good, fault.Unavailable, "govbr.strange"},
		"no JSON":        {answerAs(200, "text/plain", "access_token=x"), good, fault.Unavailable, "govbr.strange"},
		"no token":       {answerJSON(200, `{"token_type":"bearer"}`), good, fault.Unavailable, "govbr.strange"},
		"token in lines": {answerJSON(200, `{"access_token":"a\nb"}`), good, fault.Unavailable, "govbr.strange"},
		"denied":         {nil, url.Values{"error": {"access_denied"}, "state": {"estado"}}, fault.Forbidden, "govbr.sign.denied"},
		"other state":    {nil, url.Values{"code": {"OC-1"}, "state": {"outro"}}, fault.Forbidden, "govbr.login.state"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newITI(t, nil)
			i.on("POST /cas/oauth2.0/token", tc.answer)
			_, err := i.signing().Finish(t.Context(), SigningPending{State: "estado", StartedAt: now}, tc.query)
			wantFault(t, err, tc.kind, tc.key)
		})
	}
	i := newITI(t, nil)
	_, err := i.signing().Finish(t.Context(), SigningPending{State: "estado", StartedAt: now.Add(-2 * pendingLife)}, good)
	wantFault(t, err, fault.Conflict, "govbr.sign.code")
	for life, want := range map[string]time.Duration{`"300"`: 5 * time.Minute, `60`: time.Minute, `99999`: 10 * time.Minute, `null`: 10 * time.Minute, `-5`: 10 * time.Minute} {
		tok, err := readSigningToken([]byte(`{"access_token":"AT-183-x","expires_in":`+life+`}`), false, now)
		if err != nil || tok.ExpiresAt().Sub(now) != want {
			t.Errorf("%s: %v %v", life, tok, err)
		}
	}
}

func TestCertificateRefused(t *testing.T) {
	t.Parallel()
	i := newITI(t, nil)
	s := i.signing()
	tok := i.token(s, false)
	for _, body := range []string{"", "texto", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		i.on("GET /assinatura/externo/v2/certificadoPublico", answerAs(200, "text/plain", body))
		_, err := s.Certificate(t.Context(), tok)
		wantFault(t, err, fault.Unavailable, "govbr.strange")
	}
	attempts := 0
	i.on("GET /assinatura/externo/v2/certificadoPublico", func(w http.ResponseWriter, _ *http.Request) {
		if attempts++; attempts == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = w.Write(cmstest.PEM(i.holder.Cert))
	})
	if _, err := s.Certificate(t.Context(), tok); err != nil || attempts != 2 {
		t.Errorf("%v after %d", err, attempts)
	}
}

// TestICPBrasilCertificates finds the CPF in certificates that another room issues.
func TestICPBrasilCertificates(t *testing.T) {
	t.Parallel()
	ca, err := testca.New(func() time.Time { return now }, "")
	if err != nil {
		t.Fatal(err)
	}
	person := icpbrasil.Person{CPF: aCPF, Name: "NOME CIDADAO"}
	company := &icpbrasil.Company{CNPJ: "11222333000181", Name: "EMPRESA LTDA"}
	for name, order := range map[string]testca.Order{"e-CPF": {Person: person}, "e-CNPJ": {Person: person, Company: company},
		"nested": {Person: person, Nested: true}} {
		issued, err := ca.Issue(order)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := me.match(issued.Chain[0]); err != nil || got != MatchCPF {
			t.Errorf("%s: %s %v", name, got, err)
		}
		_, err = Signatory{CPF: "11144477735"}.match(issued.Chain[0])
		wantFault(t, err, fault.Forbidden, "govbr.sign.person")
	}
}

func TestSigningNeedsRoots(t *testing.T) {
	t.Parallel()
	i := newITI(t, nil)
	_, err := NewSigning(i.config(), nil, nil, i.options())
	wantFault(t, err, fault.Invalid, "govbr.config")
	if p := fault.Of(err).Problems; len(p) != 1 || p[0].Field != "raizes" {
		t.Errorf("%v", p)
	}
}
