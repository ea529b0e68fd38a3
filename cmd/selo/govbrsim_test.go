package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"selo/locale"
)

// TestTheSimulatorRuns from its command, with files of its own, and keeps its
// state until the next time.
func TestTheSimulatorRuns(t *testing.T) {
	t.Parallel()
	o := &office{T: t, dir: t.TempDir()}
	people := o.write("pessoas.json", `{"pessoas":[{"cpf":"529.982.247-25","nome":"Única Pessoa Fictícia","senha":"x","selos":[{"id":"701","atualizado_em":"2025-01-01T00:00:00Z"}]}]}`)
	clients := o.write("clientes.json", `{"clientes":[{"client_id":"h-unico","client_secret":"s","nome":"Único","urls_retorno":["http://localhost:1/volta"]}]}`)
	args := []string{"govbr-sim", "--people", people, "--clients", clients, "--state", o.path("estado.json")}
	p := o.background(args...)
	_, _, found := p.get("/.well-known/openid-configuration")
	var told struct {
		Issuer string `json:"issuer"`
	}
	o.check(json.Unmarshal(found, &told))
	if told.Issuer != p.url+"/" {
		t.Errorf("issuer %s at %s", told.Issuer, p.url)
	}
	if _, _, page := p.get("/sim/"); !strings.Contains(string(page), "Única Pessoa Fictícia") || !strings.Contains(string(page), "h-unico") {
		t.Errorf("%s", page)
	} else if link := regexp.MustCompile(`/sim/estatico/simulador\.[0-9a-f]+\.css`).FindString(string(page)); link == "" {
		t.Errorf("no stylesheet in %s", page)
	} else if _, _, sheet := p.get(link); !strings.Contains(string(sheet), "--blue-warm-vivid-70") || !strings.Contains(string(sheet), ".br-button") {
		t.Errorf("the stylesheet is not the site's: %.200s", sheet)
	}
	_, _, keys := p.get("/jwk")
	p.stop()
	p = o.background(args...)
	if _, _, again := p.get("/jwk"); string(again) != string(keys) || len(keys) == 0 {
		t.Errorf("other keys after a restart: %s", again)
	}
	p.stop()
}

// TestTheSimulatorOfANameHasAToken: a name that is not this machine's is for
// others, wherever the program listens.
func TestTheSimulatorOfANameHasAToken(t *testing.T) {
	t.Parallel()
	o := &office{T: t, dir: t.TempDir()}
	p := o.background("govbr-sim", "--url", "http://simulador.invalid:8082")
	if status, _, body := p.get("/sim/admin/pessoas"); status != 403 || !strings.Contains(string(body), "token") {
		t.Errorf("without its token: %d\n%s", status, body)
	}
	p.stop()
	log, err := os.ReadFile(p.log.Name())
	if err != nil || !regexp.MustCompile(`pede o token\s+[A-Z2-7]{26}\s`).Match(log) {
		t.Errorf("no token is printed: %v\n%s", err, log)
	}
}

func TestTheSimulatorSaysWhyItDoesNotStart(t *testing.T) {
	t.Parallel()
	o := &office{T: t, dir: t.TempDir()}
	for _, c := range []struct {
		key  string
		args []string
	}{
		{"govbrsim.host", []string{"--addr", "sso.acesso.gov.br:443"}},
		{"govbrsim.host", []string{"--addr", "127.0.0.1:0", "--url", "https://sso.staging.acesso.gov.br"}},
		{"govbrsim.host", []string{"--addr", "127.0.0.1:0", "--url", "https://cas.iti.br"}},
		{"govbrsim.host", []string{"--addr", "127.0.0.1:0", "--certificate-addr", "certificado.sso.acesso.gov.br:443"}},
		{"govbrsim.host", []string{"--addr", "127.0.0.1:0", "--certificate-url", "https://certificado.sso.acesso.gov.br"}},
		{"govbrsim.address", []string{"--addr", "127.0.0.1:0", "--certificate-url", "http://localhost:8083"}},
		{"govbrsim.host", []string{"--addr", "127.0.0.1:0", "--url", "https://meugov.estaleiro.serpro.gov.br"}},
		{"govbrsim.address", []string{"--addr", "127.0.0.1:0", "--url", "http://exemplo.invalid/caminho"}},
		{"serve.address", []string{"--addr", "nada"}},
		{"cli.govbrsim.file", []string{"--people", o.path("nenhum.json")}},
		{"govbrsim.json", []string{"--clients", o.write("errado.json", `{"clientes":[{"id":"x"}]}`)}},
		{"govbrsim.record", []string{"--people", o.write("errada.json", `{"pessoas":[{"cpf":"1","nome":"X","senha":"x"}]}`)}},
		{"govbrsim.state.format", []string{"--addr", "127.0.0.1:0", "--state", o.write("estado.json", `{"formato":7}`)}},
	} {
		o.refuses(c.key, append([]string{"govbr-sim", "--lang", "pt"}, c.args...)...)
	}
	for _, lang := range locale.Langs() {
		stdout, stderr, code := o.run("govbr-sim", "--help", "--lang", string(lang))
		if first, _, _ := strings.Cut(locale.Text(lang, "help.govbrsim", nil), ","); code != 0 || !strings.Contains(stdout, first[:20]) {
			t.Errorf("help in %s: exit code %d\n%s%s", lang, code, stdout, stderr)
		}
	}
}

// TestNoServerHoldsTheSimulator: only its own command and the demonstration
// know it, so that no configuration of a real server can switch it on.
func TestNoServerHoldsTheSimulator(t *testing.T) {
	t.Parallel()
	allowed := map[string]bool{"cmd/selo/govbrsim.go": true, "cmd/selo/demo_signin.go": true}
	err := filepath.WalkDir("../..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path := filepath.ToSlash(strings.TrimPrefix(name, filepath.Join("..", "..")+string(filepath.Separator)))
		if entry.IsDir() {
			if path == "e2e/node_modules" || path == ".git" || path == "govbr/govbrsim" {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(filepath.Dir(path), "test") || allowed[path] {
			return nil
		}
		content, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(content), `"selo/govbr/govbrsim"`) {
			t.Errorf("%s imports the simulator", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
