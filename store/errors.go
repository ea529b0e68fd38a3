package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"selo/fault"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// ErrUnique is held by the error of a statement that breaks a unique rule.
// [UniqueError] tells which.
var ErrUnique = errors.New("unique rule broken")

// ErrOutcomeUnknown is held by the error of a commit whose answer was lost with
// the connection: the change may or may not have been made. The transaction is
// not run again by itself.
var ErrOutcomeUnknown = errors.New("outcome of the commit is unknown")

// UniqueError tells which rule a statement broke. SQLite names the columns, or
// the index when it is made of expressions; PostgreSQL names both.
type UniqueError struct {
	Table      string
	Columns    []string
	Constraint string // name of the index; on SQLite empty when the columns are known
	Cause      error
}

// Error is for logs.
func (e *UniqueError) Error() string {
	return fmt.Sprintf("%v: %s(%s) %s", ErrUnique, e.Table, strings.Join(e.Columns, ", "), e.Constraint)
}

// Is makes errors.Is(err, ErrUnique) true.
func (e *UniqueError) Is(target error) bool { return target == ErrUnique }

// Unwrap gives the engine's error.
func (e *UniqueError) Unwrap() error { return e.Cause }

const sqliteError = lib.SQLITE_ERROR

// sqliteCode is the extended result code inside err, or 0.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// translate turns what a person can act on into a fault and leaves the rest.
func (db *DB) translate(err error) error {
	if err == nil || fault.Of(err) != nil || errors.Is(err, ErrUnique) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		return db.translateSQLite(se, err)
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return db.translatePostgres(pe, err)
	}
	if db.dialect == Postgres && connectionLost(err) {
		return db.unavailable("store.unreachable", err)
	}
	return err
}

func (db *DB) translateSQLite(e *sqlite.Error, err error) error {
	switch e.Code() {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		return uniqueSQLite(e, err)
	}
	keys := map[int]string{
		lib.SQLITE_BUSY:     "store.locked",
		lib.SQLITE_LOCKED:   "store.locked",
		lib.SQLITE_READONLY: "store.read_only",
		lib.SQLITE_FULL:     "store.full",
		lib.SQLITE_IOERR:    "store.disk",
		lib.SQLITE_CORRUPT:  "store.corrupt",
		lib.SQLITE_NOTADB:   "store.corrupt",
		lib.SQLITE_CANTOPEN: "store.cannot_open",
		lib.SQLITE_PERM:     "store.cannot_open",
	}
	if key := keys[e.Code()&0xff]; key != "" {
		return db.unavailable(key, err)
	}
	return err
}

// uniqueSQLite reads "… UNIQUE constraint failed: table.a, table.b (2067)" or
// "… failed: index 'name' (2067)".
func uniqueSQLite(e *sqlite.Error, err error) error {
	u := &UniqueError{Cause: err}
	_, what, found := strings.Cut(e.Error(), "constraint failed: UNIQUE constraint failed: ")
	if !found {
		_, what, _ = strings.Cut(e.Error(), "UNIQUE constraint failed: ")
	}
	if i := strings.LastIndex(what, " ("); i >= 0 {
		what = what[:i]
	}
	if name, ok := strings.CutPrefix(what, "index '"); ok {
		u.Constraint = strings.TrimSuffix(name, "'")
		return u
	}
	for part := range strings.SplitSeq(what, ", ") {
		table, column, _ := strings.Cut(part, ".")
		u.Table = table
		u.Columns = append(u.Columns, column)
	}
	return u
}

func (db *DB) translatePostgres(e *pgconn.PgError, err error) error {
	switch e.Code {
	case "23505":
		return uniquePostgres(e, err)
	case "40001", "40P01", "55P03": // still losing after all attempts
		return db.unavailable("store.locked", err)
	case "25006": // read_only_sql_transaction: a standby, or a transaction of Read
		return db.unavailable("store.read_only", err)
	case "53100": // disk_full
		return db.unavailable("store.full", err)
	case "58030": // io_error
		return db.unavailable("store.disk", err)
	case "XX001", "XX002": // data_corrupted, index_corrupted
		return db.unavailable("store.corrupt", err)
	case "28000", "28P01", "3D000": // no such login, password or database
		return db.unavailable("store.denied", err)
	}
	if connectionLost(err) {
		return db.unavailable("store.unreachable", err)
	}
	return err
}

// uniquePostgres reads "Key (a, b)=(1, 2) already exists." in any language.
func uniquePostgres(e *pgconn.PgError, err error) error {
	u := &UniqueError{Table: e.TableName, Constraint: e.ConstraintName, Cause: err}
	_, rest, ok := strings.Cut(e.Detail, "(")
	if columns, _, ok2 := strings.Cut(rest, ")=("); ok && ok2 {
		u.Columns = strings.Split(columns, ", ")
	}
	return u
}

// connectionLost tells whether the server went away or could not be reached.
func connectionLost(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch pe.Code {
		case "57P01", "57P02", "57P03", "53300": // shut down, crashed, starting, too many clients
			return true
		}
		return strings.HasPrefix(pe.Code, "08")
	}
	var connect *pgconn.ConnectError
	var netErr net.Error
	return errors.As(err, &connect) || errors.As(err, &netErr) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || pgconn.SafeToRetry(err)
}

// retryLimit is how often a transaction that ended with the engine's error err
// may run in all. A lost race is worth many attempts, a lost connection few; a
// SQLite lock was already waited for.
func retryLimit(err error) int {
	if err == nil || errors.Is(err, ErrOutcomeUnknown) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return 1
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) && (pe.Code == "40001" || pe.Code == "40P01") {
		return maxAttempts
	}
	if code := sqliteCode(err); code != 0 {
		if code == lib.SQLITE_BUSY_SNAPSHOT || code&0xff == lib.SQLITE_LOCKED {
			return maxAttempts
		}
		return 1
	}
	if connectionLost(err) {
		return 3
	}
	return 1
}
