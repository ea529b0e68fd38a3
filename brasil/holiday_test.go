package brasil_test

import (
	"testing"
	"time"

	"selo/brasil"
)

func TestHolidays(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]bool{
		"2025-01-01": true, "2025-04-21": true, "2025-05-01": true, "2025-09-07": true, "2025-10-12": true,
		"2025-11-02": true, "2025-11-15": true, "2025-11-20": true, "2025-12-25": true,
		"2024-11-20": true, "2023-11-20": false, // Lei 14.759/2023
		"1980-10-12": true, "1979-10-12": false, // Lei 6.802/1980
		"2003-11-02": true, "2002-11-02": false, // Lei 10.607/2002
		"2024-03-29": true, "2025-04-18": true, "2026-04-03": true, "2038-04-23": true, // Good Friday
		"2025-04-17": false, "2025-04-20": false, "2025-03-04": false, "2025-06-19": false, "": false,
	} {
		if got := brasil.IsNationalHoliday(mustDate(t, day)); got != want {
			t.Errorf("%s: holiday %v", day, got)
		}
	}
	for day, want := range map[string]bool{
		"2025-03-03": true, "2025-03-04": true, "2025-06-19": true, // carnival, Corpus Christi
		"2024-02-12": true, "2024-02-13": true, "2024-05-30": true,
		"2025-03-05": false, "2025-03-02": false, "2025-04-18": false, "2025-12-25": false, "": false,
	} {
		d := mustDate(t, day)
		if got := brasil.IsOptionalDay(d); got != want {
			t.Errorf("%s: optional %v", day, got)
		}
		if want && !brasil.IsBusinessDay(d) {
			t.Errorf("%s: an optional day is a business day", day)
		}
	}
}

func TestBusinessDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2025-04-17", 1, "2025-04-22"}, // Good Friday, weekend, Tiradentes
		{"2025-04-22", -1, "2025-04-17"},
		{"2025-04-19", 0, "2025-04-19"},
		{"2025-03-03", 1, "2025-03-04"},
		{"2024-11-19", 1, "2024-11-21"},
		{"2023-11-17", 1, "2023-11-20"},
		{"2025-12-24", 5, "2026-01-02"},
		{"2025-03-07", 10, "2025-03-21"},
		{"2200-12-30", 99, "2200-12-31"},
		{"1900-01-03", -99, "1900-01-01"},
		{"", 3, ""},
	} {
		if got := brasil.AddBusinessDays(mustDate(t, c.from), c.n); got.String() != c.want {
			t.Errorf("%s + %d: got %s, want %s", c.from, c.n, got, c.want)
		}
	}
	for _, c := range []struct{ day, next, due string }{
		{"2025-03-07", "2025-03-10", "2025-03-07"},
		{"2025-03-08", "2025-03-10", "2025-03-10"},
		{"2025-04-18", "2025-04-22", "2025-04-22"},
		{"", "", ""},
	} {
		d := mustDate(t, c.day)
		if next, due := brasil.NextBusinessDay(d), brasil.DueDay(d); next.String() != c.next || due.String() != c.due {
			t.Errorf("%s: next %s, due %s", d, next, due)
		}
	}
	if brasil.IsBusinessDay(brasil.Date{}) {
		t.Error("no date is a business day")
	}
}

func TestToday(t *testing.T) {
	t.Parallel()
	for moment, want := range map[string]string{
		"2025-03-01T02:59:59Z":      "2025-02-28", // still 23:59:59 in Brasília
		"2025-03-01T03:00:00Z":      "2025-03-01",
		"2019-01-15T01:30:00Z":      "2019-01-14", // summer time, UTC-2
		"2019-01-15T02:00:00Z":      "2019-01-15",
		"2025-03-01T05:00:00+09:00": "2025-02-28",
		"1850-01-01T12:00:00Z":      "1900-01-01",
		"2500-01-01T12:00:00Z":      "2200-12-31",
	} {
		now, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			t.Fatal(err)
		}
		if got := brasil.Today(now); got.String() != want {
			t.Errorf("%s: got %s, want %s", moment, got, want)
		}
	}
	if !brasil.DateOf(time.Time{}).IsZero() {
		t.Error("the zero time has a date")
	}
}

func TestDayBegins(t *testing.T) {
	t.Parallel()
	for day, want := range map[string]string{
		"2025-03-01": "2025-03-01T03:00:00Z",
		"2018-11-04": "2018-11-04T03:00:00Z", // summer time begins: 01:00 follows 23:59
		"2018-11-05": "2018-11-05T02:00:00Z",
		"2019-02-17": "2019-02-17T03:00:00Z", // summer time ends: the hour before is repeated
	} {
		got := mustDate(t, day).Time(brasil.Location()).UTC().Format(time.RFC3339)
		if got != want {
			t.Errorf("%s: got %s, want %s", day, got, want)
		}
	}
}

func TestNextAt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		now          string
		hour, minute int
		want         string
	}{
		{"2025-03-01T12:00:00Z", 22, 0, "2025-03-02T01:00:00Z"},
		{"2025-03-02T00:59:59Z", 22, 0, "2025-03-02T01:00:00Z"},
		{"2025-03-02T01:00:00Z", 22, 0, "2025-03-03T01:00:00Z"},
		{"2025-03-02T02:30:00Z", 22, 0, "2025-03-03T01:00:00Z"},
		{"2025-12-31T23:00:00Z", 6, 30, "2026-01-01T09:30:00Z"},
		{"2018-11-04T01:30:00Z", 22, 0, "2018-11-05T00:00:00Z"}, // summer time began at midnight
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		got := brasil.NextAt(now, c.hour, c.minute)
		if got.Format(time.RFC3339) != c.want {
			t.Errorf("%s: got %s, want %s", c.now, got.Format(time.RFC3339), c.want)
		}
	}
}
