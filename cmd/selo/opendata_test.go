package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"selo/api"
)

// downloads asks for every form of a publication.
func (p *process) downloads(number string) map[string][]byte {
	p.Helper()
	files := map[string][]byte{}
	for _, ext := range []string{"csv", "xlsx", "jsonl", "sqlite"} {
		status, _, data := p.get("/api/v1/dados/" + number + "/certificados." + ext)
		if status != http.StatusOK {
			p.Fatalf("%s of %s: %d %s", ext, number, status, data)
		}
		files[ext] = data
	}
	return files
}

// The open data with real processes: a public node passes on what the registry
// signed, who downloads can check it without a server, and a publication that no
// server keeps any more is made anew from the official base, byte for byte.
func TestOpenDataCanBeCheckedAndMadeAnew(t *testing.T) {
	t.Parallel()
	o, key := published(t)
	server := o.background("serve", "--data", o.registry, "--keep", "1")
	server.until("the first publication", func() bool { return server.ready().Publication == 1 })
	node := o.background("catalog", "serve", "--from", server.url, "--key", key, "--data", o.path("nó público"), "--poll", "50ms", "--rate", "0")
	node.until("the first publication", func() bool { return node.ready().Publication == 1 })
	var said api.DataDigests
	node.until("the signed digests", func() bool {
		_, _, raw := node.get("/api/v1/dados/1/resumos")
		o.check(json.Unmarshal(raw, &said))
		return said.Signed
	})
	_, _, raw := node.get("/api/v1/dados/1/resumos")
	statement := o.write("resumos.json", string(raw))
	first := server.downloads("1")
	for ext, data := range node.downloads("1") {
		if !bytes.Equal(data, first[ext]) {
			t.Errorf("the node has other bytes for %s", ext)
		}
	}
	files := []string{}
	for ext, data := range first {
		files = append(files, o.write("baixado."+ext, string(data)))
	}
	check := append([]string{"verify", "--digests", statement, "--key", key}, files...)
	o.ok(check...)
	tampered := o.write("adulterado.csv", strings.Replace(string(first["csv"]), "Fictoy", "Fictov", 1))
	if stdout, _, code := o.run(append(check, tampered)...); code != 2 || !strings.Contains(stdout, "adulterado.csv: não é nenhum dos arquivos") {
		t.Errorf("a tampered file: exit code %d\n%s", code, stdout)
	}
	o.refuses("digests.signature", "verify", "--key", key, files[0],
		"--digests", o.write("falsos.json", strings.Replace(string(raw), said.Files[0].SHA256, strings.Repeat("0", 64), 1)))
	o.refuses("cli.verify.digests.key", "verify", "--digests", statement, files[0])
	o.refuses("cli.verify.what", "verify", "--digests", statement, "--key", key)

	o.again(2)
	server.until("the second publication", func() bool { return server.ready().Publication == 2 })
	if status, _, data := server.get("/api/v1/dados/1/certificados.csv"); status != http.StatusNotFound || !bytes.Contains(data, []byte("publication.not_kept")) {
		t.Errorf("what is not kept: %d %s", status, data)
	}
	node.until("the second publication", func() bool { return node.ready().Publication == 2 })
	for ext, data := range node.downloads("1") { // it keeps more
		if !bytes.Equal(data, first[ext]) {
			t.Errorf("the node has other bytes for %s of the first publication", ext)
		}
	}
	server.stop()
	node.stop()
	for _, ext := range []string{"csv", "xlsx", "jsonl"} {
		out := o.path("refeito." + ext)
		o.ok("catalog", "export", ext, "--data", o.registry, "--publication", "1", "--out", out)
		data, err := os.ReadFile(out)
		o.check(err)
		if !bytes.Equal(data, first[ext]) {
			t.Errorf("%s made anew has other bytes", ext)
		}
		o.ok("verify", "--digests", statement, "--key", key, out)
	}
	o.ok("catalog", "export", "csv", "--data", o.registry, "--publication", "2", "--out", o.path("atual.csv"))
	o.refuses("publication.unknown", "catalog", "export", "csv", "--data", o.registry, "--publication", "9", "--out", o.path("nada.csv"))
}
