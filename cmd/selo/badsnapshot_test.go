package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// spoilings are what can happen to a snapshot on its way to a node, and what
// the node says then. No two neighbours are refused alike, so that each is met.
var spoilings = []struct {
	name   string
	spoil  func([]byte) []byte
	code   string
	number int64 // of the publication, where it can still be told
	words  string
}{
	{"cut in the middle", func(b []byte) []byte { return b[:len(b)/2] }, "snapshot.truncated", 0, "está incompleta"},
	{"a bit changed", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, "snapshot.tampered", 2, "não é a que foi selada"},
	{"without its last byte", func(b []byte) []byte { return b[:len(b)-1] }, "snapshot.truncated", 0, "está incompleta"},
	{"of an earlier format", func(b []byte) []byte { b[63] = 1; return b }, "snapshot.version", 0, "está na versão 1, e este programa lê a"},
	{"something appended", func(b []byte) []byte { return append(b, "depois do fim"...) }, "snapshot.truncated", 0, "está incompleta"},
	{"of a later format", func(b []byte) []byte { b[63] = 99; return b }, "snapshot.version", 0, "está na versão 99"},
	{"no snapshot at all", func([]byte) []byte { return []byte(strings.Repeat("não é um catálogo ", 1000)) }, "snapshot.format", 0, "não é uma publicação"},
	{"empty", func([]byte) []byte { return nil }, "snapshot.truncated", 0, "está incompleta"},
}

// A node that watches a folder or a file is given bad snapshots one after
// another: it refuses each, says so, and goes on with what it shows, without a
// request dropped. Then it is given the good one.
func TestAPublicNodeKeepsWhatItShows(t *testing.T) {
	t.Parallel()
	o, key := published(t)
	o.again(2)
	catalogue := filepath.Join(o.registry, "catalogo")
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(catalogue, name))
		o.check(err)
		return data
	}
	first, second := read("publicacao-000001.sqlite"), read("publicacao-000002.sqlite")
	for _, watched := range []struct{ what, shown, newer, path string }{
		{"folder", "publicacao-000001.sqlite", "publicacao-000002.sqlite", ""},
		{"file", "atual.sqlite", "atual.sqlite", "atual.sqlite"},
	} {
		t.Run(watched.what, func(t *testing.T) {
			t.Parallel()
			o := &office{T: t, dir: o.dir}
			folder := t.TempDir()
			put := func(name string, data []byte) {
				t.Helper()
				whole := filepath.Join(folder, "chegando")
				o.check(os.WriteFile(whole, data, 0o600))
				o.check(os.Rename(whole, filepath.Join(folder, name)))
			}
			put(watched.shown, first)
			node := o.background("catalog", "serve", "--snapshot", filepath.Join(folder, watched.path), "--key", key, "--poll", "20ms", "--rate", "0")
			load := node.asked("/api/v1/certificados/OCP/FB-BRIN-108%2F25.001", "/", "/certificados/OCP/FB-BRIN-108%2F25.001")
			for _, s := range spoilings {
				put(watched.newer, s.spoil(bytes.Clone(second)))
				node.keeps(s.name, s.code, s.number, s.words)
			}
			put(watched.newer, second)
			node.until("the good one", func() bool { return node.ready().Publication == 2 })
			if r := node.ready(); r.Following == nil || r.Following.Code != "" || r.Following.Refusals != int64(len(spoilings)) {
				t.Errorf("after the good one: %+v", r.Following)
			}
			load.end(t)
			node.stop()
		})
	}
}

// keeps waits until the node says that it refuses what lies there, and checks
// that it says why to people and in the log and shows the one before.
func (p *process) keeps(what, code string, number int64, words string) {
	p.Helper()
	p.until(what, func() bool {
		f := p.ready().Following
		return f != nil && f.Refused && f.Publication == number && f.Code == code
	})
	r := p.ready()
	if r.Publication != 1 || r.Status != "ok" || !strings.Contains(r.Following.Reason, words) || r.Following.Action == "" || r.Following.Since == nil ||
		strings.Contains(r.Following.Reason+r.Following.Action, string(filepath.Separator)) {
		p.Errorf("%s: %+v %+v", what, r, r.Following)
	}
	for path, want := range map[string]string{"/sobre": "1", "/api/v1/certificados/OCP/FB-BRIN-108%2F25.001": `"numero":"FB-BRIN-108/25.001"`} {
		if status, _, data := p.get(path); status != http.StatusOK || !bytes.Contains(data, []byte(want)) {
			p.Errorf("%s: %s gives %d %.200s", what, path, status, data)
		}
	}
	said, err := os.ReadFile(p.log.Name())
	p.check(err)
	if !bytes.Contains(said, []byte("snapshot refused; the one before stays")) || !bytes.Contains(said, []byte("reason="+r.Following.Code)) {
		p.Errorf("%s: the log does not say so:\n%s", what, said)
	}
	measure := []byte(`selo_replica_trouble{reason="` + r.Following.Code + `"} 1`)
	if _, _, data := p.get("/metrics"); !bytes.Contains(data, measure) {
		p.Errorf("%s: %s is not measured", what, measure)
	}
}
