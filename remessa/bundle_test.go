package remessa_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"selo/certificate"
	"selo/fault"
	"selo/remessa"
)

var preparedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func mustKeys(tb testing.TB) remessa.Keys {
	tb.Helper()
	keys, err := remessa.NewKeys()
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

func product(tb testing.TB, n int) []byte {
	tb.Helper()
	r := certificate.Revision{ID: certificate.NewID(), Body: "CCB", Number: 1, ApprovedAt: preparedAt,
		Product: &certificate.Product{Brand: "Fictoy", Model: fmt.Sprintf("FT-%d", n)}}
	canonical, err := r.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return canonical
}

func bundle(tb testing.TB, keys remessa.Keys, products int) ([]byte, remessa.Manifest, remessa.Digest) {
	tb.Helper()
	var file bytes.Buffer
	w := remessa.NewWriter(&file, remessa.Head{Body: "CCB", Sequence: 42, Scope: remessa.Partial, PreparedAt: preparedAt}, keys.Sign)
	for i := range products {
		if err := w.Add(certificate.KindProduct, product(tb, i)); err != nil {
			tb.Fatal(err)
		}
	}
	m, digest, err := w.Close()
	if err != nil {
		tb.Fatal(err)
	}
	return file.Bytes(), m, digest
}

func open(file []byte) (*remessa.Bundle, error) {
	return remessa.Open(bytes.NewReader(file), int64(len(file)), remessa.Limits{})
}

// read does all that a receiver does and returns the first refusal.
func read(file []byte, keys remessa.Keys) (lines int, err error) {
	b, err := open(file)
	if err != nil {
		return 0, err
	}
	if err := b.Verify(keys.Public().Sign); err != nil {
		return 0, err
	}
	err = b.Each(func(int64, []byte) error { lines++; return nil })
	return lines, err
}

func TestBundleRoundTrip(t *testing.T) {
	t.Parallel()
	keys := mustKeys(t)
	file, m, digest := bundle(t, keys, 1000)
	b, err := open(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.Digest != digest || b.Manifest != m || m.Counts.Products != 1000 || m.Counts.Total() != 1000 {
		t.Fatalf("opened %+v %s, wrote %+v %s", b.Manifest, b.Digest, m, digest)
	}
	if lines, err := read(file, keys); err != nil || lines != 1000 {
		t.Fatalf("read %d lines, %v", lines, err)
	}
	if got := remessa.FileName("CCB", 42); got != "CCB-000042.remessa" {
		t.Errorf("file name = %s", got)
	}
}

func TestBundleOfAnotherKeyIsRefused(t *testing.T) {
	t.Parallel()
	file, _, _ := bundle(t, mustKeys(t), 3)
	if _, err := read(file, mustKeys(t)); !fault.HasKey(err, "signature.wrong") {
		t.Fatalf("err = %v", err)
	}
}

func TestEveryChangedByteIsRefused(t *testing.T) {
	t.Parallel()
	keys := mustKeys(t)
	file, want, digest := bundle(t, keys, 5)
	for i := range file {
		changed := bytes.Clone(file)
		changed[i] ^= 0x41
		b, err := open(changed)
		if err == nil {
			err = b.Verify(keys.Public().Sign)
		}
		if err == nil {
			err = b.Each(func(int64, []byte) error { return nil })
		}
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("byte %d: not a fault: %v", i, err)
			}
			continue
		}
		// A few bytes of the ZIP's own bookkeeping say nothing: times, attributes.
		if b.Digest != digest || b.Manifest != want {
			t.Fatalf("byte %d changed the meaning and passed", i)
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	t.Parallel()
	keys := mustKeys(t)
	file, _, _ := bundle(t, keys, 5)
	for n := range file {
		if _, err := read(file[:n], keys); !fault.Is(err, fault.Invalid) {
			t.Fatalf("%d of %d bytes: err = %v", n, len(file), err)
		}
	}
}

// repack writes a ZIP with other entries in the place of some of a bundle's.
func repack(tb testing.TB, file []byte, replace map[string][]byte) []byte {
	tb.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	w.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			tb.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			tb.Fatal(err)
		}
		if other, ok := replace[f.Name]; ok {
			data = other
		}
		if data == nil {
			continue
		}
		e, err := w.Create(f.Name)
		if err == nil {
			_, err = e.Write(data)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func TestHostileBundles(t *testing.T) {
	t.Parallel()
	keys := mustKeys(t)
	file, _, _ := bundle(t, keys, 2)
	for _, c := range []struct {
		name string
		file []byte
		key  string
	}{
		{"empty", nil, "bundle.not_zip"},
		{"text", []byte("isto não é uma remessa"), "bundle.not_zip"},
		{"no signature", repack(t, file, map[string][]byte{"assinatura": nil}), "bundle.entries"},
		{"bomb", repack(t, file, map[string][]byte{"revisoes.ndjson": make([]byte, 64<<20)}), "bundle.bomb"},
		{"fat manifest", repack(t, file, map[string][]byte{"manifest.json": make([]byte, 1<<20)}), "bundle.entries"},
		{"manifest not JSON", repack(t, file, map[string][]byte{"manifest.json": []byte("{")}), "bundle.manifest"},
		{"other format", repack(t, file, map[string][]byte{"manifest.json": []byte(`{"formato":2}`)}), "bundle.format"},
		{"spaces in manifest", repack(t, file, map[string][]byte{"manifest.json": []byte(`{ "formato":1}`)}), "bundle.manifest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := read(c.file, keys); !fault.HasKey(err, c.key) {
				t.Errorf("err = %v, want %s", err, c.key)
			}
		})
	}
}

func TestBundleIsBounded(t *testing.T) {
	t.Parallel()
	file, m, _ := bundle(t, mustKeys(t), 100)
	for _, c := range []struct {
		limits remessa.Limits
		key    string
	}{
		{remessa.Limits{Content: m.Size - 1, Line: 1 << 20, Ratio: 200}, "bundle.too_large"},
		{remessa.Limits{Content: m.Size, Line: 50, Ratio: 200}, "bundle.line_too_long"},
	} {
		b, err := remessa.Open(bytes.NewReader(file), int64(len(file)), c.limits)
		if err == nil {
			err = b.Each(func(int64, []byte) error { return nil })
		}
		if !fault.HasKey(err, c.key) {
			t.Errorf("limits %+v: err = %v", c.limits, err)
		}
	}
}

// A signature made for one purpose must be worthless for another.
func TestSignaturesKeepToTheirPurpose(t *testing.T) {
	t.Parallel()
	keys := mustKeys(t)
	release, err := remessa.SignRelease(&certificate.Tables{Number: 1, Body: "CCB"}, keys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remessa.OpenRelease(release, keys.Public().Sign, "CCB"); err != nil {
		t.Fatal(err)
	}
	if _, err := remessa.OpenRelease(release, keys.Public().Sign, "WOS"); !fault.HasKey(err, "tables.other_body") {
		t.Errorf("other body: %v", err)
	}
	if _, err := remessa.OpenRegistry(release); !fault.HasKey(err, "signature.purpose") {
		t.Errorf("as registry answer: %v", err)
	}
	if _, err := remessa.OpenEnrolment(release); !fault.HasKey(err, "signature.purpose") {
		t.Errorf("as enrolment: %v", err)
	}
	file, _, _ := bundle(t, keys, 1)
	swapped := repack(t, file, map[string][]byte{"assinatura": []byte(release)})
	if _, err := read(swapped, keys); !fault.HasKey(err, "signature.purpose") {
		t.Errorf("as remessa: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	keys := mustKeys(f)
	file, _, _ := bundle(f, keys, 3)
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	want := sha256.Sum256(file)
	f.Fuzz(func(t *testing.T, data []byte) {
		if sha256.Sum256(data) == want {
			return
		}
		b, err := remessa.Open(bytes.NewReader(data), int64(len(data)), remessa.Limits{Content: 1 << 20, Line: 1 << 16, Ratio: 200})
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("not a fault: %v", err)
			}
			return
		}
		total := int64(0)
		err = b.Each(func(_ int64, line []byte) error { total += int64(len(line)) + 1; return nil })
		if total > 1<<20 {
			t.Fatalf("read %d bytes beyond the limit", total)
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("not a fault: %v", err)
		}
	})
}
