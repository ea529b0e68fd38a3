// Command example is the website of an invented agency, to be read in ten
// minutes by a team that integrates with gov.br: people sign in (login.go),
// sign a PDF (signature.go) and prove to be alive (life.go). It stands on the
// clients of package govbr and on the rooms document/….
//
//	selo govbr-sim &          the simulator, or credentials in a file of your own
//	go run ./govbr/example    http://127.0.0.1:3000
//
// Without a file it is the simulator's example client (simulador.json). The
// configuration is that of docs/govbr.md, from the file and the environment;
// its return addresses end with /retorno and /assinatura/retorno.
//
// It keeps nothing but visits in memory: a real service has a database, several
// servers, and records of who signed what.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"selo/clock"
	"selo/fault"
	"selo/govbr"
	"selo/locale"
)

//go:embed simulador.json
var simulator []byte

// app is the website.
type app struct {
	cfg     govbr.Config
	login   *govbr.Client
	signing *govbr.Signing
	life    *govbr.ProofOfLife
	clock   clock.Clock
	visits  visits
}

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "onde escutar")
	config := flag.String("config", "", "arquivo JSON de docs/govbr.md; sem ele, o simulador em 127.0.0.1:8082")
	chain := flag.String("cadeia", "", "arquivo PEM com a cadeia das assinaturas; sem ele, a do simulador")
	flag.Parse()
	a, err := start(context.Background(), *config, *chain)
	if err == nil {
		err = a.serve(*addr)
	}
	say(os.Stderr, err)
	os.Exit(1)
}

func (a *app) serve(addr string) error {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Printf("Serviço de exemplo em http://%s/\n", addr)
	server := &http.Server{Handler: a.routes(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute}
	return server.Serve(listener)
}

// say tells what is wrong, every mistake of the configuration too.
func say(w io.Writer, err error) {
	f := fault.Of(err)
	if f == nil {
		fmt.Fprintln(w, err)
		return
	}
	words := locale.Fault(locale.PT, f)
	fmt.Fprintln(w, words.Detail, words.Action)
	for _, p := range words.Problems {
		fmt.Fprintln(w, " ", p.Subject, p.Message)
	}
}

// start makes the three clients.
func start(ctx context.Context, file, chain string) (*app, error) {
	data := simulator
	var err error
	if file != "" {
		if data, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
	}
	a := &app{clock: clock.System{}, visits: visits{all: map[string]*visit{}}}
	if a.cfg, err = govbr.ParseConfig(data, os.Getenv); err != nil {
		return nil, err
	}
	opts := govbr.Options{Clock: a.clock, Log: slog.Default(), Agent: "exemplo"}
	if a.login, err = govbr.New(a.cfg, opts); err != nil {
		return nil, err
	}
	pem, err := readChain(ctx, a.cfg, chain)
	if err != nil {
		return nil, err
	}
	roots, between, err := parseChain(pem)
	if err != nil {
		return nil, err
	}
	if a.signing, err = govbr.NewSigning(a.cfg, roots, between, opts); err != nil {
		return nil, err
	}
	a.life, err = govbr.NewProofOfLife(a.cfg, opts)
	return a, err
}

// readChain brings the certificates that signatures must lead to. gov.br's are
// published at repo.iti.br: take them from there once, and keep them in a file.
func readChain(ctx context.Context, cfg govbr.Config, file string) ([]byte, error) {
	if file != "" {
		return os.ReadFile(file)
	}
	if cfg.Environment != govbr.Simulated {
		return nil, errors.New("falta --cadeia: o arquivo PEM com a cadeia das assinaturas do gov.br")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cfg.Endpoints.Signature+"/cadeia.pem", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("read chain: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("o simulador não responde; comece com: selo govbr-sim: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read chain: %s", res.Status)
	}
	return io.ReadAll(io.LimitReader(res.Body, 1<<20))
}

// routes are the pages. What changes something is a POST of this very site.
func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", a.open(a.getHome))
	mux.Handle("POST /entrar", a.open(a.postEnter))
	mux.Handle("GET /retorno", a.open(a.getReturn))
	mux.Handle("POST /sair", a.open(a.postLeave))
	mux.Handle("GET /assinar", a.signedIn(a.getSign))
	mux.Handle("POST /assinar", a.signedIn(a.postSign))
	mux.Handle("GET /assinatura/retorno", a.signedIn(a.getSignReturn))
	mux.Handle("GET /assinado", a.signedIn(a.getSigned))
	mux.Handle("GET /assinado/{arquivo}", a.signedIn(a.getFile))
	mux.Handle("GET /prova-de-vida", a.signedIn(a.getLife))
	mux.Handle("POST /prova-de-vida", a.signedIn(a.postLife))
	mux.Handle("POST /prova-de-vida/cancelar", a.signedIn(a.postCancel))
	mux.Handle("GET /estatico/", http.FileServerFS(files))
	return http.NewCrossOriginProtection().Handler(http.MaxBytesHandler(mux, maxUpload))
}

// maxUpload is the largest request, in bytes; pdfsign reads PDFs up to 64 MiB.
const maxUpload = 10 << 20
