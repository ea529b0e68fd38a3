package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selo/catalog"
	"selo/certifier"
)

// decoded reads what a command prints with --json.
func decoded[T any](o *office, args ...string) (v T) {
	o.Helper()
	o.check(json.Unmarshal([]byte(o.ok(append(args, "--json")...)), &v))
	return v
}

func TestEveryReportAgrees(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	doc := decoded[recordDoc](o, o.certArgs("get", "certificado", "fb-brin-108/25.001")...)
	if doc.State == nil || doc.State.Accepted == nil || doc.State.Draft != nil || doc.Certificate.Number != "FB-BRIN-108/25.001" {
		t.Fatalf("%+v", doc)
	}
	doc.Certificate.Remarks = "Revisto na manutenção"
	data, err := json.Marshal(doc)
	o.check(err)
	o.cert("put", o.write("alterado.json", string(data)), "--justification", "Observação esquecida")
	o.cert("put", o.write("pendente.json", `{"certificado": {"numero": "FB-BRIN-120", "classe": "brinquedos"}}`))

	if s := decoded[overview](o, o.certArgs("status")...); s.Incomplete != 1 || s.Ready != 1 || s.Approved != 0 || s.Last == nil || s.Last.State != certifier.Confirmed {
		t.Errorf("status: %+v", s)
	}
	if list := decoded[[]checkDoc](o, o.certArgs("report", "ready")...); len(list) != 1 || !list[0].Ready {
		t.Errorf("ready: %+v", list)
	}
	if list := decoded[[]checkDoc](o, o.certArgs("report", "incomplete")...); len(list) != 1 || len(list[0].Problems) < 4 {
		t.Errorf("incomplete: %+v", list)
	}
	if stdout, _, code := o.run(o.certArgs("check")...); code != 2 || !strings.Contains(stdout, "FB-BRIN-120") {
		t.Errorf("check: exit code %d\n%s", code, stdout)
	}
	o.cert("check", "FB-BRIN-108/25.001")
	if did := decoded[approvalDoc](o, o.certArgs("approve", "--ready")...); did.Certificates != 1 || len(did.Open) != 1 {
		t.Errorf("approve: %+v", did)
	}
	o.cert("reopen", "FB-BRIN-108/25.001", "--reason", "Falta outra observação")
	o.cert("approve", "FB-BRIN-108/25.001")
	o.cycle(2)

	mirror := o.cert("report", "mirror", "--text", "brin 108", "--log")
	for _, want := range []string{"FB-BRIN-108/25.001", "12.ABC.345/01DE", "Pião", "Revisto na manutenção", "esquecida", "ana"} {
		if !strings.Contains(mirror, want) {
			t.Errorf("%q is not in the mirror:\n%s", want, mirror)
		}
	}
	for line := range strings.Lines(mirror) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if list := decoded[[]remessaDoc](o, o.certArgs("remessa", "list")...); len(list) != 2 || list[0].Sequence != 2 || list[0].Count != 1 {
		t.Errorf("remessas: %+v", list)
	}
}

func TestABackupComesBackWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	backup := o.path("cópia (1).db")
	o.cert("backup", backup)
	o.unchanged(func() {
		o.refuses("file.exists", o.certArgs("backup", backup)...)
		o.refuses("restore.not_empty", o.certArgs("restore", "--from-backup", backup)...)
		o.refuses("rebase.not_empty", o.certArgs("restore", "--from-base", o.base())...)
	})
	fresh := func(name string) []string { return []string{"--data", o.path(name), "--from-backup", backup} }
	restore := func(name string) []string { return append([]string{"certifier", "restore"}, fresh(name)...) }
	o.ok(restore("sem chave")...)
	if _, err := os.Stat(o.path("sem chave/OCP.inscricao")); err != nil {
		t.Errorf("new keys need a new enrolment: %v", err)
	}
	o.check(os.Mkdir(o.path("com chave"), 0o700))
	o.copy(filepath.Join(o.body, certifier.KeyFile), filepath.Join(o.path("com chave"), certifier.KeyFile))
	o.ok(restore("com chave")...)
	o.ok("verify", "--certifier", o.path("com chave"), "--database", "sqlite:"+filepath.Join(o.registry, "registro.db"))

	// The registry goes on with the first base; the copy catches up without a network.
	o.cert("put", o.write("outro.json", o.records("FB-BRIN-130", "Bilboquê")))
	o.cert("approve", "FB-BRIN-130")
	o.cycle(2)
	found := decoded[[]differenceDoc](o, "certifier", "reconcile", "--data", o.path("com chave"), "--base", o.base())
	kinds := map[certifier.DifferenceKind]int{}
	for _, f := range found {
		kinds[f.Kind]++
	}
	if kinds[certifier.RemessaLearnt] != 1 || kinds[certifier.MissingHere] != 2 || len(found) != 3 {
		t.Errorf("differences: %+v", found)
	}
	o.ok("verify", "--certifier", o.path("com chave"), "--database", "sqlite:"+filepath.Join(o.registry, "registro.db"))
	if again := decoded[[]differenceDoc](o, "certifier", "reconcile", "--data", o.path("com chave"), "--base", o.base()); len(again) != 0 {
		t.Errorf("a second reconciliation finds %+v", again)
	}

	data, err := os.ReadFile(backup)
	o.check(err)
	data[len(data)/2] ^= 0xff
	o.check(os.WriteFile(backup, data, 0o600))
	o.refuses("restore.digest", restore("danificada")...)
	if _, err := os.Stat(filepath.Join(o.path("danificada"), deskFile)); err == nil {
		t.Error("a damaged copy is in place")
	}
}

// base is all that the registry holds of the body, as a file.
func (o *office) base() string {
	o.Helper()
	o.reg("base", "OCP", "--out", o.path("OCP.base"))
	return o.path("OCP.base")
}

func TestThePublishedCertificateIsFoundAndVerified(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ask := func(args ...string) []string {
		return append(append([]string{"catalog"}, args...), "--data", o.registry)
	}
	o.refuses("snapshot.none", ask("search", "pião")...)
	o.reg("publish")
	if hits := decoded[catalog.Hits](o, ask("search", "fb brin 108")...); len(hits.Certificates) != 1 || hits.Certificates[0].Number != "FB-BRIN-108/25.001" {
		t.Errorf("hits: %+v", hits)
	}
	if shown := o.ok(ask("show", "ocp", "FB-BRIN-108/25.001")...); !strings.Contains(shown, "Pião") {
		t.Errorf("shown:\n%s", shown)
	}
	if v := decoded[catalog.Verification](o, ask("check", "--brand", "FICTOY", "--model", "piao")...); v.Covered != catalog.Covered {
		t.Errorf("%+v", v)
	}
	o.refuses("verification.not_found", ask("check", "--brand", "Fictoy", "--model", "Não há")...)
	for _, format := range []string{"csv", "xlsx", "jsonl", "sqlite"} {
		file := o.path("dados abertos (1)." + format)
		o.ok(ask("export", format, "--out", file)...)
		if info, err := os.Stat(file); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", format, err)
		}
	}
	snapshot := filepath.Join(o.registry, "catalogo", "publicacao-000001.sqlite")
	base := "sqlite:" + filepath.Join(o.registry, "registro.db")
	o.ok("verify", "--snapshot", snapshot, "--database", base, "--key", o.path("OCP.registro"))
	cut := o.path("publicação cortada.sqlite")
	data, err := os.ReadFile(snapshot)
	o.check(err)
	o.check(os.WriteFile(cut, data[:len(data)/2], 0o600))
	o.refuses("snapshot.truncated", "catalog", "search", "pião", "--snapshot", cut)
	if _, _, code := o.run("verify", "--snapshot", cut); code != 2 {
		t.Errorf("verify of a truncated snapshot: exit code %d", code)
	}
}

func (o *office) copy(from, to string) {
	o.Helper()
	in, err := os.Open(from)
	o.check(err)
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	o.check(err)
	_, err = io.Copy(out, in)
	o.check(err)
	o.check(out.Close())
	o.check(in.Close())
}
