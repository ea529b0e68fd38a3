package main

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selo/account"
	"selo/store"
	"selo/store/accountstore"
	"selo/store/registrystore"
)

// newServer is an office with an empty registry.
func newServer(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, dir: t.TempDir()}
	o.registry = filepath.Join(o.dir, "Inmetro")
	o.check(os.MkdirAll(o.registry, 0o750))
	return o
}

func govbrConfig(back, out string) string {
	data, err := json.Marshal(map[string]any{"ambiente": "homologacao", "login": map[string]string{"id": "h-selo.teste.gov.br", "segredo": "segredo-de-teste"},
		"retorno": back, "retorno_saida": out})
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func TestServeWithGovBR(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	serve := func(config string) []string {
		return []string{"serve", "--data", o.registry, "--addr", "127.0.0.1:0", "--url", "https://selo.example", "--govbr", config}
	}
	good := govbrConfig("https://selo.example/entrar/retorno", "https://selo.example/sair")
	o.refuses("file.unreadable", serve(o.path("nenhum.json"))...)
	o.refuses("govbr.config", serve(o.write("vazio.json", "{}"))...)
	o.refuses("govbr.config.file", serve(o.write("lixo.json", "nada"))...)
	for name, config := range map[string]string{
		"outro.json":  govbrConfig("https://outro.example/entrar/retorno", ""),
		"saida.json":  govbrConfig("https://selo.example/entrar/retorno", "https://selo.example/"),
		"barra.json":  govbrConfig("https://selo.example/entrar/retorno/", ""),
		"idioma.json": govbrConfig("https://selo.example/en/entrar/retorno", ""),
	} {
		o.refuses("serve.govbr_return", serve(o.write(name, config))...)
	}
	p := o.background(serve(o.write("bom.json", good))...)
	status, header, page := p.get("/entrar")
	if status != 200 || !strings.Contains(string(page), "br-sign-in") || !strings.Contains(header.Get("Content-Security-Policy"), "form-action 'self' https://sso.staging.acesso.gov.br;") {
		t.Errorf("/entrar gives %d, %s\n%s", status, header.Get("Content-Security-Policy"), page)
	}
	if strings.Contains(string(page), "segredo-de-teste") {
		t.Error("the page holds the secret")
	}
	p.stop()
	p = o.background("serve", "--data", o.registry, "--addr", "127.0.0.1:0")
	if status, _, page := p.get("/entrar"); status != 200 || strings.Contains(string(page), "br-sign-in") {
		t.Errorf("without a configuration /entrar gives %d", status)
	}
}

func TestSupportLooksWithAPurpose(t *testing.T) {
	t.Parallel()
	o := newServer(t)
	person := func(more ...string) []string {
		return o.regArgs(append([]string{"person", "529.982.247-25"}, more...)...)
	}
	const purpose = "Chamado 123: não consegue entrar"
	o.refuses("account.unknown", person("--purpose", purpose)...)
	base, err := registrystore.Open(t.Context(), "sqlite:"+filepath.Join(o.registry, "registro.db"), store.Options{Migrations: []store.MigrationSet{accountstore.Migrations()}})
	o.check(err)
	accounts := accountstore.Store{DB: base.DB}
	var id account.ID
	o.check(accounts.Write(t.Context(), func(tx account.Tx) error {
		in, err := account.SignIn(t.Context(), tx, account.Identity{CPF: "52998224725", Name: "Ana Fictícia", Level: account.Gold}, "", account.DeviceOf("", netip.Addr{}), account.Limits{})
		id = in.Person.ID
		return err
	}))
	o.refuses("account.look.purpose", person("--purpose", "porque")...)
	if _, _, code := o.run(person()...); code != 2 {
		t.Errorf("without a purpose: exit code %d", code)
	}
	said := o.ok(person("--purpose", purpose)...)
	for _, want := range []string{"Ana Fictícia", "529.982.247-25", "Ouro", "a pessoa a vê"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
	o.check(accounts.Read(t.Context(), func(tx account.Tx) error {
		list, err := tx.ListAccesses(t.Context(), id, 10)
		if len(list) != 1 || list[0].Actor != "ana" || list[0].Purpose != purpose {
			t.Errorf("%+v", list)
		}
		return err
	}))
	o.check(base.Close())
	o.refuses("cpf.check_digits", o.regArgs("person", "529.982.247-26", "--purpose", purpose)...)
}
