package brasil

import "time"

// fixedHolidays holds the national holidays that fall on the same day every
// year, and the first year in which the law made them so.
var fixedHolidays = [...]struct {
	month time.Month
	day   int
	since int
}{
	{time.January, 1, firstYear},   // Lei 662/1949, art. 1º
	{time.April, 21, firstYear},    // Lei 662/1949 as Lei 10.607/2002 has it; before, Lei 1.266/1950
	{time.May, 1, firstYear},       // Lei 662/1949
	{time.September, 7, firstYear}, // Lei 662/1949
	{time.October, 12, 1980},       // Lei 6.802/1980
	{time.November, 2, 2003},       // Lei 10.607/2002, in force since 20 December 2002
	{time.November, 15, firstYear}, // Lei 662/1949
	{time.November, 20, 2024},      // Lei 14.759/2023
	{time.December, 25, firstYear}, // Lei 662/1949
}

// goodFriday and the others count days from Easter Sunday.
const (
	carnivalMonday  = -48
	carnivalTuesday = -47
	goodFriday      = -2
	corpusChristi   = 60
)

// IsNationalHoliday tells whether d is a national holiday: those of Lei
// 662/1949, 6.802/1980 and 14.759/2023, and Good Friday (Lei 9.093/1995, art.
// 2º: a holiday by municipal law, kept in the whole country and listed as
// national in the federal calendar). The days of Lei 662/1949 count in every
// year. State and municipal holidays are not known here.
func IsNationalHoliday(d Date) bool {
	if d.IsZero() {
		return false
	}
	for _, h := range fixedHolidays {
		if d.Month() == h.month && d.Day() == h.day {
			return d.Year() >= h.since
		}
	}
	return d == easter(d.Year()).AddDays(goodFriday)
}

// IsOptionalDay tells whether d is a whole day of ponto facultativo that moves
// with Easter: carnival Monday and Tuesday, and Corpus Christi. They are no
// legal holidays and count as business days; offices mostly close. Half days
// and days that each year's federal ordinance moves are not known here.
func IsOptionalDay(d Date) bool {
	if d.IsZero() {
		return false
	}
	switch easter(d.Year()).DaysUntil(d) {
	case carnivalMonday, carnivalTuesday, corpusChristi:
		return true
	}
	return false
}

// IsBusinessDay tells whether d is a day from Monday to Friday and no national
// holiday. No date is no business day.
func IsBusinessDay(d Date) bool {
	if d.IsZero() {
		return false
	}
	weekday := d.Weekday()
	return weekday != time.Saturday && weekday != time.Sunday && !IsNationalHoliday(d)
}

// NextBusinessDay returns the first business day after d; no date stays none.
func NextBusinessDay(d Date) Date { return AddBusinessDays(d, 1) }

// DueDay returns d when it is a business day, or else the first one after it:
// a deadline that ends when offices are closed moves on (Lei 9.784/1999, art.
// 66, § 1º). No date stays none.
func DueDay(d Date) Date {
	if d.IsZero() || IsBusinessDay(d) {
		return d
	}
	return NextBusinessDay(d)
}

// AddBusinessDays returns the n-th business day after d, or before it for a
// negative n; for 0 it is d itself, business day or not. It stops at the first
// and last day there is; no date stays none.
func AddBusinessDays(d Date, n int) Date {
	step := 1
	if n < 0 {
		step = -1
	}
	for n != 0 {
		next := d.AddDays(step)
		if next == d {
			return d
		}
		d = next
		if IsBusinessDay(d) {
			n -= step
		}
	}
	return d
}

// easter returns Easter Sunday of a year in the Gregorian calendar (the
// anonymous algorithm of Nature, 1876, as Meeus gives it).
func easter(year int) Date {
	a := year % 19
	b, c := year/100, year%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return pack(year, n/31, n%31+1)
}
