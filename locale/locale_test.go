package locale

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"selo/brasil"
	"selo/fault"
)

func TestPick(t *testing.T) {
	t.Parallel()
	tests := []struct {
		flag, env string
		want      Lang
		refused   bool
	}{
		{"", "", PT, false},
		{"", "C.UTF-8", PT, false},
		{"", "en_US.UTF-8", EN, false},
		{"", "es_AR", ES, false},
		{"", "de_DE.UTF-8", PT, false},
		{"", "english", PT, false},
		{"pt", "en_US.UTF-8", PT, false},
		{"pt-BR", "", PT, false},
		{"EN", "", EN, false},
		{"fr", "es_ES", ES, true},
	}
	for _, tt := range tests {
		got, err := Pick(tt.flag, tt.env)
		if got != tt.want || fault.HasKey(err, "lang.unknown") != tt.refused || (err != nil) != tt.refused {
			t.Errorf("Pick(%q, %q) = %q, %v", tt.flag, tt.env, got, err)
		}
	}
}

func TestTextFillsPlaces(t *testing.T) {
	t.Parallel()
	got := Text(EN, "cnpj.length", fault.Pairs("valor", "12{x}"))
	if want := "The CNPJ “12{x}” does not have 14 characters."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Text(PT, "cnpj.length", nil); strings.ContainsAny(got, "{}") || !strings.Contains(got, "…") {
		t.Errorf("a place without argument shows %q", got)
	}
	for text, want := range map[string]string{
		"": "", "{a}": "1", "{a}{a}": "11", "x {a} y {b": "x 1 y {b", "{}": "…", "}{a}": "}1",
	} {
		if got := fill(PT, text, fault.Pairs("a", "1")); got != want {
			t.Errorf("fill(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestMissingKeyShowsInBrackets(t *testing.T) {
	t.Parallel()
	for _, l := range append(Langs(), "", "fr") {
		if got := Text(l, "nobody.knows", nil); got != "[nobody.knows]" {
			t.Errorf("%s: %q", l, got)
		}
		f := Fault(l, fault.New(fault.Conflict, "nobody.knows"))
		if f.Detail != "[nobody.knows]" || f.Title == "" {
			t.Errorf("%s: %+v", l, f)
		}
	}
	if Known("nobody.knows") || !Known("cnpj.length") {
		t.Error("Known is wrong")
	}
}

func TestUnknownLanguageReadsPortuguese(t *testing.T) {
	t.Parallel()
	if Text("fr", "fault.title.not_found", nil) != "Não encontrado" {
		t.Error("not Portuguese")
	}
}

func TestFaultInWords(t *testing.T) {
	t.Parallel()
	f := fault.New(fault.Invalid, "mail.address", "valor", "ana@").Because(errors.New("secret of the server"))
	f.Problems = []fault.Problem{
		{Record: "certificado 2534", Field: "empresas[0].cnpj", Code: "cnpj.characters", Args: fault.Pairs("valor", "12?")},
		{Code: "date.impossible", Args: fault.Pairs("valor", "30/02/2025")},
	}
	got := Fault(PT, f)
	want := Failure{
		Title:  "Há dados a corrigir",
		Detail: "“ana@” não é um endereço de e-mail.",
		Code:   "mail.address",
		Action: "Confira o endereço no cadastro.",
		Problems: []Rendered{
			{
				Subject: "certificado 2534 · Empresas, linha 1: CNPJ",
				Record:  "certificado 2534", Field: "empresas[0].cnpj", Code: "cnpj.characters",
				Message: "O CNPJ “12?” tem caracteres que não cabem: são 12 letras ou algarismos e 2 algarismos no fim.",
				Rule:    "Instrução Normativa RFB 2.229/2024", Action: "Confira o número no cartão CNPJ.",
			},
			{
				Code:    "date.impossible",
				Message: "A data “30/02/2025” não existe no calendário.",
				Action:  "Confira o dia, o mês e o ano.",
			},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	body, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(body), "secret") {
		t.Errorf("the cause shows: %s", body)
	}
	for _, member := range []string{`"title":`, `"detail":`, `"erros":`, `"campo":`, `"codigo":`, `"mensagem":`} {
		if !strings.Contains(string(body), member) {
			t.Errorf("%s is not in %s", member, body)
		}
	}
}

func TestInternalShowsIDAndNextStep(t *testing.T) {
	t.Parallel()
	for _, l := range Langs() {
		f := Internal(l, "7f3a")
		if !strings.Contains(f.Detail, "7f3a") || f.Action == "" || strings.HasPrefix(f.Title, "[") {
			t.Errorf("%s: %+v", l, f)
		}
	}
}

func TestEveryKindHasATitle(t *testing.T) {
	t.Parallel()
	kinds := []fault.Kind{fault.Invalid, fault.NotFound, fault.Conflict, fault.Forbidden, fault.Unavailable, "unheard"}
	for _, l := range Langs() {
		seen := map[string]fault.Kind{}
		for _, k := range kinds {
			title := Fault(l, fault.New(k, "cnpj.length")).Title
			if other, ok := seen[title]; ok || title == "" || strings.HasPrefix(title, "[") {
				t.Errorf("%s: title of %s is %q, as of %s", l, k, title, other)
			}
			seen[title] = k
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct{ got, want string }{
		{Number(PT, 1234567), "1.234.567"},
		{Number(EN, 1234567), "1,234,567"},
		{Number(ES, -1000), "-1.000"},
		{Number(PT, 0), "0"},
		{Number(PT, -999), "-999"},
		{Number(PT, -9223372036854775808), "-9.223.372.036.854.775.808"},
		{Decimal(PT, 1234.56, 1), "1.234,6"},
		{Decimal(EN, -0.25, 2), "-0.25"},
		{Decimal(ES, 12, 0), "12"},
		{Percent(0, 3), "0%"},
		{Percent(2, 3), "66%"},
		{Percent(999999, 1000000), "99%"},
		{Percent(3, 3), "100%"},
		{Percent(0, 0), "100%"},
		{Percent(-1, 3), "0%"},
		{Bytes(PT, 0), "0 B"},
		{Bytes(PT, 999), "999 B"},
		{Bytes(PT, 1500), "1,5 kB"},
		{Bytes(EN, 1500), "1.5 kB"},
		{Bytes(PT, 12_345_678), "12 MB"},
		{Bytes(PT, 999_600), "1,0 MB"},
		{Bytes(PT, 9_999), "10 kB"},
		{Bytes(PT, 3_200_000_000), "3,2 GB"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestDurationsAndDates(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 3, 2, 1, 5, 59, 0, time.UTC) // still the 1st in Brasília
	day := brasil.DateOf(at)
	tests := []struct{ got, want string }{
		{Duration(PT, 0), "0 µs"},
		{Duration(PT, 850*time.Millisecond), "850 ms"},
		{Duration(PT, 3240*time.Millisecond), "3,2 s"},
		{Duration(EN, 3240*time.Millisecond), "3.2 s"},
		{Duration(PT, 9970*time.Millisecond), "10 s"},
		{Duration(PT, 59600*time.Millisecond), "1 min 00 s"},
		{Duration(PT, 65*time.Second), "1 min 05 s"},
		{Duration(PT, 2*time.Hour+5*time.Minute), "2 h 05 min"},
		{Duration(PT, 76*time.Hour), "3 d 04 h"},
		{Duration(PT, -65*time.Second), "-1 min 05 s"},
		{Date(PT, day), "01/03/2025"},
		{Date(ES, day), "01/03/2025"},
		{Date(EN, day), "2025-03-01"},
		{Date(PT, brasil.Date{}), ""},
		{Moment(PT, at), "01/03/2025 22:05"},
		{Moment(EN, at), "2025-03-01 22:05"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestActionFromElsewhereMayBeMissing(t *testing.T) {
	t.Parallel()
	args := fault.Pairs("mensagem", "A remessa já foi recebida.", "acao", "", "codigo", "x.y")
	r := Problem(PT, fault.Problem{Code: "registry.reason", Args: args})
	if r.Message != "A remessa já foi recebida." || r.Action != "" {
		t.Errorf("%+v", r)
	}
}
