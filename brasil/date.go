package brasil

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Date is a calendar day without hour or zone, from 1900-01-01 to 2200-12-31.
// The zero value is no date; it comes before every day. Dates compare with ==.
//
// As text and in JSON a date is "2025-03-01" and no date is "".
type Date struct {
	ymd int32 // 20250301: ordered as the days are
}

const (
	firstYear = 1900
	lastYear  = 2200
)

// NewDate returns the day, or fault date.impossible (31 February) or date.year
// (outside 1900 to 2200).
func NewDate(year int, month time.Month, day int) (Date, error) {
	if key := dateFault(year, int(month), day); key != "" {
		return Date{}, invalidDate(key, strconv.Itoa(year)+"-"+strconv.Itoa(int(month))+"-"+strconv.Itoa(day))
	}
	return pack(year, int(month), day), nil
}

// ParseDate reads a day as people type it: "2025-03-01", or the Brazilian
// "01/03/2025" and "1/3/2025", where the day always comes first. Any other
// shape is refused, never guessed: two-digit years, month first, dots.
//
// Faults: date.format, date.impossible, date.year.
func ParseDate(s string) (Date, error) {
	t := strings.TrimSpace(s)
	year, month, day, ok := splitISO(t)
	if !ok {
		year, month, day, ok = splitBrazilian(t)
	}
	return checked(s, year, month, day, ok)
}

// ParseISODate reads "2025-03-01" and nothing else: what machines exchange.
//
// Faults: date.format, date.impossible, date.year.
func ParseISODate(s string) (Date, error) {
	year, month, day, ok := splitISO(s)
	return checked(s, year, month, day, ok)
}

// checked makes a date of the parts of s; ok false means that s has another shape.
func checked(s string, year, month, day int, ok bool) (Date, error) {
	if !ok {
		return Date{}, invalidDate("date.format", s)
	}
	if key := dateFault(year, month, day); key != "" {
		return Date{}, invalidDate(key, s)
	}
	return pack(year, month, day), nil
}

func invalidDate(key, s string) error {
	if key == "date.year" {
		return invalid(key, s, "minimo", strconv.Itoa(firstYear), "maximo", strconv.Itoa(lastYear))
	}
	return invalid(key, s)
}

// dateFault returns the key of what is wrong with a day, or "".
func dateFault(year, month, day int) string {
	switch {
	case month < 1 || month > 12 || day < 1 || day > daysIn(year, month):
		return "date.impossible"
	case year < firstYear || year > lastYear:
		return "date.year"
	}
	return ""
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func splitISO(s string) (year, month, day int, ok bool) {
	if len(s) != len("2025-03-01") || s[4] != '-' || s[7] != '-' {
		return 0, 0, 0, false
	}
	year, ok1 := number(s[:4])
	month, ok2 := number(s[5:7])
	day, ok3 := number(s[8:])
	return year, month, day, ok1 && ok2 && ok3
}

func splitBrazilian(s string) (year, month, day int, ok bool) {
	dd, rest, _ := strings.Cut(s, "/")
	mm, yyyy, _ := strings.Cut(rest, "/")
	if len(dd) > 2 || len(mm) > 2 || len(yyyy) != 4 {
		return 0, 0, 0, false
	}
	day, ok1 := number(dd)
	month, ok2 := number(mm)
	year, ok3 := number(yyyy)
	return year, month, day, ok1 && ok2 && ok3
}

// number reads a few ASCII digits, at least one.
func number(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, len(s) > 0
}

func pack(year, month, day int) Date {
	return Date{int32(year*10000 + month*100 + day)}
}

// IsZero tells whether d is no date; encoding/json asks it for omitzero.
func (d Date) IsZero() bool { return d == Date{} }

// Year returns 2025 for 2025-03-01, and 0 for no date.
func (d Date) Year() int { return int(d.ymd / 10000) }

// Month returns time.March for 2025-03-01, and 0 for no date.
func (d Date) Month() time.Month { return time.Month(d.ymd / 100 % 100) }

// Day returns 1 for 2025-03-01, and 0 for no date.
func (d Date) Day() int { return int(d.ymd % 100) }

// Weekday returns the day of the week; no date has none, and answers Sunday.
func (d Date) Weekday() time.Weekday {
	if d.IsZero() {
		return time.Sunday
	}
	return d.utc().Weekday()
}

// String returns "2025-03-01", or "" for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	var b [len("2025-03-01")]byte
	return string(d.appendISO(b[:0]))
}

// Brazilian returns "01/03/2025", or "" for no date.
func (d Date) Brazilian() string {
	if d.IsZero() {
		return ""
	}
	var b [len("01/03/2025")]byte
	out := appendDigits(b[:0], d.Day(), 10)
	out = appendDigits(append(out, '/'), int(d.Month()), 10)
	return string(appendDigits(append(out, '/'), d.Year(), 1000))
}

func (d Date) appendISO(b []byte) []byte {
	b = appendDigits(b, d.Year(), 1000)
	b = appendDigits(append(b, '-'), int(d.Month()), 10)
	return appendDigits(append(b, '-'), d.Day(), 10)
}

// appendDigits writes n with leading zeros; unit is the value of its first digit.
func appendDigits(b []byte, n, unit int) []byte {
	for ; unit > 0; unit /= 10 {
		b = append(b, byte('0'+n/unit%10))
	}
	return b
}

// Compare returns -1, 0 or +1 as d is before, on or after e. No date comes first.
func (d Date) Compare(e Date) int { return cmp.Compare(d.ymd, e.ymd) }

// Before tells whether d comes before e. No date comes before every day.
func (d Date) Before(e Date) bool { return d.ymd < e.ymd }

// After tells whether d comes after e. No date comes after none.
func (d Date) After(e Date) bool { return d.ymd > e.ymd }

// AddYears returns the same day n years later, or earlier for a negative n;
// 29 February becomes the 28th where the year has none. A result outside 1900
// to 2200 is the first or last day there is; no date stays none.
func (d Date) AddYears(n int) Date {
	if d.IsZero() {
		return d
	}
	n = max(min(n, lastYear), -lastYear) // no overflow below
	year, month := d.Year()+n, int(d.Month())
	return clamp(year, month, min(d.Day(), daysIn(year, month)))
}

// AddDays returns the day n days later, or earlier for a negative n. A result
// outside 1900 to 2200 is the first or last day there is; no date stays none.
func (d Date) AddDays(n int) Date {
	if d.IsZero() {
		return d
	}
	const span = (lastYear - firstYear + 1) * 366
	return dateOfClock(d.utc().AddDate(0, 0, max(min(n, span), -span)))
}

// DaysUntil returns how many days after d the day e is: 0 on the same day,
// negative when e is earlier. With no date on either side it is 0.
func (d Date) DaysUntil(e Date) int {
	if d.IsZero() || e.IsZero() {
		return 0
	}
	const day = 24 * 60 * 60 // in seconds: a time.Duration ends after 292 years
	return int((e.utc().Unix() - d.utc().Unix()) / day)
}

// Time returns the first moment of the day in loc: midnight, or where summer
// time skips midnight (Brasília until 2018) the moment it begins. No date
// gives the zero time.
func (d Date) Time(loc *time.Location) time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	t := time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, loc)
	if t.Day() != d.Day() {
		_, t = t.ZoneBounds()
	}
	return t
}

// utc returns midnight of d in UTC, for arithmetic only.
func (d Date) utc() time.Time {
	return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, time.UTC)
}

// dateOfClock returns the day that t shows in its own zone.
func dateOfClock(t time.Time) Date {
	year, month, day := t.Date()
	return clamp(year, int(month), day)
}

func clamp(year, month, day int) Date {
	switch {
	case year < firstYear:
		return pack(firstYear, 1, 1)
	case year > lastYear:
		return pack(lastYear, 12, 31)
	}
	return pack(year, month, day)
}

// MarshalText returns "2025-03-01", or nothing for no date.
func (d Date) MarshalText() ([]byte, error) { return d.AppendText(nil) }

// AppendText appends what [Date.MarshalText] returns.
func (d Date) AppendText(b []byte) ([]byte, error) {
	if d.IsZero() {
		return b, nil
	}
	return d.appendISO(b), nil
}

// UnmarshalText reads what MarshalText writes and nothing else; empty is no
// date. Faults as [ParseISODate].
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	year, month, day, ok := splitISO(string(text)) // a string that does not escape costs nothing
	if ok && dateFault(year, month, day) == "" {
		*d = pack(year, month, day)
		return nil
	}
	_, err := checked(string(text), year, month, day, ok)
	return err
}

// UnmarshalJSON reads "2025-03-01", or no date from "" and null. Anything else,
// numbers included, is fault date.format, date.impossible or date.year.
func (d *Date) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*d = Date{}
		return nil
	}
	if n := len(data); n >= 2 && data[0] == '"' && data[n-1] == '"' {
		if d.UnmarshalText(data[1:n-1]) == nil {
			return nil
		}
	}
	var s string // rare: an escape inside, or a fault to report
	if err := json.Unmarshal(data, &s); err != nil {
		return invalid("date.format", string(data)).Because(err)
	}
	return d.UnmarshalText([]byte(s))
}
