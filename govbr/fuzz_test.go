package govbr

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"selo/fault"
)

// FuzzClaims reads whatever a token might hold: never a panic, never two readings
// of one name, never control characters or an unchecked number in what comes out.
func FuzzClaims(f *testing.F) {
	f.Add([]byte(golden(f, "id_token.json")))
	f.Add([]byte(golden(f, "access_token.json")))
	f.Add([]byte(golden(f, "userinfo.json")))
	f.Add([]byte(`{"sub":"52998224725","SUB":"11144477735"}`))
	f.Add([]byte(`{"sub":"52998224725","amr":[["a"]],"reliability_info":{"level":3,"reliabilities":[{"id":"3 (x)","updatedAt":0}]}}`))
	f.Add([]byte(`{"sub":"52998224725","agent":"true","grantor_account":"111.444.777-35","exp":1e10}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseClaims(data)
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Fatal("claims of no JSON")
		}
		if id, err := readIdentity(c); err == nil {
			if len(id.CPF) != 11 || id.CNPJ != "" && len(id.CNPJ) != 14 || id.Level < UnknownLevel || id.Level > Gold {
				t.Errorf("%#v", id)
			}
			for _, s := range append([]string{id.Name, id.SocialName, id.Email, id.Phone, id.CompanyName}, id.AMR...) {
				if strings.ContainsFunc(s, unicode.IsControl) {
					t.Errorf("control characters in %q", s)
				}
			}
			for _, s := range id.Selos {
				if s.ID == "" || strings.Trim(s.ID, "0123456789") != "" {
					t.Errorf("selo %q", s.ID)
				}
			}
		}
		if a, err := readAccess("x", c); err == nil && (len(a.CPF) != 11 || a.Agent != (a.Grantor != "")) {
			t.Errorf("%#v", a)
		}
	})
}

// FuzzAnswers reads whatever the services might answer.
func FuzzAnswers(f *testing.F) {
	for _, name := range []string{"pv_pendente.json", "pv_negada.json", "pv_400.json", "pv_422.json", "procuracoes.json", "confiabilidades.json",
		"participante.json", "assinatura_token.json", "assinatura_401.json"} {
		f.Add([]byte(golden(f, name)), 400)
	}
	f.Add([]byte(`{"errors":[{"status":403,"code":"X"}]}`), 403)
	f.Fuzz(func(t *testing.T, data []byte, status int) {
		a := &answer{status: status, body: data}
		if p, err := readProof(&answer{status: 200, body: data}); err == nil {
			if p.ID.check() != nil || len(p.CPF) != 11 || p.State(time.Unix(0, 0)) == "" {
				t.Errorf("%#v", p)
			}
		}
		for _, err := range []error{refused(serviceAPI, a), refusedLife(a), refusedToken(a)} {
			if fault.Of(err) == nil {
				t.Errorf("no fault: %v", err)
			}
		}
		if tok, err := readSigningToken(data, true, now); err == nil && (tok.ExpiresAt().Sub(now) > signingLife || tok.Left() != MaxBatch) {
			t.Errorf("%v", tok)
		}
		var selos []rawSelo
		if json.Unmarshal(data, &selos) == nil {
			if _, err := readSelos(selos); err != nil && len(selos) <= maxList {
				t.Error(err)
			}
		}
		_, _ = readPicture(data) // must not panic; what it takes is tested elsewhere
	})
}
