package certifierstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"selo/fault"
	"selo/store"
)

// digestSuffix is the name of the file beside a backup that holds its SHA-256,
// as the program sha256sum writes and checks it.
const digestSuffix = ".sha256"

// Backup writes a consistent copy of the base at path to a new file, while
// others go on working, and its digest beside it. The copy holds no keys: it
// may be given away (FAQ 3.24). Fault: Conflict "backup.exists".
func Backup(ctx context.Context, path, to string) error {
	for _, name := range []string{to, to + digestSuffix} {
		if _, err := os.Lstat(name); err == nil {
			return fault.New(fault.Conflict, "backup.exists", "arquivo", name)
		}
	}
	dir, err := os.MkdirTemp(filepath.Dir(to), "selo-*.parcial")
	if err != nil {
		return fault.New(fault.Unavailable, "backup.folder", "pasta", filepath.Dir(to)).Because(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left of it is of no use
	tmp := filepath.Join(dir, "copia.db")
	err = with(ctx, path, "ro", func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, `VACUUM INTO ?`, tmp)
		return err
	})
	if err != nil {
		return fmt.Errorf("copy base: %w", err)
	}
	sum, err := syncAndSum(tmp)
	if err != nil {
		return err
	}
	line := []byte(hex.EncodeToString(sum) + "  " + filepath.Base(to) + "\n")
	if err := os.WriteFile(to+digestSuffix, line, 0o600); err != nil {
		return fmt.Errorf("write digest: %w", err)
	}
	if err := os.Rename(tmp, to); err != nil {
		return fmt.Errorf("name backup: %w", err)
	}
	return nil
}

// Restore puts a backup in the place of the base at path, after checking it
// whole. A base that is there is moved aside, never removed; its new name is
// returned. Reconcile afterwards: the backup may be older than the last remessa.
//
// Faults: NotFound "backup.missing"; Invalid "backup.digest" when the file is
// not the one the digest was made of, "backup.damaged", "backup.foreign" when
// it is no certifier base; Conflict "backup.in_use" while a program has the base
// open, "store.newer".
func Restore(ctx context.Context, backup, path string, now time.Time) (aside string, err error) {
	if err := CheckBackup(ctx, backup); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), "selo-*.parcial")
	if err != nil {
		return "", fault.New(fault.Unavailable, "backup.folder", "pasta", filepath.Dir(path)).Because(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left of it is of no use
	tmp := filepath.Join(dir, "copia.db")
	if err := copyFile(backup, tmp); err != nil {
		return "", err
	}
	if _, err := syncAndSum(tmp); err != nil {
		return "", err
	}
	if _, err := os.Lstat(path); err == nil {
		if err := quiesce(ctx, path); err != nil {
			return "", err
		}
		aside = path + ".antes-" + now.UTC().Format("20060102-150405")
		if err := os.Rename(path, aside); err != nil {
			return "", fmt.Errorf("move base aside: %w", err)
		}
	}
	if err := os.Rename(tmp, path); err != nil {
		return aside, fmt.Errorf("name restored base: %w", err)
	}
	return aside, nil
}

// CheckBackup checks a backup against its digest, when that lies beside it,
// and then whether it is a sound certifier base. Faults: see [Restore].
func CheckBackup(ctx context.Context, backup string) error {
	sum, err := sumOf(backup)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "backup.missing", "arquivo", backup)
	}
	if err != nil {
		return err
	}
	line, err := os.ReadFile(backup + digestSuffix)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("read digest: %w", err)
	case !bytes.HasPrefix(bytes.ToLower(line), []byte(hex.EncodeToString(sum))):
		return fault.New(fault.Invalid, "backup.digest", "arquivo", backup)
	}
	err = with(ctx, backup, "ro&immutable=1", func(conn *sql.Conn) error {
		var verdict string
		if err := conn.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil || verdict != "ok" {
			return fault.New(fault.Invalid, "backup.damaged", "arquivo", backup).Because(err)
		}
		var n int
		err := conn.QueryRowContext(ctx, `
			SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('record', 'revision', 'remessa', 'schema_certifier')`).Scan(&n)
		if err != nil || n != 4 {
			return fault.New(fault.Invalid, "backup.foreign", "arquivo", backup).Because(err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, "sqlite:"+backup, store.Options{ReadOnly: true, Migrations: []store.MigrationSet{Migrations()}})
	if fault.HasKey(err, "store.older") {
		return nil // migrated when it is opened
	}
	if err != nil {
		return err
	}
	return db.Close()
}

// quiesce folds the base into its one file, and fails while anybody else has it open.
func quiesce(ctx context.Context, path string) error {
	err := with(ctx, path, "rw", func(conn *sql.Conn) error {
		for _, statement := range []string{
			`PRAGMA busy_timeout = 200`, `PRAGMA locking_mode = EXCLUSIVE`, `PRAGMA journal_mode = DELETE`,
			`BEGIN EXCLUSIVE`, `COMMIT`,
		} {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		var mode string
		if err := conn.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
			return err
		}
		if mode != "delete" {
			return errors.New("the write-ahead log is in use")
		}
		return nil
	})
	if err == nil {
		return nil
	}
	if text := err.Error(); strings.Contains(text, "locked") || strings.Contains(text, "in use") {
		return fault.New(fault.Conflict, "backup.in_use", "arquivo", path).Because(err)
	}
	// A base that cannot even be opened is what a restoration is for.
	return nil
}

// with opens the file outside of package store's pools: VACUUM INTO and journal
// changes do not run inside a transaction.
func with(ctx context.Context, path, mode string, f func(*sql.Conn) error) error {
	full, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("path of base: %w", err)
	}
	full = filepath.ToSlash(full)
	if !strings.HasPrefix(full, "/") {
		full = "/" + full // a Windows drive
	}
	u := url.URL{Scheme: "file", Path: full, RawQuery: "mode=" + mode + "&_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { _ = db.Close() }() // the operation's own error tells
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { _ = conn.Close() }() // as above
	return f(conn)
}

func sumOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return h.Sum(nil), nil
}

func syncAndSum(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open copy: %w", err)
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, fmt.Errorf("sync copy: %w", err)
	}
	return sumOf(path)
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("open backup: %w", err)
	}
	defer func() { _ = src.Close() }() // read only: nothing to lose
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("create copy: %w", err)
	}
	_, err = io.Copy(dst, src)
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("copy backup: %w", err)
	}
	return nil
}
