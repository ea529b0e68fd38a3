package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"selo/brasil"
	"selo/govbr"
)

const (
	// people sign in by turns; each has an account after the first round.
	people = 24
	// returns are the sign-ins brought to the door in one round: fewer than one
	// network may have under way (account.Limits).
	returns = 240

	benchPassword = "medicao"
	benchClient   = "h-medicao.teste.gov.br"
	signInReturn  = "/entrar/retorno"
)

// signInRows measures sign-ins: at the simulator, only where they are not measured
// elsewhere, and at Selo with it. The floor is the signature that a token carries.
func (b *bench) signInRows(ctx context.Context, name string, at base, seloOnly bool) (err error) {
	b.step("%s: sign-in", name)
	simAddr, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	sim, err := startAt(ctx, b.program, simAddr, "/saude", nil, "govbr-sim")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sim.stop()) }()
	addr, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	g := &gate{sim: "http://" + simAddr, site: "http://" + addr, transport: &http.Transport{MaxIdleConnsPerHost: 2 * connections}}
	if err := g.arrange(ctx); err != nil {
		return err
	}
	seconds := secondsOf(at)
	signature, err := signatureTime(seconds)
	if err != nil {
		return err
	}
	add := func(what, base string, a answered, spent float64) {
		r := row{What: fmt.Sprintf("%s, %d connections", what, connections), Base: base, Met: noted,
			Measured: fmt.Sprintf("%s/s, %s", grouped(int64(a.perSecond())), milliseconds(a.P50, a.P99))}
		if signature > 0 { // elsewhere than on Linux nobody tells
			each := spent / float64(a.Requests)
			r.Measured += fmt.Sprintf("; %.2f ms of its processor each", each*1e3)
			r.Floor, r.Ratio = fmt.Sprintf("%.2f ms of processor, one RSA-2048 signature", signature*1e3), ratio(each/signature)
		}
		b.add(r)
	}
	if !seloOnly {
		there, err := g.atSimulator(ctx, seconds, sim)
		if err != nil {
			return fmt.Errorf("%w: the simulator said: %s", err, sim.said)
		}
		add("sign-in at the simulator: code and tokens", "", there.answered, there.spent)
	}
	config, err := g.configure(at.Dir)
	if err != nil {
		return err
	}
	s, err := startAt(ctx, b.program, addr, "/pronto", []string{"TMPDIR=" + at.Dir},
		"serve", "--data", at.Dir, "--database", at.Database, "--rate", "0", "--url", g.site, "--govbr", config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	here, err := g.atSelo(ctx, seconds, s)
	if err != nil {
		return fmt.Errorf("%w: the server said: %s", err, s.said)
	}
	add("sign-in at Selo: `"+signInReturn+"`, tokens fetched", name, here.answered, here.spent)
	return nil
}

// worked is what came back, and the seconds of processor that a server spent on it.
type worked struct {
	answered
	spent float64
}

// beside measures something with the processor time that a server spends meanwhile.
func beside(s *server, do func(worker, n int) (more bool, err error)) (worked, error) {
	pid := strconv.Itoa(s.cmd.Process.Pid)
	before := processorTime(pid)
	a, err := measured(do)
	return worked{a, processorTime(pid) - before}, err
}

// gate is where people sign in, and the people.
type gate struct {
	sim, site string // addresses
	secret    string
	transport http.RoundTripper
	browsers  []*http.Client // each is signed in at the simulator
}

// configure writes the configuration of `selo serve` into a folder.
func (g *gate) configure(dir string) (string, error) {
	text, err := json.Marshal(map[string]any{"ambiente": govbr.Simulated, "local": true,
		"enderecos": map[string]string{"sso": g.sim, "api": g.sim + "/sim/api", "confiabilidades": g.sim + "/sim/confiabilidades"},
		"login":     map[string]string{"id": benchClient, "segredo": g.secret},
		"retorno":   g.site + signInReturn, "retorno_saida": g.site + "/sair"})
	path := filepath.Join(dir, "govbr.json")
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	return path, nil
}

// arrange makes a client and people at the simulator, and signs each of them in
// through its screens.
func (g *gate) arrange(ctx context.Context) error {
	g.secret = rand.Text()
	err := g.admin(ctx, http.MethodPost, "/clientes", map[string]any{"client_id": benchClient, "client_secret": g.secret, "nome": "Medição",
		"urls_retorno": []string{g.site + signInReturn}, "urls_logout": []string{g.site + "/sair"}, "escopos": govbr.DefaultScopes()})
	if err != nil {
		return err
	}
	if err := g.admin(ctx, http.MethodPut, "/interruptores", map[string]any{"consentimento": "nunca"}); err != nil {
		return err
	}
	for n := range people {
		cpf, err := brasil.MakeCPF(fmt.Sprintf("8%08d", n))
		if err != nil {
			return err
		}
		if err := g.admin(ctx, http.MethodPost, "/pessoas", map[string]any{"cpf": cpf, "nome": fmt.Sprintf("Pessoa de Medição %d", n), "senha": benchPassword}); err != nil {
			return err
		}
		browser, err := g.signIn(ctx, cpf)
		if err != nil {
			return fmt.Errorf("sign in at the simulator: %w", err)
		}
		g.browsers = append(g.browsers, browser)
	}
	return nil
}

func (g *gate) admin(ctx context.Context, method, path string, body any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	request, err := http.NewRequestWithContext(ctx, method, g.sim+"/sim/admin"+path, bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("ask the simulator: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := g.transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("ask the simulator: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10)) // for the message only
		return fmt.Errorf("simulator: %s: %s: %s", path, response.Status, said)
	}
	return nil
}

// signIn gives a browser in which the simulator knows who it is.
func (g *gate) signIn(ctx context.Context, cpf brasil.CPF) (*http.Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("make cookie jar: %w", err)
	}
	browser := &http.Client{Transport: g.transport, Jar: jar, CheckRedirect: stay}
	screen, _, err := follow(ctx, browser, http.MethodGet, g.authorize(), nil)
	if err != nil {
		return nil, err
	}
	form := url.Values{"authorization_id": {screen.Query().Get("authorization_id")}, "client_id": {benchClient}, "cpf": {string(cpf)}, "senha": {benchPassword}}
	if _, _, err := follow(ctx, browser, http.MethodPost, g.sim+"/login/cpf", form); err != nil {
		return nil, err
	}
	back, _, err := follow(ctx, browser, http.MethodPost, g.sim+"/login/senha", form)
	if err == nil && !back.Query().Has("code") {
		err = fmt.Errorf("no code in %s", back)
	}
	return browser, err
}

// stay follows no redirect: each is looked at.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// benchVerifier is that of the manual's sample (LU, Passo 3).
const benchVerifier = "LUnicoAplicacaoCodeVerifierTamanhoComMinimo"

func (g *gate) authorize() string {
	var scopes []string
	for _, s := range govbr.DefaultScopes() {
		scopes = append(scopes, string(s))
	}
	return g.sim + "/authorize?" + url.Values{"response_type": {"code"}, "client_id": {benchClient}, "redirect_uri": {g.site + signInReturn}, "scope": {strings.Join(scopes, " ")},
		"state": {"s"}, "nonce": {"n"}, "code_challenge": {govbr.Challenge(benchVerifier)}, "code_challenge_method": {"S256"}}.Encode()
}

// follow asks, and gives where the answer leads to, with its cookies.
func follow(ctx context.Context, browser *http.Client, method, address string, form url.Values, cookies ...*http.Cookie) (*url.URL, []*http.Cookie, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, fmt.Errorf("ask %s: %w", address, err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range cookies {
		request.AddCookie(c)
	}
	response, err := browser.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return nil, nil, fmt.Errorf("ask %s: %w", address, err)
	}
	to, err := response.Location()
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %s leads nowhere: %w", method, request.URL.Path, response.Status, err)
	}
	return to, response.Cookies(), nil
}

// atSimulator signs people in who are known there: a code, then the tokens.
func (g *gate) atSimulator(ctx context.Context, seconds float64, sim *server) (worked, error) {
	limit := time.Duration(seconds * float64(time.Second))
	start := time.Now()
	return beside(sim, func(worker, n int) (bool, error) {
		if time.Since(start) > limit {
			return false, nil
		}
		back, _, err := follow(ctx, g.browsers[(worker+n)%people], http.MethodGet, g.authorize(), nil)
		if err != nil {
			return false, err
		}
		return true, g.redeem(ctx, back.Query().Get("code"))
	})
}

// redeem brings the tokens of a code.
func (g *gate) redeem(ctx context.Context, code string) error {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {g.site + signInReturn}, "code_verifier": {benchVerifier}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.sim+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("ask for tokens: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(benchClient, g.secret)
	response, err := g.transport.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("ask for tokens: %w", err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
		return errors.Join(fmt.Errorf("ask for tokens: %s", response.Status), err)
	}
	return nil
}

// arrival is a browser that gov.br has sent back to Selo.
type arrival struct {
	address string
	cookies []*http.Cookie
}

// atSelo measures returns from gov.br: everything before them is done
// unmeasured, and each person has an account from a first round.
func (g *gate) atSelo(ctx context.Context, seconds float64, selo *server) (total worked, err error) {
	if _, err := g.round(ctx, people, selo); err != nil {
		return total, err
	}
	for total.Seconds < seconds {
		a, err := g.round(ctx, returns, selo)
		if err != nil {
			return total, err
		}
		total.answered, total.spent = total.and(a.answered), total.spent+a.spent
	}
	return total, nil
}

// round brings people to the door and measures how they go in.
func (g *gate) round(ctx context.Context, count int, selo *server) (worked, error) {
	fresh := &http.Client{Transport: g.transport, CheckRedirect: stay}
	waiting := make(chan arrival, count)
	for n := range count {
		address, cookies, err := follow(ctx, fresh, http.MethodPost, g.site+"/entrar", url.Values{})
		if err != nil {
			return worked{}, err
		}
		back, _, err := follow(ctx, g.browsers[n%people], http.MethodGet, address.String(), nil)
		if err != nil {
			return worked{}, err
		}
		waiting <- arrival{back.String(), cookies}
	}
	close(waiting)
	return beside(selo, func(int, int) (bool, error) {
		a, ok := <-waiting
		if !ok {
			return false, nil
		}
		to, _, err := follow(ctx, fresh, http.MethodGet, a.address, nil, a.cookies...)
		if err == nil && to.Query().Has("motivo") {
			err = fmt.Errorf("sign-in refused: %s", to)
		}
		return true, err
	})
}

// measured does something over and over on several connections until it says
// that it is over.
func measured(do func(worker, n int) (more bool, err error)) (total answered, err error) {
	var mu sync.Mutex
	var took []time.Duration
	var group sync.WaitGroup
	start := time.Now()
	for worker := range connections {
		group.Go(func() {
			for n := 0; ; n++ {
				begin := time.Now()
				more, failed := do(worker, n)
				end := time.Since(begin)
				if failed != nil || !more {
					mu.Lock()
					err = errors.Join(err, failed)
					mu.Unlock()
					return
				}
				mu.Lock()
				took = append(took, end)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	total.Seconds, total.Requests = time.Since(start).Seconds(), int64(len(took))
	if err == nil && len(took) == 0 {
		err = errors.New("nothing was measured")
	}
	if err == nil {
		total.P50, total.P99 = quantiles(took)
	}
	return total, err
}

// signatureTime is the processor time of one RSA-2048 signature, in seconds.
func signatureTime(seconds float64) (float64, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return 0, fmt.Errorf("make key: %w", err)
	}
	digest := sha256.Sum256([]byte("x"))
	limit := time.Duration(seconds * float64(time.Second))
	before, start, count := processorTime("self"), time.Now(), 0
	for ; time.Since(start) < limit || count == 0; count++ {
		if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); err != nil {
			return 0, fmt.Errorf("sign: %w", err)
		}
	}
	return (processorTime("self") - before) / float64(count), nil
}
