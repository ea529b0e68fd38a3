package sheet

import (
	"encoding/xml"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// epoch is the date system of a workbook (ECMA-376-1, 18.17.4.1).
type epoch int

const (
	epoch1900 epoch = iota // 1 is 1900-01-01, and 60 the 29 February 1900 that never was
	epoch1904              // 0 is 1904-01-01
)

// lastSerial is 9999-12-31 in the 1900 system.
const lastSerial = 2_958_465

// cellFormat is what a number format means for reading.
type cellFormat struct {
	date, clock bool // shows a day, an hour
	zeros       int  // shows whole numbers with at least so many digits
}

const maxStyles = 1 << 17 // Excel allows half

var errStyles = errors.New("too many styles")

// readStyles reads the number formats; a workbook need not have any.
func (b *workbook) readStyles(name string) error {
	if name == "" {
		return nil
	}
	own := map[string]cellFormat{}
	tooMany := false
	err := b.each(name, func(parent string, e xml.StartElement) {
		switch {
		case len(own) > maxStyles || len(b.formats) > maxStyles:
			tooMany = true
		case e.Name.Local == "numFmt":
			own[attr(e, "numFmtId")] = parseFormat(attr(e, "formatCode"))
		case e.Name.Local == "xf" && parent == "cellXfs":
			id := attr(e, "numFmtId")
			format, ok := own[id]
			if !ok {
				format = builtInFormat(id)
			}
			b.formats = append(b.formats, format)
		}
	})
	if err == nil && tooMany {
		err = damaged(name, errStyles)
	}
	return err
}

// builtInFormat knows the formats that have a number only (ECMA-376-1, 18.8.30).
func builtInFormat(id string) cellFormat {
	n, err := strconv.Atoi(id)
	switch {
	case err != nil:
		return cellFormat{}
	case n >= 14 && n <= 17, n >= 27 && n <= 31, n == 36, n >= 50 && n <= 54, n == 57, n == 58:
		return cellFormat{date: true}
	case n >= 18 && n <= 21, n >= 32 && n <= 35, n == 45, n == 47, n == 55, n == 56:
		return cellFormat{clock: true}
	case n == 22:
		return cellFormat{date: true, clock: true}
	}
	return cellFormat{}
}

// parseFormat reads a format code: the first of its sections counts. Elapsed
// time ("[h]:mm") is a number, not a moment.
func parseFormat(code string) cellFormat {
	plain, elapsed := plainFormat(code)
	if elapsed {
		return cellFormat{}
	}
	if n := strings.Count(plain, "0"); n > 1 && n == len(plain) {
		return cellFormat{zeros: n}
	}
	f := cellFormat{
		clock: strings.ContainsAny(plain, "hs"),
		date:  strings.ContainsAny(plain, "yd"),
	}
	if !f.clock && strings.Contains(plain, "m") {
		f.date = true
	}
	if strings.HasPrefix(plain, "general") {
		return cellFormat{}
	}
	return f
}

// plainFormat is the first section of a format code, in lower case, without
// its literals, colours and conditions.
func plainFormat(code string) (plain string, elapsed bool) {
	var b strings.Builder
	code = strings.ToLower(code)
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case ';':
			return b.String(), elapsed
		case '\\', '_', '*':
			i++
		case '"':
			if i++; strings.IndexByte(code[min(i, len(code)):], '"') < 0 {
				return b.String(), elapsed
			}
			i += strings.IndexByte(code[i:], '"')
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				return b.String(), elapsed
			}
			if inside := code[i+1 : i+end]; inside != "" && strings.Trim(inside, "hms") == "" {
				elapsed = true
			}
			i += end
		case ' ', '-', '/', '(', ')':
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), elapsed
}

// numberText is a number as people mean it: a day where the format shows one,
// else the digits without exponent and trailing zeros.
func (b *workbook) numberText(v string, style int) string {
	v = strings.TrimSpace(v)
	var format cellFormat
	if style >= 0 && style < len(b.formats) {
		format = b.formats[style]
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return v
	}
	if format.date || format.clock {
		if text, ok := b.epoch.moment(f, format); ok {
			return text
		}
	}
	text := decimal(v, f)
	if len(text) < format.zeros && isDigits(text) {
		text = strings.Repeat("0", format.zeros-len(text)) + text
	}
	return text
}

// decimal writes whole numbers as they are, others with the 15 digits that a
// spreadsheet shows: 0.1+0.2 is stored as 0.30000000000000004.
func decimal(v string, f float64) string {
	if isDigits(strings.TrimPrefix(v, "-")) {
		return v
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 15, 64), 64)
	if err != nil {
		rounded = f
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// moment writes serial number f as ISO text: "2025-03-14", "10:30:00" or
// "2025-03-14T10:30:00"; false for a number that is none.
func (e epoch) moment(f float64, format cellFormat) (string, bool) {
	if f < 0 || f >= lastSerial+1 {
		return "", false
	}
	seconds := int64(math.Round(f * 86_400))
	days, rest := int(seconds/86_400), int(seconds%86_400)
	day, ok := e.day(days)
	hour := time.Date(2000, 1, 1, 0, 0, rest, 0, time.UTC).Format("15:04:05")
	switch {
	case format.clock && days == 0 && (!format.date || e == epoch1900):
		return hour, true
	case !ok:
		return "", false
	case !format.clock || format.date && rest == 0:
		return day, true
	}
	return day + "T" + hour, true
}

func (e epoch) day(days int) (string, bool) {
	base := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case e == epoch1904:
		base = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case days == 0:
		return "", false
	case days == 60:
		return "1900-02-29", true
	case days < 60:
		base = base.AddDate(0, 0, 1)
	}
	t := base.AddDate(0, 0, days)
	return t.Format(time.DateOnly), t.Year() <= 9999
}
