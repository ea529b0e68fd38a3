package brasil_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"selo/brasil"
	"selo/fault"
)

func TestParseCEP(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"20000-000", "20000000", "20.000-000", " 20000 000 "} {
		got, err := brasil.ParseCEP(input)
		if err != nil || got != "20000000" || got.Masked() != "20000-000" {
			t.Errorf("%q: got %q, %q, %v", input, got, got.Masked(), err)
		}
	}
	for input, key := range map[string]string{
		"": "cep.length", "2000000": "cep.length", "200000000": "cep.length",
		"2000O000": "cep.characters", "20000#000": "cep.characters", "00999-999": "cep.range",
	} {
		_, err := brasil.ParseCEP(input)
		wantKey(t, input, err, key)
	}
}

func TestParseNCM(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"4011.10.00", "40111000", " 4011 10 00"} {
		got, err := brasil.ParseNCM(input)
		if err != nil || got != "40111000" || got.Masked() != "4011.10.00" {
			t.Errorf("%q: got %q, %q, %v", input, got, got.Masked(), err)
		}
	}
	for input, key := range map[string]string{
		"4011.10": "ncm.length", "4011.10.0A": "ncm.characters", "00000000": "ncm.chapter",
	} {
		_, err := brasil.ParseNCM(input)
		wantKey(t, input, err, key)
	}
}

func TestUF(t *testing.T) {
	t.Parallel()
	codes := brasil.UFs()
	if len(codes) != 27 {
		t.Fatalf("%d units", len(codes))
	}
	seen := map[string]bool{}
	for i, code := range codes {
		if i > 0 && codes[i-1] >= code {
			t.Errorf("%s comes after %s", code, codes[i-1])
		}
		if code.Name() == "" || seen[code.Name()] {
			t.Errorf("%s: name %q", code, code.Name())
		}
		seen[code.Name()] = true
		for _, form := range []string{string(code), " " + strings.ToLower(string(code)), code.Name(), strings.ToUpper(code.Name())} {
			if got, err := brasil.ParseUF(form); err != nil || got != code {
				t.Errorf("%q: got %q, %v, want %s", form, got, err, code)
			}
		}
	}
	if got, err := brasil.ParseUF("sao paulo"); err != nil || got != "SP" {
		t.Errorf("sao paulo: %q, %v", got, err)
	}
	for _, input := range []string{"", "XX", "EX", "S P", "Guanabara"} {
		_, err := brasil.ParseUF(input)
		wantKey(t, input, err, "uf.unknown")
	}
	if got := brasil.UF("XX").Name(); got != "" {
		t.Errorf("XX is %q", got)
	}
}

func TestFaultRepeatsAtMost40Runes(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]string{
		strings.Repeat("ç", 40):     strings.Repeat("ç", 40),
		strings.Repeat("ç", 41):     strings.Repeat("ç", 39) + "…",
		strings.Repeat("ab", 5000):  strings.Repeat("ab", 19) + "a…",
		"bad \xff byte":             "bad \uFFFD byte",
		strings.Repeat("\xff", 100): "\uFFFD…",
	} {
		_, err := brasil.ParseUF(input)
		got := fault.Of(err).Args["valor"]
		if got != want || !utf8.ValidString(got) || utf8.RuneCountInString(got) > 40 {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
