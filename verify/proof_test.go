package verify

import (
	"bytes"
	"crypto/sha256"
	"go/build"
	"slices"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/tlog"
)

// TestSharesNothingWithTheWritePath is the promise of the package comment.
func TestSharesNothingWithTheWritePath(t *testing.T) {
	t.Parallel()
	pkg, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{"selo/brasil", "selo/fault", "selo/store"}
	for _, name := range pkg.Imports {
		if strings.HasPrefix(name, "selo/") && !slices.Contains(allowed, name) {
			t.Errorf("verify imports %s", name)
		}
		if strings.Contains(name, "x/mod") || strings.Contains(name, "go-jose") {
			t.Errorf("verify imports %s, as the write path does", name)
		}
	}
}

func TestLeafHashKnownVectors(t *testing.T) {
	t.Parallel()
	// RFC 6962 test vectors: the empty leaf, and the empty tree.
	if got := leafHash(nil).String(); got != "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" {
		t.Errorf("hash of the empty leaf = %s", got)
	}
	if got := (&tree{}).root().String(); got != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("root of the empty tree = %s", got)
	}
}

// TestTreeAgainstAnother compares roots and tiles with the Go checksum database's code.
func TestTreeAgainstAnother(t *testing.T) {
	t.Parallel()
	const leaves = 70_000 // three levels of tiles
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, at := range indexes {
			out[i] = stored[at]
		}
		return out, nil
	})
	var mine tree
	for n := range int64(leaves) {
		data := []byte{byte(n), byte(n >> 8), byte(n >> 16)}
		hashes, err := tlog.StoredHashes(n, data, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
		mine.add(leafHash(data))
		if n < 1100 || n%7919 == 0 || n == leaves-1 {
			want, err := tlog.TreeHash(n+1, read)
			if err != nil {
				t.Fatal(err)
			}
			if got := mine.root(); got != hash(want) {
				t.Fatalf("root of %d leaves = %s, want %s", n+1, got, want)
			}
		}
	}
	tiles := 0
	for _, have := range append(mine.full, mine.edge...) {
		width := len(have.data) / sha256.Size
		if width == 0 {
			continue
		}
		tiles++
		want, err := tlog.ReadTileData(tlog.Tile{H: tileHeight, L: have.level, N: have.n, W: width}, read)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have.data, want) {
			t.Errorf("%s differs", tileName(have.level, have.n))
		}
	}
	if tiles != 274+2+1 {
		t.Errorf("%d tiles of %d leaves", tiles, leaves)
	}
}

var canonicalCases = []string{
	`{}`, `[]`, `{"a":1,"b":[true,false,null]}`, `{"b":1,"a":1}`, `{"a":1,"a":2}`, `{"a": 1}`, ` {}`, `{} `, `[1,]`, `01`, `-0`, `0`, `-1`,
	`1.0`, `1.5`, `1e3`, `1E400`, `123456789012345678`, `9007199254740993`, `999999999999999`, `1.`, `.5`, `-`, `"é"`, `"\u00e9"`, `"\u001f"`, `"\u001F"`, `"\u0009"`,
	`"\t"`, `"\/"`, "\"\x01\"", "\"\xff\"", "\"\u2028\"", `"\u2028"`, "{\"\U0001F600\":1,\"\uFB33\":1}", "{\"\uFB33\":1,\"\U0001F600\":1}",
	`{"\n":1,"a":2}`, `{"a":2,"\n":1}`, `"`, `{"a"}`, `{"a":}`, `nul`, `{}{}`, ``, `"\`, `"\u00`, `{"é":1,"z":2}`, `{"z":1,"é":2}`,
}

// agree wants isCanonical to be what RFC 8785 by another hand says.
func agree(t *testing.T, text string) {
	t.Helper()
	again, err := jcs.Transform([]byte(text))
	want := err == nil && string(again) == text
	if got := isCanonical([]byte(text)); got != want {
		t.Errorf("isCanonical(%q) = %v; jcs gives %q, %v", text, got, again, err)
	}
}

func TestIsCanonical(t *testing.T) {
	t.Parallel()
	for _, text := range canonicalCases {
		agree(t, text)
	}
}

func FuzzIsCanonical(f *testing.F) {
	for _, text := range canonicalCases {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "[")+strings.Count(text, "{") > maxDepth {
			return // deeper than this program writes: refused here
		}
		agree(t, text)
	})
}

// FuzzOutsideBytes feeds the parsers of stored bytes: none may panic.
func FuzzOutsideBytes(f *testing.F) {
	f.Add([]byte("origem\n1\nAAAA\n\n— origem AAAA\n"))
	f.Add([]byte("a.b.c"))
	f.Add([]byte(`{"produto":{"marca":"A","modelo":"B","importado":true},"id":"x"}`))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if n, ok := parseNote(string(data)); ok {
			n.signedBy(make([]byte, 32))
		}
		if j, ok := parseJWS(string(data)); ok {
			j.signedBy(make([]byte, 32))
		}
		if d := parse(data); d != nil {
			d.key()
			d.frozen()
			_ = d.name()
		}
		if b, ok := openBundle(bytes.NewReader(data), int64(len(data))); ok {
			_, _ = b.lines(func([]byte) error { return nil })
		}
	})
}
