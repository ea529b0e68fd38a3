package catalog

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for escaped, want := range map[string]Address{
		"CCB/2534":                     {"CCB", "2534", ""},
		"CCB/2534/":                    {"CCB", "2534", ""},
		"CCB/2534/prova":               {"CCB", "2534", "prova"},
		"CCB/2534/qr/":                 {"CCB", "2534", "qr"},
		"CCB/2534/outra":               {"CCB", "2534/outra", ""},
		"CCB/prova":                    {"CCB", "prova", ""},
		"CCB/prova/prova":              {"CCB", "prova", "prova"},
		"CCB/X%2Fprova":                {"CCB", "X/prova", ""},
		"CCB/X/%70rova":                {"CCB", "X/prova", ""},
		"CCB/FB-BRIN-108/17.001/prova": {"CCB", "FB-BRIN-108/17.001", "prova"},
		"CCB/a//b":                     {"CCB", "a//b", ""},
		"CCB/../../etc":                {"CCB", "../../etc", ""},
		"CCB//prova":                   {"CCB", "/prova", ""},
	} {
		if got, ok := ParseAddress(escaped, "prova", "qr"); !ok || got != want {
			t.Errorf("%s gives %+v, %t", escaped, got, ok)
		}
	}
	for _, escaped := range []string{"", "CCB", "CCB/", "/2534", "CCB/%zz", "%FF/1", "CCB/" + strings.Repeat("1", MaxNumber+1)} {
		if got, ok := ParseAddress(escaped); ok {
			t.Errorf("%s gives %+v", escaped, got)
		}
	}
}

// FuzzAddress holds that every body and number has an address that leads back to them.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"2534", "FB-BRIN-108/17.001", "prova", "X/prova", "a//b", "..", "%2F", "+ #?", "é", "/", "\x00"} {
		f.Add("CCB", seed, "")
		f.Add("CCB", seed, "prova")
	}
	f.Fuzz(func(t *testing.T, body, number, tail string) {
		if tail != "" {
			tail = "prova"
		}
		a := Address{body, number, tail}
		valid := body != "" && number != "" && len(number) <= MaxNumber && utf8.ValidString(body) && utf8.ValidString(number)
		if got, ok := ParseAddress(a.Escaped(), "prova"); ok != valid || valid && got != a {
			t.Errorf("%q gives %+v, %t, want %+v, %t", a.Escaped(), got, ok, a, valid)
		}
	})
}
