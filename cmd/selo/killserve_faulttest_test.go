//go:build faulttest

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"selo/brasil"
	"selo/certificate"
	"selo/certifier"
	"selo/locale"
	"selo/registry"
	"selo/remessa"
)

// serving is a `selo serve` process that may be killed and started again.
type serving struct {
	scene *scene
	addr  string
	data  string // its own folder; the keys are in scene.registry
	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{}
}

func newServing(s *scene, name string) *serving {
	s.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(s.T, err)
	addr := l.Addr().String()
	must(s.T, l.Close())
	p := &serving{scene: s, addr: addr, data: filepath.Join(s.dir, name)}
	s.Cleanup(p.kill)
	return p
}

// start starts the process.
func (p *serving) start(env ...string) error {
	cmd := p.scene.command(env, "serve", "--addr", p.addr, "--data", p.data, "--database", p.scene.database,
		"--key", filepath.Join(p.scene.registry, "registro.chave"), "--rate", "0")
	log, err := os.OpenFile(p.data+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // it is killed: that it ends is all there is to know
		_ = log.Close()
		close(ended)
	}()
	p.mu.Lock()
	p.cmd, p.ended = cmd, ended
	p.mu.Unlock()
	return nil
}

// up starts the process and waits until it answers.
func (p *serving) up() error {
	if err := p.start(); err != nil {
		return err
	}
	if !p.answers(20 * time.Second) {
		text, _ := os.ReadFile(p.data + ".log")
		return fmt.Errorf("selo serve does not answer:\n%s", text)
	}
	return nil
}

// answers waits until the process serves, or is dead.
func (p *serving) answers(limit time.Duration) bool {
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	return soon(limit, func() bool {
		res, err := http.Get("http://" + p.addr + "/saude")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	}, ended)
}

// soon asks again and again until the answer is yes, the time is up or stop is closed.
func soon(limit time.Duration, yes func() bool, stop <-chan struct{}) bool {
	late := time.After(limit)
	for {
		if yes() {
			return true
		}
		select {
		case <-late:
			return false
		case <-stop:
			return false
		case <-time.After(25 * time.Millisecond):
		}
	}
}

// kill sends SIGKILL and waits for the end.
func (p *serving) kill() {
	p.mu.Lock()
	cmd, ended := p.cmd, p.ended
	p.cmd = nil
	p.mu.Unlock()
	if cmd != nil {
		_ = cmd.Process.Kill() // it may be dead already
		<-ended
	}
}

// dead tells whether the process has ended by itself.
func (p *serving) dead() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// state is where the registry says that a remessa stands; empty when it never arrived.
func (p *serving) state(sequence int) string {
	res, err := http.Get(fmt.Sprintf("http://%s/api/v1/remessas/OCP/%d", p.addr, sequence))
	if err != nil {
		return ""
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		State string `json:"estado"`
	}
	if res.StatusCode != http.StatusOK || json.NewDecoder(res.Body).Decode(&answer) != nil {
		return ""
	}
	return answer.State
}

func (p *serving) processed(sequence int) {
	p.scene.Helper()
	if !soon(30*time.Second, func() bool { return p.state(sequence) == string(registry.Confirmed) }, nil) {
		text, _ := os.ReadFile(p.data + ".log")
		p.scene.Fatalf("remessa %d is %q\n%s", sequence, p.state(sequence), text)
	}
}

// serveScene is a body that is enrolled with a registry that serves.
func serveScene(t *testing.T, postgres bool) (*scene, *serving) {
	t.Helper()
	s := newScene(t, postgres)
	p := newServing(s, "servidor")
	s.enrol("http://" + p.addr)
	return s, p
}

// TestFaultKillTheCertifierOnTheWire kills the body's program before each of
// its database calls while it sends and while it fetches the result.
func TestFaultKillTheCertifierOnTheWire(t *testing.T) {
	t.Parallel()
	s, p := serveScene(t, false)
	must(t, p.up())
	n, died := 0, 0
	for at := 1; ; at++ {
		n++
		s.draft(n)
		s.ok(s.cert("approve", "--ready"))
		s.ok(s.cert("remessa", "prepare"))
		env := []string{fmt.Sprint("SELO_KILL_AT=", at)}
		_, _, killedSending := s.run(env, s.cert("remessa", "send")...)
		s.sound(false)
		s.ok(s.cert("remessa", "send"))
		p.processed(n)
		_, _, killedFetching := s.run(env, s.cert("remessa", "result")...)
		s.sound(false)
		s.ok(s.cert("remessa", "result"), 2) // 2: it was applied before the process died
		s.sound(false)
		if !killedSending && !killedFetching {
			break
		}
		died++
		if os.Getenv("SELO_FAULT_FULL") == "" {
			at++ // every other call
		}
	}
	if died < 4 {
		t.Errorf("only %d rounds met a kill", died)
	}
	s.wholeHistory(n)
	t.Logf("%d rounds", n)
}

// wholeHistory wants n remessas with one new certificate and product each, and one company.
func (s *scene) wholeHistory(n int) {
	s.Helper()
	s.ok(s.reg("publish"))
	s.sound(true)
	var list []struct {
		State certifier.RemessaState `json:"estado"`
	}
	must(s.T, json.Unmarshal([]byte(s.ok(s.cert("remessa", "list", "--json", "--limit", "100000"))), &list))
	if len(list) != n {
		s.Errorf("%d remessas, want %d", len(list), n)
	}
	for i, r := range list {
		if r.State != certifier.Confirmed {
			s.Errorf("remessa %d is %s", len(list)-i, r.State)
		}
	}
	rows := s.rows()
	for _, want := range []string{fmt.Sprintf("revision=%d", 2*n+1), fmt.Sprintf("record=%d", 2*n+1)} {
		if count := countOf(rows, want); count != 2 {
			s.Errorf("%d of the two bases hold %s: %s", count, want, rows)
		}
	}
}

func countOf(rows, want string) (n int) {
	for _, field := range strings.Fields(rows) {
		if field == want {
			n++
		}
	}
	return n
}

// TestFaultKillTheServer kills `selo serve` before one database call after the
// other, from its start on, while a body sends; then it starts again.
func TestFaultKillTheServer(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s, p := serveScene(t, engine == "postgres")
			died := 0
			list := points(90, 6)
			for i, at := range list {
				n := i + 1
				s.draft(n)
				s.ok(s.cert("approve", "--ready"))
				s.ok(s.cert("remessa", "prepare"))
				must(t, p.start(fmt.Sprint("SELO_KILL_AT=", at)))
				if p.answers(20 * time.Second) {
					s.ok(s.cert("remessa", "send"), 2)
					soon(2*time.Second, func() bool { return p.state(n) == string(registry.Confirmed) }, p.ended)
				}
				if p.dead() {
					died++
				}
				p.kill()
				s.sound(false)
				s.leasesEnd()
				must(t, p.up())
				s.ok(s.cert("remessa", "send"))
				p.processed(n)
				s.ok(s.cert("remessa", "result"))
				p.kill()
				s.sound(false)
			}
			if died < len(list)/2 {
				t.Errorf("only %d of %d kills were met", died, len(list))
			}
			s.wholeHistory(len(list))
			t.Logf("%d of %d kills were met", died, len(list))
		})
	}
}

// TestFaultKillUnderLoad lets several bodies send to two servers on one
// PostgreSQL base, one of which is killed every now and then, in the middle of
// whatever it does. In the end every remessa is there, once and in order.
func TestFaultKillUnderLoad(t *testing.T) {
	t.Parallel()
	bodies, rounds := 3, 12
	if os.Getenv("SELO_FAULT_FULL") != "" {
		bodies, rounds = 6, 60
	}
	s := newScene(t, true)
	nodes := []*serving{newServing(s, "um"), newServing(s, "dois")}
	balancer := newBalancer(t, nodes)
	var desks []*desk
	for i := range bodies {
		desks = append(desks, s.desk(certificate.Sigla(fmt.Sprint("OCP", i)), balancer))
	}
	for _, p := range nodes {
		must(t, p.up())
	}
	ctx, stop := context.WithCancel(t.Context())
	var killing, working sync.WaitGroup
	kills := 0
	killing.Go(func() {
		for ctx.Err() == nil {
			soon(time.Duration(50+rand.IntN(500))*time.Millisecond, func() bool { return false }, ctx.Done())
			p := nodes[rand.IntN(len(nodes))]
			p.kill()
			kills++
			// Also those of the other one, which must notice.
			if err := errors.Join(s.endLeases(), p.up()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for i, d := range desks {
		working.Go(func() { work(t, d, i, rounds) })
	}
	working.Wait()
	stop()
	killing.Wait()
	if t.Failed() {
		return
	}
	s.ok(s.reg("publish"))
	for _, d := range desks {
		s.body = d.dir
		s.sound(true)
	}
	var size int
	for _, field := range strings.Fields(s.rows()) {
		_, _ = fmt.Sscanf(field, "revision=%d", &size) // the last one is the registry's
	}
	if want := bodies * rounds * 3; size != want {
		t.Errorf("the registry holds %d revisions, want %d", size, want)
	}
	t.Logf("%d kills, %d remessas", kills, bodies*rounds)
}

// newBalancer shares requests between the nodes, as a balancer before them does.
func newBalancer(t *testing.T, nodes []*serving) string {
	t.Helper()
	var next atomic.Int64
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: nodes[int(next.Add(1))%len(nodes)].addr})
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends by Close below
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return "http://" + l.Addr().String()
}

// desk makes an enrolled body whose work this process does itself.
func (s *scene) desk(sigla certificate.Sigla, address string) *desk {
	s.Helper()
	a := &app{ctx: s.Context(), lang: locale.PT, actor: "ana", raw: io.Discard}
	dir := filepath.Join(s.dir, string(sigla))
	d, request, err := initDesk(s.Context(), a, dir, certifier.Body{Sigla: sigla, Name: "Organismo " + string(sigla), Email: "ocp@ocp.example"})
	must(s.T, err)
	s.Cleanup(func() { _ = d.close() })
	answer := filepath.Join(dir, "resposta")
	s.ok(s.reg("reference", s.write("listas.json", referenceJSON)))
	s.ok(s.reg("enrol", s.write(string(sigla)+".inscricao", request), "--out", answer, "--url", address))
	s.ok(s.reg("scope", string(sigla), "--class", "brinquedos", "--since", "2010-01-01"))
	s.ok(s.reg("release", string(sigla), "--out", dir))
	signed, err := os.ReadFile(answer)
	must(s.T, err)
	must(s.T, d.store.Write(s.Context(), func(tx certifier.Tx) error {
		_, err := certifier.Enrol(s.Context(), tx, "ana", string(signed))
		return err
	}))
	tables, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%s-tabelas-000001.selo", sigla)))
	must(s.T, err)
	_, err = d.applyTables(s.Context(), string(tables))
	must(s.T, err)
	return d
}

// work sends remessas, one after the other, each until its result is there.
func work(t *testing.T, d *desk, body, rounds int) {
	ctx := t.Context()
	for n := range rounds {
		if err := approveNew(ctx, d, body*1000+n); err != nil {
			t.Errorf("body %d, round %d: %v", body, n, err)
			return
		}
		if _, err := d.prepare(ctx, remessa.Partial); err != nil {
			t.Errorf("body %d, prepare %d: %v", body, n, err)
			return
		}
		var trouble error
		done := soon(90*time.Second, func() bool {
			if _, err := d.send(ctx, nil); err != nil {
				trouble = err
				return false
			}
			var answer certifier.Answer
			ok := false
			_ = soon(3*time.Second, func() bool {
				answer, ok, trouble = d.fetchResult(ctx)
				return ok
			}, nil)
			if ok && answer.Outcome != remessa.Confirmed {
				t.Errorf("body %d, remessa %d: %s %v", body, n+1, answer.Outcome, answer.Remessa.Reasons)
			}
			return ok
		}, nil)
		if !done {
			t.Errorf("body %d, remessa %d never ended: %v", body, n+1, trouble)
			return
		}
	}
}

// approveNew makes and approves a company, a product and a certificate.
func approveNew(ctx context.Context, d *desk, n int) error {
	return d.store.Write(ctx, func(tx certifier.Tx) error {
		id, err := newCertificate(ctx, tx, n)
		if err == nil {
			_, err = certifier.Approve(ctx, tx, "ana", []certificate.ID{id}, "")
		}
		return err
	})
}

// newCertificate makes drafts of a company, a product and a certificate over them.
func newCertificate(ctx context.Context, tx certifier.Tx, n int) (certificate.ID, error) {
	cnpj, err := brasil.MakeCNPJ(fmt.Sprintf("FC%06d0001", n))
	if err != nil {
		return "", err
	}
	on, err := brasil.ParseISODate("2025-03-14")
	if err != nil {
		return "", err
	}
	save := func(rev *certificate.Revision) certificate.ID {
		var r *certifier.Record
		if err == nil {
			if r, err = certifier.SaveDraft(ctx, tx, "ana", certifier.Edit{Content: rev}); err == nil {
				return r.ID
			}
		}
		return ""
	}
	company := save(&certificate.Revision{Company: &certificate.Company{Country: certificate.Brazil, Person: certificate.Legal, CNPJ: cnpj,
		Name: fmt.Sprintf("Companhia Fictícia %d Ltda", n)}})
	product := save(&certificate.Revision{Product: &certificate.Product{Brand: "Fictoy", Model: fmt.Sprint("Pião ", n)}})
	active := certificate.Active
	id := save(&certificate.Revision{Certificate: &certificate.Certificate{Number: fmt.Sprint("FB/", n), Class: "brinquedos",
		Type: certificate.TypeCompulsory, Model: "5", IssuedOn: on, ValidUntil: on.AddYears(4), Situation: active,
		Documents: []certificate.DocumentLink{{Document: "portaria-302-2021", EnteredOn: on, Situation: active}},
		Companies: []certificate.CompanyLink{{Company: company, Role: certificate.Applicant, EnteredOn: on, Situation: active}},
		Products:  []certificate.ProductLink{{Product: product, Company: company, Modality: certificate.ByType, EnteredOn: on, Situation: active}}}})
	return id, err
}
