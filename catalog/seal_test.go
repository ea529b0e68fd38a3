package catalog

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"selo/certificate"
	"selo/clock"
	"selo/fault"
)

func fileBytes(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	src := shop(t)
	dir := t.TempDir()
	good := filepath.Join(dir, FileName(1))
	sign := func(text []byte) (string, error) { return "por " + string(text[:4]), nil }
	if err := Build(t.Context(), src, src.publication(1, publishedAt), good, Options{Sign: sign}); err != nil {
		t.Fatal(err)
	}
	data := fileBytes(t, good)
	pages := int(binary.BigEndian.Uint32(data[28:])) * 8192
	for name, test := range map[string]struct {
		data []byte
		key  string
	}{
		"nothing":           {nil, "snapshot.truncated"},
		"a few bytes":       {data[:50], "snapshot.truncated"},
		"half":              {data[:len(data)/2], "snapshot.truncated"},
		"all but a byte":    {data[:len(data)-1], "snapshot.truncated"},
		"without its seal":  {data[:pages], "snapshot.truncated"},
		"a text":            {bytes.Repeat([]byte("texto "), 100), "snapshot.format"},
		"another database":  {patch(data, 68, 0, 0, 0, 1), "snapshot.format"},
		"another version":   {patch(data, 60, 0, 0, 0, 9), "snapshot.version"},
		"pages cut out":     {append(bytes.Clone(data[:pages-8192]), data[pages:]...), "snapshot.tampered"},
		"pages added":       {append(append(bytes.Clone(data[:pages]), make([]byte, 8192)...), data[pages:]...), "snapshot.tampered"},
		"a seal of nothing": {patch(data, pages, 'x'), "snapshot.tampered"},
		"another seal":      {bytes.ReplaceAll(data, []byte(`"numero":1,"em"`), []byte(`"numero":2,"em"`)), "snapshot.signature"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, test.data, 0o600); err != nil {
			t.Fatal(err)
		}
		check := func(text []byte, signature string) error {
			if bytes.Contains(text, []byte("\n2\n")) {
				return errors.New("signature of another text")
			}
			return nil
		}
		c, err := Open(t.Context(), path, OpenOptions{Clock: clock.System{}, Check: check})
		if !fault.HasKey(err, test.key) {
			t.Errorf("%s: %v, want %s", name, err, test.key)
		}
		if c != nil {
			_ = c.Close()
		}
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "absent"), OpenOptions{Clock: clock.System{}}); !fault.HasKey(err, "snapshot.missing") {
		t.Errorf("absent: %v", err)
	}
	if err := CheckFile(t.Context(), good, nil); err != nil {
		t.Errorf("good: %v", err)
	}
}

func patch(data []byte, at int, with ...byte) []byte {
	data = bytes.Clone(data)
	copy(data[at:], with)
	return data
}

// CheckFile sees any changed byte; a forged file digest is caught by the rows.
func TestCheckFileFindsTampering(t *testing.T) {
	t.Parallel()
	src := shop(t)
	path := filepath.Join(t.TempDir(), FileName(1))
	if err := Build(t.Context(), src, src.publication(1, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	s, err := sealOf(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	data := fileBytes(t, path)
	changed := bytes.Replace(data, []byte("Coca-Cola"), []byte("Coca-Bola"), 1)
	if bytes.Equal(changed, data) {
		t.Fatal("the brand is not in the file")
	}
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckFile(t.Context(), path, nil); !fault.HasKey(err, "snapshot.tampered") {
		t.Errorf("a changed brand: %v", err)
	}
	// The forger who seals his file again is betrayed by the content digest.
	if err := os.WriteFile(path+".tmp", changed[:s.Bytes], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := seal(path+".tmp", path, s.Publication, s.Content, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := CheckFile(t.Context(), path, nil); !fault.HasKey(err, "snapshot.tampered") {
		t.Errorf("a resealed file: %v", err)
	}
}

// Update does not give damage a new seal: it builds whole.
func TestUpdateOfDamagedFile(t *testing.T) {
	t.Parallel()
	src := shop(t)
	path := filepath.Join(t.TempDir(), FileName(1))
	if err := Build(t.Context(), src, src.publication(1, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	data := fileBytes(t, path)
	if err := os.WriteFile(path, bytes.ReplaceAll(data, []byte("Coca-Cola"), []byte("Coca-Bola")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Update(t.Context(), src, path, src.publication(2, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	if got := fileBytes(t, path); bytes.Contains(got, []byte("Coca-Bola")) || !bytes.Contains(got, []byte("Coca-Cola")) {
		t.Error("the damage went on into the next snapshot")
	}
}

// brokenSource fails in the middle.
type brokenSource struct {
	*memSource
	after int
}

var errBroken = errors.New("the registry went away")

func (b *brokenSource) EachRevision(ctx context.Context, kind certificate.Kind, from, to int64, newest bool, fn func(Entry) error) error {
	return b.memSource.EachRevision(ctx, kind, from, to, newest, func(e Entry) error {
		if b.after--; b.after < 0 {
			return errBroken
		}
		return fn(e)
	})
}

// A build that fails leaves the old file and nothing beside it.
func TestBuildFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "catálogo.sqlite")
	src := shop(t)
	if err := Build(t.Context(), src, src.publication(1, publishedAt), path, Options{}); err != nil {
		t.Fatal(err)
	}
	old := fileBytes(t, path)
	for after := range len(src.entries) {
		if err := Build(t.Context(), &brokenSource{src, after}, src.publication(2, publishedAt), path, Options{}); !errors.Is(err, errBroken) {
			t.Fatalf("after %d: %v", after, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Build(ctx, src, src.publication(2, publishedAt), path, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	failing := Options{Sign: func([]byte) (string, error) { return "", errBroken }}
	if err := Build(t.Context(), src, src.publication(2, publishedAt), path, failing); !errors.Is(err, errBroken) {
		t.Errorf("signer: %v", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	if !bytes.Equal(fileBytes(t, path), old) {
		t.Error("the old snapshot changed")
	}
}
