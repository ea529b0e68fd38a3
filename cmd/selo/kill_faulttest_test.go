//go:build faulttest

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"selo/remessa"
	"selo/store/storetest"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// points are the calls at which to kill: all of them with SELO_FAULT_FULL=1,
// else a few, evenly spread, with both ends.
func points(calls, few int) []int {
	var list []int
	if os.Getenv("SELO_FAULT_FULL") != "" || calls <= few {
		few = calls
	}
	for i := range few {
		list = append(list, 1+i*(calls-1)/max(few-1, 1))
	}
	return list
}

// scene is a body and a registry in one folder, driven by the real program.
type scene struct {
	*testing.T
	dir, body, registry, database string
	file, code                    string // of the remessa that is under way
}

// newScene makes empty places for both, the registry on the engine.
func newScene(t *testing.T, postgres bool) *scene {
	t.Helper()
	s := &scene{T: t}
	s.place(filepath.Join(t.TempDir(), "cena (açúcar)"), postgres, "")
	must(t, os.MkdirAll(s.dir, 0o755))
	return s
}

// place says where everything is; a PostgreSQL base is made, from another one if named.
func (s *scene) place(dir string, postgres bool, template string) {
	s.Helper()
	s.dir, s.body, s.registry = dir, filepath.Join(dir, "organismo"), filepath.Join(dir, "registro")
	if !postgres {
		s.database = "sqlite:" + filepath.Join(s.registry, "registro.db")
		return
	}
	name := fmt.Sprintf("k_%s", strings.ToLower(rand.Text()))
	statement := "CREATE DATABASE " + name
	if template != "" {
		statement += " TEMPLATE " + template
	}
	server := storetest.Postgres(s)
	execute(s.T, server, statement)
	s.Cleanup(func() { execute(s.T, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	u, err := url.Parse(server)
	must(s.T, err)
	u.Path = "/" + name
	s.database = u.String()
}

func (s *scene) onPostgres() bool { return !strings.HasPrefix(s.database, "sqlite:") }

// copy is a second scene that is just like this one.
func (s *scene) copy(t *testing.T) *scene {
	t.Helper()
	c := &scene{T: t, file: s.file, code: s.code}
	template := ""
	if s.onPostgres() {
		u, err := url.Parse(s.database)
		must(t, err)
		template = strings.TrimPrefix(u.Path, "/")
	}
	c.place(filepath.Join(t.TempDir(), "cópia"), s.onPostgres(), template)
	must(t, os.CopyFS(c.dir, os.DirFS(s.dir)))
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run runs the program; killed tells that it did not end by itself.
func (s *scene) run(env []string, args ...string) (output string, code int, killed bool) {
	s.Helper()
	cmd := s.command(env, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.Fatal(err)
	}
	code = cmd.ProcessState.ExitCode()
	return string(out), code, code == -1
}

func (s *scene) command(env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "SELO_LANG=pt", "SELO_USER=ana", "SELO_DATA=", "SELO_DATABASE=")
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// ok runs a command that must end well, or with one of the other codes.
func (s *scene) ok(args []string, codes ...int) string {
	s.Helper()
	out, code, _ := s.run(nil, args...)
	if code != 0 && !slices.Contains(codes, code) {
		s.Fatalf("selo %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

func (s *scene) cert(args ...string) []string {
	return append([]string{"certifier"}, append(args, "--data", s.body)...)
}

func (s *scene) reg(args ...string) []string {
	return append([]string{"registry"}, append(args, "--data", s.registry, "--database", s.database)...)
}

func (s *scene) write(name, content string) string {
	s.Helper()
	path := filepath.Join(s.dir, name)
	must(s.T, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// enrol makes body and registry know each other and takes one certificate to
// its publication; address is the registry's, if it serves.
func (s *scene) enrol(address string) {
	s.Helper()
	s.ok(s.cert("init", "--sigla", "ocp", "--name", "Organismo Fictício", "--email", "ocp@ocp.example"))
	answer := filepath.Join(s.dir, "OCP.registro")
	s.ok(s.reg("enrol", filepath.Join(s.body, "OCP.inscricao"), "--out", answer, "--url", address))
	s.ok(s.cert("enrol", answer))
	s.ok(s.reg("reference", s.write("listas.json", referenceJSON)))
	s.ok(s.reg("scope", "OCP", "--class", "brinquedos", "--since", "2010-01-01"))
	s.ok(s.reg("release", "OCP", "--out", s.dir))
	s.ok(s.cert("aux", "apply", filepath.Join(s.dir, "OCP-tabelas-000001.selo")))
}

// draft saves a new certificate with a new product.
func (s *scene) draft(n int) {
	s.Helper()
	text := (&office{T: s.T}).records(fmt.Sprintf("FB/%d", n), fmt.Sprintf("Pião %d", n))
	s.ok(s.cert("put", s.write("certificado.json", text)))
}

// killStep is one command of the cycle with how to do it.
type killStep struct {
	name string
	args func(s *scene) []string
	// again lets the same command be refused with exit code 2 because it was done.
	again bool
	// after notes what later steps need.
	after func(s *scene)
}

// killSteps are the whole cycle with files, in order.
var killSteps = []killStep{
	{name: "approve", args: func(s *scene) []string { return s.cert("approve", "--ready") }, again: true},
	{name: "prepare", args: func(s *scene) []string { return s.cert("remessa", "prepare") }, again: true},
	{name: "send", args: func(s *scene) []string { return s.cert("remessa", "send", "--to", s.dir) },
		after: func(s *scene) { s.file = filepath.Join(s.dir, remessa.FileName("OCP", 2)) }},
	{name: "deliver", args: func(s *scene) []string { return s.reg("deliver", s.file) }},
	{name: "process", args: func(s *scene) []string { return s.reg("process") },
		after: func(s *scene) { s.code = unlockCode.FindString(s.ok(s.reg("remessas", "OCP", "2"))) }},
	{name: "unlock", args: func(s *scene) []string { return s.cert("remessa", "unlock", s.code) }},
	{name: "publish", args: func(s *scene) []string { return s.reg("publish") }},
}

// do does a step and all later ones.
func (s *scene) do(steps []killStep, first bool) {
	s.Helper()
	for i, step := range steps {
		if step.again && i == 0 && first {
			s.ok(step.args(s), 2)
		} else {
			s.ok(step.args(s))
		}
		if step.after != nil {
			step.after(s)
		}
	}
}

// sound runs `selo verify` on everything.
func (s *scene) sound(snapshot bool) {
	s.Helper()
	args := []string{"verify", "--database", s.database, "--certifier", s.body}
	if snapshot {
		files, err := filepath.Glob(filepath.Join(s.registry, "catalogo", "publicacao-*.sqlite"))
		must(s.T, err)
		if len(files) == 0 {
			s.Fatal("there is no snapshot")
		}
		args = append(args, "--snapshot", files[len(files)-1])
	}
	s.ok(args)
}

// rows counts every table of both bases.
func (s *scene) rows() string {
	s.Helper()
	tables := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
	var all []string
	for _, base := range []string{"sqlite:" + filepath.Join(s.body, deskFile), s.database} {
		driver, source, list := "sqlite", strings.TrimPrefix(base, "sqlite:"), tables
		if !strings.HasPrefix(base, "sqlite:") {
			driver, source = "pgx", base
			list = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name`
		} else {
			source = (&url.URL{Scheme: "file", Path: source}).String()
		}
		db, err := sql.Open(driver, source)
		must(s.T, err)
		for _, name := range texts(s.T, db, list) {
			all = append(all, name+"="+texts(s.T, db, `SELECT COUNT(*) FROM "`+name+`"`)[0])
		}
		must(s.T, db.Close())
	}
	return strings.Join(all, " ")
}

func texts(t *testing.T, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var text string
		must(t, rows.Scan(&text))
		list = append(list, text)
	}
	must(t, rows.Err())
	return list
}

// leasesEnd lets the leases run out that a killed process held, as time does.
func (s *scene) leasesEnd() {
	s.Helper()
	must(s.T, s.endLeases())
}

func (s *scene) endLeases() error {
	driver, source := "pgx", s.database
	if !s.onPostgres() {
		path := strings.TrimPrefix(s.database, "sqlite:")
		driver, source = "sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "_pragma=busy_timeout(10000)"}).String()
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(context.WithoutCancel(s.Context()), `UPDATE job SET lease_until = 0 WHERE state = 'running'`)
	return errors.Join(err, db.Close())
}

func execute(t *testing.T, database, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", database)
	must(t, err)
	_, err = db.ExecContext(context.Background(), statement)
	must(t, errors.Join(err, db.Close()))
}

// calls counts the database calls of an undisturbed command.
func (s *scene) calls(args []string) int {
	s.Helper()
	file := filepath.Join(s.dir, "chamadas")
	if out, code, _ := s.run([]string{"SELO_KILL_COUNT_FILE=" + file}, args...); code != 0 {
		s.Fatalf("selo %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	text, err := os.ReadFile(file)
	must(s.T, err)
	n, err := strconv.Atoi(strings.TrimSpace(string(bytes.TrimLeft(text, "0"))))
	must(s.T, err)
	return n
}

// TestFaultKillAtEveryStep kills the real program before its database calls in
// each step of the cycle, starts it again, finishes, verifies everything and
// wants both bases to hold exactly the rows of an undisturbed cycle.
func TestFaultKillAtEveryStep(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, engine == "postgres")
			s.enrol("")
			s.draft(1)
			for _, step := range killSteps { // the first cycle, by which there is something to continue
				args := step.args(s)
				if step.name == "deliver" {
					args = s.reg("deliver", filepath.Join(s.dir, remessa.FileName("OCP", 1)))
				}
				if step.name == "unlock" {
					args = s.cert("remessa", "unlock", unlockCode.FindString(s.ok(s.reg("remessas", "OCP", "1"))))
				}
				s.ok(args)
			}
			s.draft(2)
			var moments []*scene // before each step
			for _, step := range killSteps {
				moments = append(moments, s.copy(t))
				s.do([]killStep{step}, false)
			}
			s.sound(true)
			want := s.rows()
			for i, step := range killSteps {
				t.Run(step.name, func(t *testing.T) { killAt(t, moments[i], killSteps[i:], want) })
			}
		})
	}
}

func killAt(t *testing.T, before *scene, steps []killStep, want string) {
	calls := before.copy(t)
	n := calls.calls(steps[0].args(calls))
	died := 0
	list := points(n, 4)
	for _, at := range list {
		s := before.copy(t)
		out, code, killed := s.run([]string{fmt.Sprint("SELO_KILL_AT=", at)}, steps[0].args(s)...)
		if killed {
			died++
		} else if code != 0 {
			t.Fatalf("killed before call %d of %d: exit code %d\n%s", at, n, code, out)
		}
		s.sound(false) // before anything is repaired or repeated
		s.leasesEnd()
		s.do(steps, true)
		s.sound(true)
		if got := s.rows(); got != want {
			t.Errorf("killed before call %d of %d, the bases hold\n%s, want\n%s", at, n, got, want)
		}
	}
	// Reading ahead makes the number of calls vary by one or two.
	if died < len(list)-2 || died == 0 {
		t.Errorf("only %d of %d kills were met", died, len(list))
	}
	t.Logf("%d kills in %d calls", died, n)
}
