package locale

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"selo/brasil"
)

// separators returns how lang parts thousands and decimals.
func separators(lang Lang) (thousands, decimal string) {
	if lang == EN {
		return ",", "."
	}
	return ".", ","
}

// Number writes n with its thousands parted: 1.234.567 in Portuguese and
// Spanish, 1,234,567 in English.
func Number(lang Lang, n int64) string {
	thousands, _ := separators(lang)
	return group(strconv.FormatInt(n, 10), thousands)
}

// Decimal writes x rounded to the given number of decimals.
func Decimal(lang Lang, x float64, decimals int) string {
	thousands, decimal := separators(lang)
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	whole = group(whole, thousands)
	if fraction == "" {
		return whole
	}
	return whole + decimal + fraction
}

// group parts the digits of a whole number in threes.
func group(digits, sep string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(sep)
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// Percent writes the share part/whole without decimals, rounded down, so that
// "100%" means complete. A whole of zero is complete.
func Percent(part, whole int64) string {
	if whole <= 0 || part >= whole {
		return "100%"
	}
	return strconv.FormatInt(int64(100*float64(max(part, 0))/float64(whole)), 10) + "%"
}

// Bytes writes a size in decimal units: 512 B, 1,5 kB, 12 MB.
func Bytes(lang Lang, n int64) string {
	if n > -1000 && n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	units := []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	x := float64(n) / 1000
	i := 0
	for math.Abs(x) >= 999.5 && i < len(units)-1 {
		x /= 1000
		i++
	}
	decimals := 0
	if math.Abs(x) < 9.95 {
		decimals = 1
	}
	return Decimal(lang, x, decimals) + " " + units[i]
}

// Duration writes how long something took or will take, to two units at most:
// 850 ms, 3,2 s, 1 min 05 s, 2 h 05 min, 3 d 04 h.
func Duration(lang Lang, d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	switch {
	case d < time.Millisecond:
		return sign + Number(lang, d.Microseconds()) + " µs"
	case d < time.Second:
		return sign + Number(lang, d.Milliseconds()) + " ms"
	case d < 9950*time.Millisecond:
		return sign + Decimal(lang, d.Seconds(), 1) + " s"
	}
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%s%d s", sign, s)
	case s < 3600:
		return fmt.Sprintf("%s%d min %02d s", sign, s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%s%d h %02d min", sign, s/3600, s%3600/60)
	}
	return fmt.Sprintf("%s%s d %02d h", sign, Number(lang, s/86400), s%86400/3600)
}

// Date writes a calendar day: 01/03/2025 in Portuguese and Spanish, 2025-03-01
// in English, where day and month would otherwise be confused. No date is "".
func Date(lang Lang, d brasil.Date) string {
	switch {
	case d.IsZero():
		return ""
	case lang == EN:
		return d.String()
	}
	return d.Brazilian()
}

// Moment writes a day and time in Brasília, to the minute.
func Moment(lang Lang, t time.Time) string {
	return Date(lang, brasil.DateOf(t)) + " " + t.In(brasil.Location()).Format("15:04")
}
