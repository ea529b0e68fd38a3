package store

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"time"
)

// Time is an instant as both engines keep it: microseconds since 1970 in UTC,
// in an INTEGER or BIGINT column. The zero Time is NULL, and NULL is the zero Time.
type Time struct{ time.Time }

// Value implements driver.Valuer.
func (t Time) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return t.UnixMicro(), nil
}

// Scan implements sql.Scanner.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		t.Time = time.Time{}
	case int64:
		t.Time = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("store: a time is kept as int64, not %T", src)
	}
	return nil
}

// ScanTime makes dst a destination of Scan for a column that keeps a [Time].
func ScanTime(dst *time.Time) sql.Scanner { return (*timeScanner)(dst) }

type timeScanner time.Time

func (s *timeScanner) Scan(src any) error {
	var t Time
	if err := t.Scan(src); err != nil {
		return err
	}
	*s = timeScanner(t.Time)
	return nil
}

// bind turns a time.Time into what [Time] keeps; other values pass.
func bind(v any) any {
	switch t := v.(type) {
	case time.Time:
		if t.IsZero() {
			return nil
		}
		return t.UnixMicro()
	case Time:
		return bind(t.Time)
	case *time.Time:
		if t == nil {
			return nil
		}
		return bind(*t)
	}
	return v
}

// bindAll leaves the caller's slice as it is.
func bindAll(args []any) []any {
	copied := false
	for i, v := range args {
		switch v.(type) {
		case time.Time, Time, *time.Time:
			if !copied {
				args, copied = slices.Clone(args), true
			}
			args[i] = bind(v)
		}
	}
	return args
}
