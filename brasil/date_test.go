package brasil_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"selo/brasil"
	"selo/fault"
)

// mustDate reads an ISO date; "" is no date.
func mustDate(t interface {
	Helper()
	Fatal(...any)
}, s string) brasil.Date {
	t.Helper()
	if s == "" {
		return brasil.Date{}
	}
	d, err := brasil.ParseISODate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseDate(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]string{
		"2025-03-01":   "2025-03-01",
		"01/03/2025":   "2025-03-01",
		"1/3/2025":     "2025-03-01",
		" 01/03/2025 ": "2025-03-01",
		"11/12/2011":   "2011-12-11", // the day first, always
		"29/02/2024":   "2024-02-29",
		"2000-02-29":   "2000-02-29",
		"1900-01-01":   "1900-01-01",
		"31/12/2200":   "2200-12-31",
	} {
		if got, err := brasil.ParseDate(input); err != nil || got.String() != want {
			t.Errorf("%q: got %s, %v, want %s", input, got, err, want)
		}
	}
	for input, key := range map[string]string{
		"":                     "date.format",
		"//":                   "date.format",
		"01/03/25":             "date.format",
		"2025/03/01":           "date.format",
		"01-03-2025":           "date.format",
		"01.03.2025":           "date.format",
		"2025-3-1":             "date.format",
		"20250301":             "date.format",
		"2025-03-01T00:00:00Z": "date.format",
		"+1/03/2025":           "date.format",
		"001/03/2025":          "date.format",
		"1/3/2025/":            "date.format",
		"٠١/03/2025":           "date.format",
		"29/02/2025":           "date.impossible",
		"29/02/1900":           "date.impossible",
		"31/04/2025":           "date.impossible",
		"03/25/2025":           "date.impossible", // month first is refused, not turned round
		"2025-13-01":           "date.impossible",
		"2025-00-10":           "date.impossible",
		"00/10/2025":           "date.impossible",
		"31/12/1899":           "date.year",
		"2201-01-01":           "date.year",
		"0202-03-01":           "date.year",
	} {
		_, err := brasil.ParseDate(input)
		wantKey(t, input, err, key)
	}
	_, err := brasil.ParseDate("01/01/3000")
	if args := fault.Of(err).Args; args["minimo"] != "1900" || args["maximo"] != "2200" {
		t.Errorf("arguments %v", args)
	}
	_, err = brasil.ParseISODate("01/03/2025")
	wantKey(t, "01/03/2025", err, "date.format")
}

func TestNewDate(t *testing.T) {
	t.Parallel()
	d, err := brasil.NewDate(2025, time.March, 1)
	if err != nil || d.Year() != 2025 || d.Month() != time.March || d.Day() != 1 || d.Weekday() != time.Saturday {
		t.Errorf("got %s, %v", d, err)
	}
	if d.Brazilian() != "01/03/2025" {
		t.Errorf("got %s", d.Brazilian())
	}
	_, err = brasil.NewDate(2025, 2, 29)
	wantKey(t, "2025-2-29", err, "date.impossible")
	_, err = brasil.NewDate(math.MaxInt, 1, 1)
	wantKey(t, "9223372036854775807-1-1", err, "date.year")
}

func TestNoDate(t *testing.T) {
	t.Parallel()
	var none brasil.Date
	if !none.IsZero() || none.String() != "" || none.Brazilian() != "" || none.Year() != 0 || none.Day() != 0 {
		t.Error("the zero value shows as a date")
	}
	first := mustDate(t, "1900-01-01")
	if !none.Before(first) || none.After(first) || none.Compare(first) != -1 || first.IsZero() {
		t.Error("no date does not come before every day")
	}
	if none.AddDays(1) != none || none.AddYears(1) != none || !none.Time(time.UTC).IsZero() ||
		none.DaysUntil(first) != 0 || first.DaysUntil(none) != 0 || none.Weekday() != time.Sunday {
		t.Error("arithmetic makes a date of none")
	}
}

func TestDateArithmetic(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from  string
		days  int
		years int
		want  string
	}{
		{"2024-02-28", 1, 0, "2024-02-29"},
		{"2025-02-28", 1, 0, "2025-03-01"},
		{"2025-01-01", -1, 0, "2024-12-31"},
		{"2025-01-01", 365, 0, "2026-01-01"},
		{"2024-02-29", 0, 1, "2025-02-28"},
		{"2024-02-29", 0, 4, "2028-02-29"},
		{"2024-02-29", 0, -1, "2023-02-28"},
		{"2025-06-30", 0, 10, "2035-06-30"},
		{"2200-12-31", 1, 0, "2200-12-31"},
		{"1900-01-01", -1, 0, "1900-01-01"},
		{"2025-01-01", math.MaxInt, 0, "2200-12-31"},
		{"2025-01-01", math.MinInt, 0, "1900-01-01"},
		{"2025-01-01", 0, math.MaxInt, "2200-12-31"},
		{"2025-01-01", 0, math.MinInt, "1900-01-01"},
	} {
		if got := mustDate(t, c.from).AddYears(c.years).AddDays(c.days); got.String() != c.want {
			t.Errorf("%s + %d years + %d days: got %s, want %s", c.from, c.years, c.days, got, c.want)
		}
	}
}

func TestDaysUntil(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		want     int
	}{
		{"2025-03-01", "2025-03-01", 0},
		{"2025-03-01", "2025-02-28", -1},
		{"2024-02-28", "2024-03-01", 2},
		{"1900-01-01", "2200-12-31", 109937}, // more than a time.Duration holds
	} {
		if got := mustDate(t, c.from).DaysUntil(mustDate(t, c.to)); got != c.want {
			t.Errorf("%s to %s: got %d, want %d", c.from, c.to, got, c.want)
		}
	}
}

func TestDateProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := mustDate(t, "1900-01-01").AddDays(rapid.IntRange(0, 109937).Draw(t, "a"))
		b := mustDate(t, "1900-01-01").AddDays(rapid.IntRange(0, 109937).Draw(t, "b"))
		for _, form := range []string{a.String(), a.Brazilian()} {
			if back, err := brasil.ParseDate(form); err != nil || back != a {
				t.Fatalf("%s: %s, %v", form, back, err)
			}
		}
		if got := brasil.DateOf(a.Time(brasil.Location())); got != a {
			t.Fatalf("%s begins on %s", a, got)
		}
		if got := a.AddDays(a.DaysUntil(b)); got != b {
			t.Fatalf("%s + days until %s is %s", a, b, got)
		}
		if a.Before(b) != (a.String() < b.String()) || a.Compare(b) != strings.Compare(a.String(), b.String()) ||
			a.After(b) != b.Before(a) {
			t.Fatalf("%s and %s are out of order", a, b)
		}
	})
}

func TestDateJSON(t *testing.T) {
	t.Parallel()
	type record struct {
		Issued  brasil.Date         `json:"emissao"`
		Expires brasil.Date         `json:"validade,omitzero"`
		ByDay   map[brasil.Date]int `json:"dias,omitempty"`
	}
	in := record{Issued: mustDate(t, "2025-03-01"), ByDay: map[brasil.Date]int{mustDate(t, "2024-02-29"): 7}}
	text, err := json.Marshal(in)
	if want := `{"emissao":"2025-03-01","dias":{"2024-02-29":7}}`; err != nil || string(text) != want {
		t.Fatalf("got %s, %v, want %s", text, err, want)
	}
	var out record
	if err := json.Unmarshal(text, &out); err != nil || out.Issued != in.Issued || out.ByDay[mustDate(t, "2024-02-29")] != 7 {
		t.Fatalf("got %v, %v", out, err)
	}
	for text, want := range map[string]string{
		`""`: "", `null`: "", `"2025-03-01"`: "2025-03-01", `"\u0032025-03-01"`: "2025-03-01",
	} {
		d := mustDate(t, "1999-09-09")
		if err := json.Unmarshal([]byte(text), &d); err != nil || d.String() != want {
			t.Errorf("%s: got %s, %v", text, d, err)
		}
	}
	for text, key := range map[string]string{
		`"01/03/2025"`: "date.format", `20250301`: "date.format", `" 2025-03-01"`: "date.format",
		`{}`: "date.format", `"2025-02-30"`: "date.impossible", `"1025-02-01"`: "date.year",
	} {
		d := mustDate(t, "1999-09-09")
		err := json.Unmarshal([]byte(text), &d)
		if !fault.HasKey(err, key) || d.String() != "1999-09-09" {
			t.Errorf("%s: got %s, %v, want %s", text, d, err, key)
		}
	}
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"2025-03-01", "01/03/2025", "1/3/2025", "29/02/2100", "9999-99-99", "//", "\xff/1/2000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var decoded brasil.Date
		_ = decoded.UnmarshalJSON([]byte(s)) // only must not panic
		d, err := brasil.ParseDate(s)
		if err != nil {
			if !d.IsZero() || !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %s with %v", s, d, err)
			}
			return
		}
		for _, form := range []string{d.String(), d.Brazilian()} {
			if back, err := brasil.ParseDate(form); err != nil || back != d {
				t.Fatalf("%q: %s came back as %s, %v", s, form, back, err)
			}
		}
		if _, err := time.Parse(time.DateOnly, d.String()); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
	})
}

func TestParseDateDoesNotAllocate(t *testing.T) {
	var d brasil.Date
	text := []byte(`"2025-03-01"`)
	if n := testing.AllocsPerRun(100, func() {
		_, _ = brasil.ParseDate("01/03/2025")
		_ = d.UnmarshalJSON(text)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParseDate(b *testing.B) {
	for name, s := range map[string]string{"iso": "2025-03-01", "brazilian": "01/03/2025"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := brasil.ParseDate(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
