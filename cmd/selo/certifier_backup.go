package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"selo/certifier"
	"selo/fault"
	"selo/locale"
	"selo/remessa"
	"selo/verify"
)

// digestSuffix names the file with a backup's SHA-256, as sha256sum writes it.
const digestSuffix = ".sha256"

type certifierBackupCmd struct {
	certifierFlags `embed:""`
	File           string `arg:"" help:"${help_arg_backup}" type:"path"`
}

// Run copies the base, as of one moment and while it is in use, with its digest
// beside it. The keys are not in it: the copy may be handed on (FAQ 3.24).
func (c *certifierBackupCmd) Run(a *app) error {
	if _, err := os.Lstat(c.File); err == nil {
		return fault.New(fault.Conflict, "file.exists", "arquivo", c.File)
	}
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		dir, err := os.MkdirTemp(filepath.Dir(c.File), ".selo-copia-")
		if err != nil {
			return fault.New(fault.Unavailable, "file.unwritable", "arquivo", c.File).Because(err)
		}
		defer func() { _ = os.RemoveAll(dir) }() // empty when all went well
		tmp := filepath.Join(dir, filepath.Base(c.File))
		if err := d.store.BackupTo(a.ctx, tmp); err != nil {
			return err
		}
		digest, err := fileDigest(tmp)
		if err != nil {
			return err
		}
		if err := writeFile(c.File+digestSuffix, []byte(digest+"  "+filepath.Base(c.File)+"\n")); err != nil {
			return err
		}
		if err := os.Rename(tmp, c.File); err != nil {
			return fault.New(fault.Unavailable, "file.unwritable", "arquivo", c.File).Because(err)
		}
		a.out.Done("cli.backup.done", "arquivo", c.File)
		a.out.Note("cli.certifier.keep_keys", "arquivo", filepath.Join(d.dir, certifier.KeyFile))
		return nil
	})
}

func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fault.New(fault.Invalid, "file.unreadable", "arquivo", path).Because(err)
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fault.New(fault.Invalid, "file.unreadable", "arquivo", path).Because(err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

type certifierRestoreCmd struct {
	certifierFlags `embed:""`
	FromBackup     string `help:"${help_from_backup}" type:"path" placeholder:"FILE" xor:"from" required:""`
	FromRegistry   bool   `help:"${help_from_registry}" xor:"from" required:""`
	FromBase       string `help:"${help_from_base}" type:"path" placeholder:"FILE" xor:"from" required:""`
}

// Run makes a body's base again: from a copy into an empty folder, or from what
// the registry holds into a base that is enrolled and has no records yet.
func (c *certifierRestoreCmd) Run(a *app) error {
	if c.FromBackup != "" {
		return c.fromBackup(a)
	}
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		return d.withBase(a, c.FromBase, func(b *remessa.Bundle) error {
			var count int64
			err := d.store.Write(a.ctx, func(tx certifier.Tx) (err error) {
				count, err = certifier.RestoreFromBase(a.ctx, tx, d.actor, b)
				return err
			})
			if err != nil {
				return err
			}
			a.out.Done("cli.restore.from_base", "registros", locale.Number(a.lang, count), "numero", strconv.FormatInt(b.Manifest.Sequence, 10))
			a.out.Note("cli.restore.lost_drafts")
			a.out.Note("cli.certifier.fetch_tables")
			return nil
		})
	})
}

// fromBackup puts a copy into place after having checked all of it.
func (c *certifierRestoreCmd) fromBackup(a *app) error {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fault.New(fault.Unavailable, "data.folder", "pasta", c.Data).Because(err)
	}
	target := filepath.Join(c.Data, deskFile)
	if _, err := os.Lstat(target); err == nil {
		return fault.New(fault.Conflict, "restore.not_empty", "pasta", c.Data)
	}
	if err := checkDigest(c.FromBackup); err != nil {
		return err
	}
	tmp := filepath.Join(c.Data, "."+deskFile+"-restauracao")
	defer removeBase(tmp)
	err := writeWhole(tmp, func(w io.Writer) error {
		f, err := os.Open(c.FromBackup)
		if err != nil {
			return fault.New(fault.Invalid, "file.unreadable", "arquivo", c.FromBackup).Because(err)
		}
		defer func() { _ = f.Close() }() // read only: nothing to lose
		_, err = io.Copy(w, f)
		return err
	})
	if err != nil {
		return err
	}
	report, err := verify.Certifier(a.ctx, tmp, verify.Options{})
	if err != nil {
		return err
	}
	if report.Total() > 0 {
		return fault.New(fault.Invalid, "restore.damaged", "arquivo", c.FromBackup, "achados", strconv.FormatInt(report.Total(), 10))
	}
	if err := os.Rename(tmp, target); err != nil {
		return fault.New(fault.Unavailable, "file.unwritable", "arquivo", target).Because(err)
	}
	return c.finish(a, report.Checked())
}

// finish sees to the keys and the outstanding remessa of a base just restored.
func (c *certifierRestoreCmd) finish(a *app, checked int64) error {
	_, err := certifier.CreateKeys(c.Data)
	fresh := err == nil
	if err != nil && !fault.HasKey(err, "keys.exist") {
		return err
	}
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		var body certifier.Body
		err := d.store.Write(a.ctx, func(tx certifier.Tx) (err error) {
			if body, err = certifier.CurrentBody(a.ctx, tx); err != nil {
				return err
			}
			_, err = certifier.Resume(a.ctx, tx, d.keys, d.outbox)
			return err
		})
		if err != nil {
			return err
		}
		a.out.Done("cli.restore.from_backup", "arquivo", c.FromBackup, "verificados", locale.Number(a.lang, checked))
		if !fresh {
			a.out.Note("cli.restore.reconcile")
			return nil
		}
		request, err := remessa.Enrolment{Body: body.Sigla, Name: body.Name, Email: body.Email}.Sign(d.keys)
		if err != nil {
			return err
		}
		path := enrolmentFile(c.Data, body.Sigla)
		if err := writeFile(path, []byte(request+"\n")); err != nil {
			return err
		}
		a.out.Note("cli.restore.new_keys", "arquivo", path)
		return nil
	})
}

// checkDigest compares a backup with the digest beside it, when there is one.
func checkDigest(path string) error {
	said, err := os.ReadFile(path + digestSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return nil // the verification that follows reads every row anyway
	}
	if err != nil {
		return fault.New(fault.Invalid, "file.unreadable", "arquivo", path+digestSuffix).Because(err)
	}
	have, err := fileDigest(path)
	if err != nil {
		return err
	}
	if want, _, _ := strings.Cut(strings.TrimSpace(string(said)), " "); !strings.EqualFold(want, have) {
		return fault.New(fault.Invalid, "restore.digest", "arquivo", path)
	}
	return nil
}

// removeBase removes a SQLite file that did not come into use, with what the engine put beside it.
func removeBase(path string) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		_ = os.Remove(path + suffix) // usually not there
	}
}

// withBase opens the registry's base of the body: a file, or fetched now into a
// temporary one.
func (d *desk) withBase(a *app, path string, do func(*remessa.Bundle) error) error {
	var f *os.File
	var err error
	if path != "" {
		if f, err = os.Open(path); err != nil {
			return fault.New(fault.Invalid, "file.unreadable", "arquivo", path).Because(err)
		}
	} else {
		if f, err = os.CreateTemp(d.dir, "base-*.parcial"); err != nil {
			return fault.New(fault.Unavailable, "data.folder", "pasta", d.dir).Because(err)
		}
		defer func() { _ = os.Remove(f.Name()) }()
	}
	defer func() { _ = f.Close() }() // read only, or temporary
	if path == "" {
		c, err := d.registry(a.ctx)
		if err != nil {
			return err
		}
		a.err.Note("cli.base.fetching")
		if err := c.Base(a.ctx, f); err != nil {
			return err
		}
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("look at base: %w", err)
	}
	b, err := remessa.Open(f, info.Size(), remessa.Limits{})
	if err != nil {
		return err
	}
	return do(b)
}
