package govbrsim

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selo/brasil"

	"github.com/smallstep/pkcs7"
)

// sign has a document signed.
func (s *sim) sign(token string, document []byte) answer {
	s.t.Helper()
	sum := sha256.Sum256(document)
	return s.signHash(token, `{"hashBase64":"`+base64.StdEncoding.EncodeToString(sum[:])+`"}`)
}

func (s *sim) signHash(token, body string) answer {
	s.t.Helper()
	return s.request(http.MethodPost, "/sim/assinatura/externo/v2/assinarPKCS7", body, "Content-Type", "application/json", "Authorization", "Bearer "+token)
}

func (s *sim) certificate(token string) answer {
	s.t.Helper()
	return s.get("/sim/assinatura/externo/v2/certificadoPublico", "Authorization", "Bearer "+token)
}

func certificatesIn(t *testing.T, text string) (list []*x509.Certificate) {
	t.Helper()
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return list
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, cert)
	}
}

// TestSignatureVerifiesWithOpenSSL: a program that nobody here wrote finds the
// signature good, up to the root that the simulator offers.
func TestSignatureVerifiesWithOpenSSL(t *testing.T) {
	t.Parallel()
	s := quick(start(t))
	document := []byte("Um documento de teste.\n")
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	content := file("documento.txt", document)
	for name, c := range map[string]struct{ token, chain string }{
		"gov.br": {s.signToken(clara, "sign govbr", ""), "/sim/assinatura/cadeia.pem"},
		"ICP":    {s.signToken(ivo, "sign icp_brasil", "vidaas"), "/sim/assinatura/cadeia-icp.pem"},
	} {
		a := s.sign(c.token, document)
		if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "application/octet-stream" {
			t.Fatalf("%s: %d %s", name, a.StatusCode, a.text)
		}
		roots := certificatesIn(t, s.get(c.chain).text)
		verify := func(content string) ([]byte, error) {
			return exec.CommandContext(t.Context(), "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", file("a.p7s", []byte(a.text)), "-content", content,
				"-CAfile", file("raiz.pem", certificatePEM(roots[0])), "-attime", "1795186800", "-purpose", "any", "-out", os.DevNull).CombinedOutput()
		}
		if out, err := verify(content); err != nil {
			t.Errorf("%s: %v: %s", name, err, out)
		}
		if out, err := verify(file("outro.txt", []byte("Outro documento.\n"))); err == nil {
			t.Errorf("%s: another document verifies: %s", name, out)
		}
	}
	for list, issuer := range map[string]int{"raiz.crl": 0, "intermediaria.crl": 1, "final.crl": 2} {
		crl, err := x509.ParseRevocationList([]byte(s.get("/sim/assinatura/lcr/" + list).text))
		if err != nil || crl.CheckSignatureFrom(certificatesIn(t, s.get("/sim/assinatura/cadeia.pem").text)[issuer]) != nil {
			t.Errorf("%s: %v", list, err)
		}
	}
	if a := s.get("/sim/assinatura/lcr/outra.crl"); a.StatusCode != http.StatusNotFound {
		t.Errorf("unknown list: %d", a.StatusCode)
	}
	bag, err := pkcs7.Parse([]byte(s.get("/sim/assinatura/cadeia.p7b").text))
	if err != nil || len(bag.Certificates) != 3 {
		t.Errorf("p7b: %v", err)
	}
}

// TestSignatureForm: SignedData as observed: detached, one signer, digest as
// sent, the chain without the root.
func TestSignatureForm(t *testing.T) {
	t.Parallel()
	s := quick(start(t))
	token := s.signToken(clara, "sign", "")
	cert := certificatesIn(t, s.certificate(token).text)
	document := []byte("x")
	p7, err := pkcs7.Parse([]byte(s.sign(token, document).text))
	if err != nil || len(cert) != 1 {
		t.Fatal(err)
	}
	if len(p7.Content) != 0 || len(p7.Signers) != 1 || len(p7.Certificates) != 3 || !p7.GetOnlySigner().Equal(cert[0]) {
		t.Errorf("content %d, signers %d, certificates %d", len(p7.Content), len(p7.Signers), len(p7.Certificates))
	}
	var digest []byte
	var at time.Time
	sum := sha256.Sum256(document)
	if err := p7.UnmarshalSignedAttribute(oidMessageDigest, &digest); err != nil || !bytes.Equal(digest, sum[:]) {
		t.Errorf("digest %x: %v", digest, err)
	}
	if err := p7.UnmarshalSignedAttribute(oidSigningTime, &at); err != nil || !at.Equal(begin.Truncate(time.Second)) {
		t.Errorf("signed at %v: %v", at, err)
	}
	p7.Content = document
	pool := x509.NewCertPool()
	pool.AddCert(certificatesIn(t, s.get("/sim/assinatura/cadeia.pem").text)[0])
	if err := p7.VerifyWithChainAtTime(pool, begin); err != nil {
		t.Error(err)
	}
}

// TestSignerCertificate: the profile of 4.6, marked as a test in every name.
func TestSignerCertificate(t *testing.T) {
	t.Parallel()
	s := quick(start(t))
	token := s.signToken(clara, "sign", "")
	a := s.certificate(token)
	cert := certificatesIn(t, a.text)[0]
	chain := certificatesIn(t, s.get("/sim/assinatura/cadeia.pem").text)
	if len(chain) != 3 || chain[0].CheckSignatureFrom(chain[0]) != nil || chain[1].CheckSignatureFrom(chain[0]) != nil || chain[2].CheckSignatureFrom(chain[1]) != nil || cert.CheckSignatureFrom(chain[2]) != nil {
		t.Error("no chain of three")
	}
	for _, c := range append(chain, cert) {
		name := c.Subject.String()
		if !strings.Contains(name, "TESTE SEM VALOR") || strings.Contains(name, "Governo Federal") || strings.Contains(name, "Gov-Br") {
			t.Errorf("name %s", name)
		}
	}
	if cert.Subject.CommonName != "Clara Ouro Fictícia" || cert.KeyUsage != x509.KeyUsageDigitalSignature ||
		len(cert.ExtKeyUsage) != 2 || cert.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth || cert.ExtKeyUsage[1] != x509.ExtKeyUsageEmailProtection ||
		len(cert.EmailAddresses) != 1 || cert.EmailAddresses[0] != "clara@pessoa.invalid" || cert.IsCA {
		t.Errorf("%+v", cert.Subject)
	}
	if life := cert.NotAfter.Sub(begin); life < 364*24*time.Hour || life > 366*24*time.Hour || cert.NotBefore.After(begin) {
		t.Errorf("in force %v to %v", cert.NotBefore, cert.NotAfter)
	}
	others, critical := 0, false
	for _, ext := range cert.Extensions {
		if ext.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			others = bytes.Count(ext.Value, []byte{0x60, 0x4c, 0x01, 0x03}) // 2.16.76.1.3
			if !bytes.Contains(ext.Value, []byte("0101198012345678909")) {
				t.Errorf("no birth and CPF in %x", ext.Value)
			}
		}
		critical = critical || ext.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 15}) && ext.Critical
	}
	if others != 3 || !critical {
		t.Errorf("%d other names, critical %v", others, critical)
	}
	if again := s.certificate(token); again.text != a.text {
		t.Error("each time another certificate")
	}
	s.admin(http.MethodPost, "/relogio", map[string]any{"avancar": "9600h"}, nil)
	renewed := certificatesIn(t, s.certificate(s.signToken(clara, "sign", "")).text)[0]
	if renewed.NotAfter.Before(begin.Add(9600 * time.Hour)) {
		t.Errorf("ends %v", renewed.NotAfter)
	}
}

// TestSignRefusals: the texts of 403, wrong digests, tokens that are used up.
func TestSignRefusals(t *testing.T) {
	t.Parallel()
	s := quick(start(t))
	for cpf, text := range map[brasil.CPF]string{
		ana:   "Cidadão não possui a identidade (Prata ou Ouro) necessária para uso da assinatura eletrônica digital.",
		mario: "CPF com situação cancelada, nula ou falecido na Receita Federal não permite uso da assinatura eletrônica digital.",
	} {
		token := s.signToken(cpf, "sign", "")
		for _, a := range []answer{s.certificate(token), s.sign(token, nil)} {
			if a.StatusCode != http.StatusForbidden || a.text != text {
				t.Errorf("%s: %d %s", cpf, a.StatusCode, a.text)
			}
		}
	}
	token := s.signToken(clara, "sign", "")
	short := base64.StdEncoding.EncodeToString(make([]byte, 31))
	sum := sha256.Sum256(nil)
	for _, body := range []string{"", "{}", "[]", `{"hashBase64":null}`, `{"hashBase64":1}`, `{"hashBase64":""}`, `{"hashBase64":"` + short + `"}`, `{"hashBase64":"` + hex.EncodeToString(sum[:]) + `"}`, `{"hashBase64":"!"}`} {
		if a := s.signHash(token, body); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.text, `"path":"/externo/v2/assinarPKCS7"`) {
			t.Errorf("%q: %d %s", body, a.StatusCode, a.text)
		}
	}
	s.certificate(token) // does not use it up, nor do wrong digests
	if a := s.sign(token, nil); a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, a.text)
	}
	const used = `{"timestamp":1795186800001,"status":401,"error":"Unauthorized","message":"No message available","path":"/externo/v2/assinarPKCS7"}`
	access := s.tokens(clara, nil).AccessToken
	for _, wrong := range []string{token, "", "x", access, token + "x"} {
		if a := s.sign(wrong, nil); a.StatusCode != http.StatusUnauthorized || a.text != used {
			t.Errorf("%.20q: %d %s", wrong, a.StatusCode, a.text)
		}
	}
	late := s.signToken(clara, "sign", "")
	s.clock.Advance(600 * time.Second)
	if a := s.certificate(late); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("after 600 s: %d", a.StatusCode)
	}
	if a := s.inWorld("outro").sign(s.signToken(clara, "sign", ""), nil); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("another world's token: %d", a.StatusCode)
	}
	var made struct {
		List []SignatureMade `json:"assinaturas"`
	}
	s.admin(http.MethodGet, "/assinatura/feitas", nil, &made)
	if len(made.List) != 1 || made.List[0].CPF != clara || !bytes.Equal(made.List[0].Digest, sum[:]) {
		t.Errorf("%+v", made)
	}
}

// TestSignSession: a session signs 100 digests and no more.
func TestSignSession(t *testing.T) {
	t.Parallel()
	s := quick(start(t))
	token := s.signToken(clara, "signature_session govbr", "")
	for i := range maxHashes {
		if a := s.sign(token, []byte{byte(i)}); a.StatusCode != http.StatusOK {
			t.Fatalf("%d: %d %s", i, a.StatusCode, a.text)
		}
	}
	if a := s.sign(token, nil); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("the next: %d", a.StatusCode)
	}
}

// TestSignatureFlaws: each switch makes what it says.
func TestSignatureFlaws(t *testing.T) {
	t.Parallel()
	s := quick(start(t))
	pool := x509.NewCertPool()
	pool.AddCert(certificatesIn(t, s.get("/sim/assinatura/cadeia.pem").text)[0])
	for _, flaw := range signatureFlaws() {
		s.set(map[string]any{"defeitos_assinatura": []SignatureFlaw{flaw}})
		a := s.sign(s.signToken(clara, "sign", ""), []byte("x"))
		p7, err := pkcs7.Parse([]byte(a.text))
		if err != nil {
			t.Errorf("%s: %v", flaw, err)
			continue
		}
		attached := len(p7.Content) > 0
		p7.Content = []byte("x")
		cert := p7.GetOnlySigner()
		bad := p7.VerifyWithChainAtTime(pool, begin) != nil
		inSAN := false
		for _, ext := range cert.Extensions {
			inSAN = inSAN || bytes.Contains(ext.Value, []byte(clara))
		}
		good := map[SignatureFlaw]bool{
			FlawDigest: bad && !attached, FlawBits: bad, FlawAttached: attached, FlawNoChain: len(p7.Certificates) == 1,
			FlawOtherPerson: !bad && !inSAN && cert.Subject.CommonName != "Clara Ouro Fictícia", FlawOtherCA: bad, FlawExpiredCert: bad && cert.NotAfter.Before(begin),
			FlawCPFInName: !bad && !inSAN && strings.HasSuffix(cert.Subject.CommonName, ":12345678909"), FlawNoCPF: !bad && !inSAN && cert.Subject.CommonName == "Clara Ouro Fictícia",
		}[flaw]
		if !good {
			t.Errorf("%s: bad %v, attached %v, certificates %d, %s", flaw, bad, attached, len(p7.Certificates), cert.Subject)
		}
	}
	if a := s.admin(http.MethodPut, "/interruptores", map[string]any{"defeitos_assinatura": []string{"nenhum"}}, nil); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("unknown flaw: %d", a.StatusCode)
	}
}
