package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"selo/fault"

	_ "modernc.org/sqlite" // the driver
)

// openSQLite opens the one writer and the readers of the file at path.
//
// The writer is a single connection whose transactions are immediate: with
// deferred ones a read followed by a write fails as soon as two are at work.
func (db *DB) openSQLite(ctx context.Context, path string) error {
	db.dialect, db.name = SQLite, path
	if strings.ContainsRune(path, 0) || strings.HasPrefix(path, ":memory:") {
		return fault.New(fault.Invalid, "store.url", "esquema", "sqlite")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("resolve path: %w", err)
	}
	uri := sqliteURI(abs, runtime.GOOS == "windows")
	busy := db.opts.BusyTimeout
	if busy == 0 {
		busy = 10 * time.Second
	}
	readers := db.opts.MaxConns
	if readers == 0 {
		readers = 8
	}
	if !db.opts.ReadOnly {
		wdb, err := sql.Open("sqlite", uri+"?"+writerPragmas(busy))
		if err != nil {
			return fmt.Errorf("open writer: %w", err)
		}
		db.writers = newPool(wdb, 1, true)
		if err := wdb.PingContext(ctx); err != nil {
			return fmt.Errorf("open writer: %w", err)
		}
		if err := db.migrate(ctx, wdb); err != nil {
			return err
		}
	}
	rdb, err := sql.Open("sqlite", uri+"?"+readerPragmas(busy))
	if err != nil {
		return fmt.Errorf("open readers: %w", err)
	}
	db.readers = newPool(rdb, readers, true)
	if err := rdb.PingContext(ctx); err != nil {
		return fmt.Errorf("open readers: %w", err)
	}
	if db.opts.ReadOnly {
		return db.checkVersions(ctx, rdb)
	}
	return nil
}

// sqliteURI makes the "file:" URI of an absolute path of either kind of system.
// Every character that means something in a URI is escaped, so that a folder
// named "São João (1)?#%" is a folder.
func sqliteURI(abs string, windows bool) string {
	if windows {
		abs = strings.ReplaceAll(abs, `\`, "/")
		if !strings.HasPrefix(abs, "/") {
			abs = "/" + abs // C:/dados -> /C:/dados
		}
	}
	segments := strings.Split(abs, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return "file://" + strings.Join(segments, "/")
}

// writerPragmas: synchronous=FULL makes each commit reach the disk (a lost
// remessa is worse than a slow one). The WAL is cut back to 64 MiB after a
// large transaction. No memory map: a disk error must be an error, not SIGBUS.
func writerPragmas(busy time.Duration) string {
	return url.Values{
		"_busy_timeout": {strconv.FormatInt(busy.Milliseconds(), 10)},
		"_txlock":       {"immediate"},
		"_journal_mode": {"WAL"},
		"_foreign_keys": {"1"},
		"_synchronous":  {"FULL"},
		"_dqs":          {"0"},
		"_error_rc":     {"1"},
		"_pragma":       {"cache_size(-65536)", "journal_size_limit(67108864)"},
	}.Encode()
}

func readerPragmas(busy time.Duration) string {
	return url.Values{
		"mode":          {"ro"},
		"_busy_timeout": {strconv.FormatInt(busy.Milliseconds(), 10)},
		"_dqs":          {"0"},
		"_error_rc":     {"1"},
		"_pragma":       {"cache_size(-8192)"},
	}.Encode()
}

func (s *session) beginSQLite(ctx context.Context, write bool) error {
	text := "BEGIN DEFERRED"
	if write {
		text = "BEGIN IMMEDIATE"
	}
	_, err := s.exec(ctx, text, nil)
	return err
}

func (s *session) commitSQLite(ctx context.Context) error {
	_, err := s.exec(ctx, "COMMIT", nil)
	return err
}

// BackupTo writes a compact copy of a SQLite base, as of one moment, to a file
// that must not exist yet; the base stays in use meanwhile. The copy has reached
// the disk when it returns. On PostgreSQL it is an error: use pg_dump.
func (db *DB) BackupTo(ctx context.Context, path string) error {
	if db.dialect != SQLite {
		return fmt.Errorf("back up %s: only SQLite bases are copied by the program", db.name)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("back up %s: %w", db.name, err)
	}
	s, err := db.readers.acquire(ctx)
	if err != nil {
		return fmt.Errorf("back up %s: %w", db.name, err)
	}
	defer db.readers.release(s, false)
	if _, err := s.conn.ExecContext(ctx, "VACUUM INTO ?", abs); err != nil {
		return fmt.Errorf("back up %s: %w", db.name, db.translate(err))
	}
	f, err := os.OpenFile(abs, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("back up %s: %w", db.name, err)
	}
	return errors.Join(f.Sync(), f.Close())
}
