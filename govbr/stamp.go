package govbr

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"selo/brasil"
)

// parseStamp reads a moment as gov.br writes it, in UTC. zone is that of a text
// without offset. ok false means that it is none.
func parseStamp(s string, zone *time.Location) (t time.Time, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) > 40 {
		return time.Time{}, false
	}
	for _, layout := range stampLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	for _, layout := range localLayouts {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// stamp is a moment in an answer: absent, null or unreadable is the zero time.
// Unreadable tells the last case from the others, where it matters.
type stamp struct {
	time.Time
	Unreadable bool
}

// UnmarshalJSON never fails. Text without offset is Brasília's.
func (s *stamp) UnmarshalJSON(data []byte) error {
	*s = readStamp(data, brasil.Location())
	return nil
}

// utcStamp is a stamp whose text without offset is UTC.
type utcStamp stamp

// UnmarshalJSON never fails.
func (s *utcStamp) UnmarshalJSON(data []byte) error {
	*s = utcStamp(readStamp(data, time.UTC))
	return nil
}

func readStamp(data []byte, zone *time.Location) stamp {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil {
		return stamp{Unreadable: true}
	}
	if text == nil {
		return stamp{}
	}
	t, ok := parseStamp(*text, zone)
	return stamp{t, !ok}
}

// flexible is a word or number that gov.br writes either way.
type flexible string

// UnmarshalJSON takes strings, numbers and booleans; null is "".
func (f *flexible) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err == nil {
		*f = flexible(text)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(data, &n); err == nil {
		*f = flexible(n)
		return nil
	}
	var b bool
	if err := json.Unmarshal(data, &b); err != nil {
		return err
	}
	*f = flexible(strconv.FormatBool(b))
	return nil
}

// digitsOf returns the digits with which s begins: "3 (Ouro)" is "3".
func digitsOf(s string) string {
	s = strings.TrimSpace(s)
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return s
	}
	return s[:end]
}
