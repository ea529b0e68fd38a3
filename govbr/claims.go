package govbr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const (
	maxDepth = 8   // of a token's claims: objects and lists inside each other
	maxList  = 256 // elements of a list of a token
)

// claims are those of one token, by their exact names. encoding/json alone
// would take "SUB" for "sub" and the last of two.
type claims map[string]json.RawMessage

// parseClaims refuses a name that stands twice in one object, whatever its case.
func parseClaims(data []byte) (claims, error) {
	if err := checkNames(data); err != nil {
		return nil, err
	}
	var c claims
	if err := json.Unmarshal(data, &c); err != nil || c == nil {
		return nil, errors.New("claims are no JSON object")
	}
	return c, nil
}

func checkNames(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := checkValue(d, maxDepth); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind the claims")
	}
	return nil
}

func checkValue(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil {
		return errors.New("claims are no JSON")
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == 0 {
		return errors.New("claims are too deep")
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			token, err := d.Token()
			name, ok := token.(string)
			if err != nil || !ok {
				return errors.New("claims are no JSON")
			}
			if name = strings.ToLower(name); seen[name] {
				return errors.New("a claim stands twice")
			}
			seen[name] = true
		}
		if err := checkValue(d, depth-1); err != nil {
			return err
		}
	}
	_, err = d.Token() // the end of the object or list
	return err
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// text returns a claim that is a string, "" when it is absent.
func (c claims) text(name string) (string, error) {
	var s string
	if !absent(c[name]) && json.Unmarshal(c[name], &s) != nil {
		return "", fmt.Errorf("claim %s is no string", name)
	}
	return s, nil
}

// moment returns a claim that counts seconds since 1970; zero when it is absent.
func (c claims) moment(name string) (time.Time, error) {
	if absent(c[name]) {
		return time.Time{}, nil
	}
	// A fraction is within NumericDate (RFC 7519); no date of ours lies outside 1970 to 5138.
	seconds, err := strconv.ParseFloat(string(c[name]), 64)
	if err != nil || !(seconds >= 0 && seconds < 1e11) {
		return time.Time{}, fmt.Errorf("claim %s is no time", name)
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}

// flag reads a boolean that gov.br writes as true in one place and as "true" in
// another (LU, id_token). Everything else is false.
func (c claims) flag(name string) bool { return isTrue(c[name]) }

func isTrue(raw json.RawMessage) bool {
	var word string
	if json.Unmarshal(raw, &word) == nil {
		return strings.EqualFold(word, "true")
	}
	var b bool
	return json.Unmarshal(raw, &b) == nil && b
}

// list reads words: an array as in the tokens, or one string with spaces as in
// the token endpoint's answer.
func (c claims) list(name string) ([]string, error) {
	if absent(c[name]) {
		return nil, nil
	}
	var words []string
	if json.Unmarshal(c[name], &words) == nil {
		if len(words) > maxList {
			return nil, fmt.Errorf("claim %s is too long", name)
		}
		return words, nil
	}
	one, err := c.text(name)
	return strings.Fields(one), err
}

// stampLayouts are the ways in which gov.br writes a moment: with an offset
// without colon in tokens, sometimes with one, and by a mask that the manual
// prints (LU, API de confiabilidades), which is Brasília's clock.
var stampLayouts = []string{
	"2006-01-02T15:04:05.999999999Z0700",
	time.RFC3339Nano,
}

var localLayouts = []string{
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02",
}
