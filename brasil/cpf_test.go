package brasil_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"selo/brasil"
	"selo/fault"
)

func TestParseCPF(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]brasil.CPF{
		"529.982.247-25":   "52998224725",
		"52998224725":      "52998224725",
		"111.444.777-35":   "11144477735",
		" 123456789-09\t":  "12345678909",
		"529 982 247 — 25": "52998224725",
		"03124660307":      "03124660307",
		"13124660307":      "13124660307", // one digit apart, and both right: remainders 0 and 1 share a digit
	} {
		if got, err := brasil.ParseCPF(input); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", input, got, err, want)
		}
	}
	for input, key := range map[string]string{
		"":               "cpf.length",
		"5299822472":     "cpf.length",
		"529982247255":   "cpf.length",
		"52998224724":    "cpf.check_digits",
		"52998224715":    "cpf.check_digits",
		"5299822472A":    "cpf.characters",
		"529,982,247-25": "cpf.characters",
		"00000000000":    "cpf.repeated",
		"777.777.777-77": "cpf.repeated",
	} {
		_, err := brasil.ParseCPF(input)
		wantKey(t, input, err, key)
	}
}

func TestMakeCPF(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]brasil.CPF{
		"529982247": "52998224725", "111.444.777": "11144477735", "123456789": "12345678909",
	} {
		if got, err := brasil.MakeCPF(base); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", base, got, err, want)
		}
	}
	for base, key := range map[string]string{
		"5299822472": "cpf.base_length", "52998224A": "cpf.characters", "111111111": "cpf.repeated",
	} {
		_, err := brasil.MakeCPF(base)
		wantKey(t, base, err, key)
	}
}

func TestCPFMaskedAndHidden(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cpf            brasil.CPF
		masked, hidden string
	}{
		{"52998224725", "529.982.247-25", "***.982.247-**"},
		{"", "", ""},
		{"5299822", "5299822", "***.***.***-**"},
	} {
		if c.cpf.Masked() != c.masked || c.cpf.Hidden() != c.hidden {
			t.Errorf("%q: got %q, %q", c.cpf, c.cpf.Masked(), c.cpf.Hidden())
		}
	}
}

func TestCPFProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.StringMatching(`[0-9]{9}`).Draw(t, "base")
		c, err := brasil.MakeCPF(base)
		if fault.HasKey(err, "cpf.repeated") {
			return
		}
		if err != nil || string(c) != base+plainCheck(base, cpfWeights1, cpfWeights2) {
			t.Fatalf("make %q: %q, %v", base, c, err)
		}
		for _, form := range []string{string(c), c.Masked()} {
			if back, err := brasil.ParseCPF(form); err != nil || back != c {
				t.Fatalf("parse %q: %q, %v", form, back, err)
			}
		}
		wrong := []byte(c)
		i := rapid.IntRange(0, len(wrong)-1).Draw(t, "place")
		wrong[i] = '0' + (wrong[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "shift")))%10
		s := string(wrong)
		_, err = brasil.ParseCPF(s)
		right := plainCheck(s[:9], cpfWeights1, cpfWeights2) == s[9:]
		if (err == nil) != (right && strings.Trim(s, s[:1]) != "") {
			t.Fatalf("%q: check digits right: %v, parsed: %v", s, right, err)
		}
	})
}

func FuzzCPF(f *testing.F) {
	for _, s := range []string{"529.982.247-25", "11144477735", "00000000000", "", "5-2", "\x80", "٣"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := brasil.ParseCPF(s)
		if err != nil {
			if c != "" || !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %q with %v", s, c, err)
			}
			return
		}
		if back, err := brasil.ParseCPF(c.Masked()); err != nil || back != c {
			t.Fatalf("%q: %q came back as %q, %v", s, c, back, err)
		}
		if h := c.Hidden(); !strings.HasPrefix(h, "***.") || !strings.HasSuffix(h, "-**") || len(h) != 14 {
			t.Fatalf("%q: hidden as %q", s, h)
		}
	})
}
