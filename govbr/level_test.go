package govbr

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"selo/fault"
)

const accounts = "GET /api/confiabilidades/v3/contas/" + aCPF

// TestLevelForms are the ways in which the API may write levels (LU, API de confiabilidades); several
// count as the highest.
func TestLevelForms(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Level{
		`[{"id":"3","dataAtualizacao":"2025-08-19T16:41:24.853-0300"}]`: Gold,
		`[{"id":"3 (Ouro)","dataAtualizacao":"2025-08-19 16:41:24"}]`:   Gold,
		`[{"id":1},{"id":2},{"id":"1 (Bronze)"}]`:                       Silver,
		`[{"id":"gold"},{"id":"bronze"}]`:                               Gold,
		`[{"id":"9"}]`:                                                  UnknownLevel, `[{"id":null}]`: UnknownLevel, `[]`: UnknownLevel, `[{}]`: UnknownLevel,
		`[{"id":"30"}]`: UnknownLevel,
	} {
		f := newFake(t)
		f.on(accounts+"/niveis", answerJSON(200, body))
		got, err := f.client().Level(t.Context(), access())
		if err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", body, got, err, want)
		}
		if _, _, q := f.last(); q.Get("response-type") != "ids" {
			t.Errorf("query %v", q)
		}
	}
	f := newFake(t)
	f.on(accounts+"/niveis", answerJSON(200, `{"id":"3"}`)) // never but an array
	_, err := f.client().Level(t.Context(), access())
	wantFault(t, err, fault.Unavailable, "govbr.strange")
}

func TestSelos(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.on(accounts+"/confiabilidades", answerJSON(200, golden(t, "confiabilidades.json")))
	got, err := f.client().Selos(t.Context(), access())
	want := []Selo{{"101", time.Date(2025, 7, 2, 17, 17, 16, 0, time.UTC)}, {"801", time.Date(2025, 8, 19, 19, 41, 24, 853e6, time.UTC)}, {"999", time.Time{}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if got[0].Name() != "kba_previdencia" || got[2].Name() != "" {
		t.Error("names")
	}
	if got[0].LogValue().String() != "101" {
		t.Error("log")
	}
}

// TestLevelFallback asks the API when the token does not say the level; who
// signs in is not kept out when it fails.
func TestLevelFallback(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		scope  string
		want   Level
		asked  int
	}{
		"asked":    {answerJSON(200, `[{"id":"2"}]`), "govbr_confiabilidades", Silver, 1},
		"away":     {answerJSON(403, `{}`), "govbr_confiabilidades", UnknownLevel, 1},
		"no scope": {answerJSON(200, `[{"id":"2"}]`), "openid", UnknownLevel, 0},
	} {
		f := newFake(t)
		f.on(accounts+"/niveis", tc.answer)
		f.goodTokens(map[string]any{"reliability_info": nil}, map[string]any{"scope": []string{tc.scope}})
		s, err := f.client().Finish(t.Context(), pending(), goodReturn())
		if err != nil || s.Identity.Level != tc.want || f.count(accounts+"/niveis") != tc.asked {
			t.Errorf("%s: %v, %v, asked %d times", name, s.Identity.Level, err, f.count(accounts+"/niveis"))
		}
	}
}

// TestStepUpURL writes the grammar of the catálogo.
func TestStepUpURL(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := f.client()
	head := f.server.URL + "/confiabilidades/?client_id=h-client.teste.gov.br"
	tail := "&redirect_uri=https%3A%2F%2Fselo.exemplo.gov.br%2Fentrar%2Fretorno"
	for want, r := range map[string]Requirement{
		head + "&niveis=2,3" + tail:   AllOf(Silver, Gold),
		head + "&niveis=(2/3)" + tail: AnyOf(Silver, Gold),
		head + "&niveis=3" + tail:     AllOf(Gold),
		head + tail:                   {},
	} {
		if got := c.StepUpURL(r); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if c.StepUpURL(AnyOf()) != head+tail || c.StepUpURL(AllOf()) != head+tail {
		t.Error("no level asks for none")
	}
}

func TestLevelNames(t *testing.T) {
	t.Parallel()
	for l, want := range map[Level]string{Bronze: "bronze", Silver: "prata", Gold: "ouro", UnknownLevel: "desconhecido", 7: "desconhecido", -1: "desconhecido"} {
		if l.String() != want || l.SignsAdvanced() != (l == Silver || l == Gold) {
			t.Errorf("%d: %s", l, l)
		}
	}
	for word, want := range map[string]Level{"bronze": Bronze, " Silver ": Silver, "GOLD": Gold, "prata": Silver, "ouro": Gold, "": UnknownLevel} {
		if got := parseLevel(word); got != want {
			t.Errorf("%q: %v", word, got)
		}
	}
}

func TestStamps(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 8, 19, 19, 41, 24, 853e6, time.UTC)
	for text, want := range map[string]time.Time{
		"2025-08-19T16:41:24.853-0300": at, "2025-08-19T16:41:24.853-03:00": at, "2025-08-19T19:41:24.853Z": at,
		"2025-08-19T16:41:24.853": at, " 2025-08-19 16:41:24.853 ": at, "2025-08-19": time.Date(2025, 8, 19, 3, 0, 0, 0, time.UTC),
		"2025-08-19T16:41:24.853000000-03:00": at,
	} {
		var s stamp
		if err := s.UnmarshalJSON([]byte(`"` + text + `"`)); err != nil || s.Unreadable || !s.Equal(want) {
			t.Errorf("%s: %v %v", text, s, err)
		}
	}
	for raw, unreadable := range map[string]bool{`null`: false, `"ontem"`: true, `7`: true, `""`: true} {
		var s stamp
		if err := s.UnmarshalJSON([]byte(raw)); err != nil || s.Unreadable != unreadable || !s.IsZero() {
			t.Errorf("%s: %+v", raw, s)
		}
	}
}
