package certifierstore_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"selo/certifier"
	"selo/fault"
	"selo/store"
	"selo/store/certifierstore"
)

func TestBackupOfABaseAtWork(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "São João (1)?#%")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "base.db")
	db, err := certifierstore.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	set := func(name string) error {
		return db.Write(t.Context(), func(tx certifier.Tx) error {
			return certifier.SetBody(t.Context(), tx, "ana", certifier.Body{Sigla: "DEMO", Name: name})
		})
	}
	if err := set("antes"); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "cópia.db")
	err = db.Write(t.Context(), func(tx certifier.Tx) error { // a writer does not stand in the way
		if err := certifier.SetBody(t.Context(), tx, "ana", certifier.Body{Sigla: "DEMO", Name: "depois"}); err != nil {
			return err
		}
		return certifierstore.Backup(t.Context(), path, copied)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := certifierstore.CheckBackup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	restored := filepath.Join(dir, "outra.db")
	if aside, err := certifierstore.Restore(t.Context(), copied, restored, time.Time{}); err != nil || aside != "" {
		t.Fatalf("restore: %q, %v", aside, err)
	}
	other, err := certifierstore.Open(t.Context(), restored, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	err = other.Read(t.Context(), func(tx certifier.Tx) error {
		b, err := certifier.CurrentBody(t.Context(), tx)
		if b.Name != "antes" {
			t.Errorf("the copy holds %q, which was not committed", b.Name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*.parcial")); err != nil || len(names) > 0 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

func TestWhatIsNoBackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	check := func(path, key string) {
		t.Helper()
		if err := certifierstore.CheckBackup(t.Context(), path); !fault.HasKey(err, key) {
			t.Errorf("%s: %v, want %s", path, err, key)
		}
		if _, err := certifierstore.Restore(t.Context(), path, filepath.Join(dir, "base.db"), time.Time{}); !fault.HasKey(err, key) {
			t.Errorf("restore %s: %v, want %s", path, err, key)
		}
	}
	check(filepath.Join(dir, "nada.db"), "backup.missing")
	garbage := filepath.Join(dir, "lixo.db")
	if err := os.WriteFile(garbage, []byte("isto não é uma base, por mais que se queira que seja uma"), 0o600); err != nil {
		t.Fatal(err)
	}
	check(garbage, "backup.damaged")
	foreign := filepath.Join(dir, "alheia.db")
	db, err := store.Open(t.Context(), "sqlite:"+foreign, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	check(foreign, "backup.foreign")
	if _, err := os.Stat(filepath.Join(dir, "base.db")); !os.IsNotExist(err) {
		t.Error("a refused restoration made a base")
	}
}
