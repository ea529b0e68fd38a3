package catalog

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"selo/fault"
)

// A cursor is a place in a list and a check over it and the question: 8 bytes
// each, base64url. It is no secret, the check only tells a cursor of another
// question, or a mangled one, from a good one. Places are ledger indexes, so a
// cursor stays good when the next publication comes.

// makeCursor names a place in the list that question describes.
func makeCursor(question string, place int64) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(place))
	sum := sha256.Sum256(append([]byte(question+"\x00"), b...))
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:8]...))
}

// readCursor returns the place; start when there is no cursor. Fault: search.cursor.
func readCursor(question, cursor string, start int64) (int64, error) {
	if cursor == "" {
		return start, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) != 16 {
		return 0, fault.New(fault.Invalid, "search.cursor")
	}
	place := int64(binary.BigEndian.Uint64(b))
	if place < 0 || makeCursor(question, place) != cursor {
		return 0, fault.New(fault.Invalid, "search.cursor")
	}
	return place, nil
}
