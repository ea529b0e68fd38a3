package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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

	"selo/api"
)

// patience is how long a test waits for what should take moments.
const patience = 60 * time.Second

// process is selo running as a server.
type process struct {
	*office
	cmd *exec.Cmd
	url string
	log *os.File
}

// background starts a server on a free port and waits until it answers /saude.
func (o *office) background(args ...string) *process {
	o.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	o.check(err)
	addr := l.Addr().String()
	o.check(l.Close())
	log, err := os.CreateTemp(o.TempDir(), "log")
	o.check(err)
	p := &process{office: o, url: "http://" + addr, log: log}
	p.cmd = exec.Command(selo, append(args, "--addr", addr)...)
	p.cmd.Env = append(os.Environ(), asProgram+"=1", "SELO_LANG=pt", "SELO_DATA=", "SELO_DATABASE=")
	p.cmd.Stdout, p.cmd.Stderr = log, log
	o.check(p.cmd.Start())
	o.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended, or the test has failed
		_ = p.cmd.Wait()
		_ = log.Close()
	})
	p.until("it answers", func() bool {
		status, _, _ := p.get("/saude")
		return status == 200
	})
	return p
}

// until waits for something, and fails with the server's log when it does not come.
func (p *process) until(what string, yes func() bool) {
	p.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); !yes(); {
		select {
		case <-tick.C:
		case <-late:
			text, _ := os.ReadFile(p.log.Name())
			p.Fatalf("%s: not in time\n%s", what, text)
		}
	}
}

func (p *process) get(path string) (int, http.Header, []byte) {
	res, err := http.Get(p.url + path)
	if err != nil {
		return 0, nil, nil
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, nil
	}
	return res.StatusCode, res.Header, data
}

func (p *process) ready() (ready api.Ready) {
	p.Helper()
	status, _, data := p.get("/pronto")
	if status == 200 {
		p.check(json.Unmarshal(data, &ready))
	}
	return ready
}

// stop asks the process to end and wants it to end well.
func (p *process) stop() {
	p.Helper()
	p.check(p.cmd.Process.Signal(os.Interrupt))
	if err := p.cmd.Wait(); err != nil {
		text, _ := os.ReadFile(p.log.Name())
		p.Fatalf("%v\n%s", err, text)
	}
}

// published is an office with its first publication, and the registry's public key.
func published(t *testing.T) (o *office, key string) {
	t.Helper()
	o = newOffice(t)
	o.reg("publish")
	return o, o.path("OCP.registro")
}

// again changes the certificate and publishes it.
func (o *office) again(n int64) {
	o.Helper()
	doc := decoded[recordDoc](o, o.certArgs("get", "certificado", "FB-BRIN-108/25.001")...)
	doc.Certificate.Remarks = fmt.Sprintf("Observação %d", n)
	data, err := json.Marshal(doc)
	o.check(err)
	o.cert("put", o.write("alterado.json", string(data)), "--justification", "Observação esquecida")
	o.cert("approve", "FB-BRIN-108/25.001")
	o.cycle(n)
	o.reg("publish")
}

// asking asks a server for many addresses at once until it is ended, and wants
// every answer to be good.
type asking struct {
	answers atomic.Int64
	failed  atomic.Pointer[string]
	stop    context.CancelFunc
	running sync.WaitGroup
}

func (p *process) asked(paths ...string) *asking {
	ctx, cancel := context.WithCancel(p.Context())
	a := &asking{stop: cancel}
	for _, path := range paths {
		a.running.Go(func() {
			for ctx.Err() == nil {
				status, _, data := p.get(path)
				if status != 200 || len(data) == 0 {
					said := fmt.Sprintf("%s: %d %.300s", path, status, data)
					a.failed.CompareAndSwap(nil, &said)
					return
				}
				a.answers.Add(1)
			}
		})
	}
	return a
}

func (a *asking) end(t *testing.T) {
	t.Helper()
	a.stop()
	a.running.Wait()
	if said := a.failed.Load(); said != nil {
		t.Errorf("after %d good answers: %s", a.answers.Load(), *said)
	}
	if a.answers.Load() == 0 {
		t.Error("nothing was asked")
	}
}

// The whole way, with real processes: a registry publishes, a public node
// fetches it through a line that is bad at times, and shows it without dropping
// a request; without the registry it starts again with what it has.
func TestAPublicNodeFollowsTheRegistry(t *testing.T) {
	t.Parallel()
	o, key := published(t)
	server := o.background("serve", "--data", o.registry, "--keep", "3")
	line := newLine(t, server.url)
	node := o.background("catalog", "serve", "--from", line.URL, "--key", key, "--data", o.path("nó público"), "--poll", "100ms", "--rate", "0")
	node.until("the first publication", func() bool { return node.ready().Publication == 1 })
	const certificate = "/api/v1/certificados/OCP/FB-BRIN-108%2F25.001"
	load := node.asked(certificate, "/api/v1/certificados?q=piao", "/api/v1/dados/certificados.csv", "/api/v1/publicacoes", "/sobre", "/en/sobre")
	line.mode.Store(1) // every file arrives with a byte changed
	o.again(2)
	node.until("the refusal", func() bool {
		f := node.ready().Following
		return f != nil && f.Refused && f.Code == "snapshot.tampered" && f.Publication == 2 && f.Refusals == 1
	})
	if r := node.ready(); r.Publication != 1 || strings.Contains(r.Following.Reason, "/") {
		t.Errorf("%+v %+v", r, r.Following)
	}
	if _, _, data := node.get("/metrics"); !bytes.Contains(data, []byte("selo_replica_refusals 1\n")) ||
		!bytes.Contains(data, []byte(`selo_replica_trouble{reason="snapshot.tampered"} 1`)) || !bytes.Contains(data, []byte("selo_snapshot_publication_number 1\n")) {
		t.Errorf("the refusal is not among the measures")
	}
	line.mode.Store(2) // every connection breaks after some bytes
	o.again(3)
	node.until("the third publication", func() bool { return node.ready().Publication == 3 })
	load.end(t)
	if line.ranges.Load() == 0 {
		t.Error("no download went on where it stopped")
	}
	_, header, data := node.get(certificate)
	if !bytes.Contains(data, []byte("Observação 3")) || !strings.HasPrefix(header.Get("Cache-Control"), "public, max-age=") || header.Get("Etag") == "" {
		t.Errorf("%v %s", header, data)
	}
	node.stop()
	server.stop()
	late := o.background("catalog", "serve", "--from", line.URL, "--key", key, "--data", o.path("nó público"))
	if r := late.ready(); r.Publication != 3 {
		t.Errorf("without the registry: %+v", r)
	}
	late.stop()
}

// line is what lies between two servers, and what it does to files.
type line struct {
	URL    string
	mode   atomic.Int32
	ranges atomic.Int64
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	proxy.ModifyResponse = func(res *http.Response) error {
		if !strings.HasSuffix(res.Request.URL.Path, ".sqlite") {
			return nil
		}
		if res.StatusCode == http.StatusPartialContent {
			l.ranges.Add(1)
		}
		switch l.mode.Load() {
		case 1:
			res.Body = &spoilt{ReadCloser: res.Body}
		case 2:
			res.Body = &broken{ReadCloser: res.Body, left: 100_000}
		}
		return nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // it ends with the test
	t.Cleanup(func() { _ = server.Close() })
	l.URL = "http://" + listener.Addr().String()
	return l
}

// spoilt changes a byte on the way.
type spoilt struct {
	io.ReadCloser
	at int
}

func (s *spoilt) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if i := 20_000 - s.at; i >= 0 && i < n {
		p[i] ^= 1
	}
	s.at += n
	return n, err
}

// broken ends too early.
type broken struct {
	io.ReadCloser
	left int
}

func (b *broken) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func TestAPublicNodeServesAFileAndAFolder(t *testing.T) {
	t.Parallel()
	o, key := published(t)
	folder := filepath.Join(o.registry, "catalogo")
	node := o.background("catalog", "serve", "--snapshot", folder, "--key", key, "--poll", "50ms", "--rate", "0")
	if r := node.ready(); r.Publication != 1 || r.Following == nil || r.Following.Refused {
		t.Errorf("%+v", r)
	}
	load := node.asked("/api/v1/certificados?q=piao", "/sobre", "/api/v1/dados/certificados.sqlite")
	o.again(2)
	node.until("the second publication", func() bool { return node.ready().Publication == 2 })
	load.end(t)
	node.stop()
	file := filepath.Join(folder, "publicacao-000002.sqlite")
	single := o.background("catalog", "serve", "--snapshot", file, "--burst", "3", "--rate", "0.01", "--trusted-proxy", "127.0.0.1,10.0.0.0/8")
	defer single.stop()
	single.limits(t)
	_, _, data := single.get("/pronto")
	if !bytes.Contains(data, []byte(`"publicacao":2`)) {
		t.Errorf("%s", data)
	}
}

// limits checks that one client's requests are bounded and another's are not.
func (p *process) limits(t *testing.T) {
	t.Helper()
	ask := func(path, client string) (int, http.Header) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
		p.check(err)
		req.Header.Set("X-Forwarded-For", "203.0.113.77, "+client)
		res, err := http.DefaultClient.Do(req)
		p.check(err)
		_, err = io.Copy(io.Discard, res.Body)
		p.check(err)
		p.check(res.Body.Close())
		return res.StatusCode, res.Header
	}
	for i := range 3 {
		if status, _ := ask("/sobre", "198.51.100.1"); status != 200 {
			t.Errorf("request %d of the burst: %d", i+1, status)
		}
	}
	for path, kind := range map[string]string{"/sobre": "text/html", "/api/v1/certificados": "application/problem+json"} {
		status, header := ask(path, "198.51.100.1")
		if status != 429 || header.Get("Retry-After") == "" || !strings.HasPrefix(header.Get("Content-Type"), kind) ||
			header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s beyond the burst: %d %v", path, status, header)
		}
	}
	for _, path := range []string{"/saude", "/pronto", "/metrics"} {
		if status, _ := ask(path, "198.51.100.1"); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := ask("/sobre", "198.51.100.2"); status != 200 {
		t.Errorf("another client: %d", status)
	}
	_, _, measures := p.get("/metrics")
	for _, want := range []string{
		`selo_http_request_duration_seconds_count{method="GET",route="/sobre",status="200"} 4`, // the refused one took no work
		`selo_http_requests_refused_total 2`,
	} {
		if !bytes.Contains(measures, []byte(want)) {
			t.Errorf("%q is not among the measures:\n%s", want, measures)
		}
	}
}

func TestAPublicNodeSaysWhyItDoesNotStart(t *testing.T) {
	t.Parallel()
	o, key := published(t)
	folder := filepath.Join(o.registry, "catalogo")
	snapshot := filepath.Join(folder, "publicacao-000001.sqlite")
	data, err := os.ReadFile(snapshot)
	o.check(err)
	spoil := func(name string, change func([]byte) []byte) string {
		return o.write(name, string(change(bytes.Clone(data))))
	}
	o.refuses("replica.source", "catalog", "serve")
	o.refuses("replica.source", "catalog", "serve", "--snapshot", snapshot, "--from", "http://127.0.0.1:1")
	o.refuses("replica.key", "catalog", "serve", "--from", "http://127.0.0.1:1")
	o.refuses("courier.url", "catalog", "serve", "--from", "selo.example", "--key", key, "--data", o.path("d"))
	o.refuses("cli.verify.key", "catalog", "serve", "--snapshot", snapshot, "--key", o.write("chave.json", "{}"))
	o.refuses("serve.proxy", "catalog", "serve", "--snapshot", snapshot, "--trusted-proxy", "10.0.0.0/99")
	o.refuses("snapshot.missing", "catalog", "serve", "--snapshot", o.path("não há"))
	o.refuses("snapshot.none", "catalog", "serve", "--snapshot", o.body)
	o.refuses("snapshot.truncated", "catalog", "serve", "--snapshot", spoil("cortada.sqlite", func(b []byte) []byte { return b[:len(b)/2] }))
	o.refuses("snapshot.tampered", "catalog", "serve", "--snapshot", spoil("mudada.sqlite", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }))
	o.refuses("snapshot.version", "catalog", "serve", "--snapshot", spoil("antiga.sqlite", func(b []byte) []byte { b[63] = 1; return b }))
	o.refuses("snapshot.format", "catalog", "serve", "--snapshot", o.write("outra.sqlite", strings.Repeat("não é", 1000)))
	other := newOffice(t)
	o.refuses("snapshot.signature", "catalog", "serve", "--snapshot", snapshot, "--key", other.path("OCP.registro"))
}
