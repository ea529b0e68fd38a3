package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net"
	"net/netip"
	"strconv"

	"selo/clock"
	"selo/cmd/selo/term"
	"selo/govbr"
	"selo/govbr/govbrsim"
	"selo/web"

	"golang.org/x/sync/errgroup"
)

// demoSignIn is the demonstration's gov.br: a simulator on this machine that
// knows the demonstration's site.
type demoSignIn struct {
	sim      *govbrsim.Server
	listener net.Listener
	client   *govbr.Client
}

// newDemoSignIn makes the simulator for a site, on the port after next or, when
// that is taken, on any. A site that other machines reach has none: its
// visitors could not come to a simulator that listens to this machine only.
func newDemoSignIn(site string, addr net.Addr) (*demoSignIn, error) {
	at, err := netip.ParseAddrPort(addr.String())
	if err != nil || !at.Addr().IsLoopback() {
		return nil, nil //nolint:nilnil // no sign-in
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(at.Addr().String(), strconv.Itoa(int(at.Port())+2)))
	if err != nil {
		if listener, err = listen(net.JoinHostPort(at.Addr().String(), "0")); err != nil {
			return nil, err
		}
	}
	d := &demoSignIn{listener: listener}
	base := "http://" + listener.Addr().String()
	credential := govbr.Credential{ID: "h-selo.demonstracao.gov.br", Secret: govbr.NewSecret(rand.Text())}
	scopes := append(govbr.DefaultScopes(), govbr.ScopePhone, govbr.ScopeCompanies)
	own := govbrsim.Client{ID: credential.ID, Secret: credential.Secret.Reveal(), Name: "Selo (demonstração)", Environment: govbrsim.Homologacao,
		Redirects: []string{site + signInReturn}, Logouts: []string{site + signOutReturn}, Home: site + "/"}
	for _, s := range scopes {
		own.Scopes = append(own.Scopes, string(s))
	}
	file, err := json.Marshal(govbrsim.ClientList{Clients: []*govbrsim.Client{&own}})
	if err != nil {
		return nil, d.giveUp(err)
	}
	clients, err := govbrsim.ReadClients(bytes.NewReader(file))
	if err != nil {
		return nil, d.giveUp(err)
	}
	if d.sim, err = govbrsim.New(govbrsim.Options{URL: base, Clients: clients, Clock: clock.System{}, Log: slog.Default(), Look: web.Look()}); err != nil {
		return nil, d.giveUp(err)
	}
	d.client, err = govbr.New(govbr.Config{Environment: govbr.Simulated, Local: true, Login: credential, Scopes: scopes,
		Endpoints: govbr.Endpoints{SSO: base, API: base + "/sim/api", Catalogue: base + "/sim/confiabilidades"},
		Redirect:  site + signInReturn, LogoutRedirect: site + signOutReturn}, govbr.Options{Log: slog.Default(), Agent: "selo/" + version})
	if err != nil {
		return nil, d.giveUp(err)
	}
	return d, nil
}

// giveUp frees the port and passes the error on.
func (d *demoSignIn) giveUp(err error) error {
	if closing := d.listener.Close(); closing != nil {
		slog.Warn("port of the simulator not freed", "error", closing)
	}
	return err
}

// openDoor lets people sign in to the demonstration while it serves.
func (d *demoRun) openDoor(group *errgroup.Group, addr net.Addr, once bool) error {
	if once {
		return nil // nobody visits
	}
	door, err := newDemoSignIn(d.url, addr)
	if err != nil || door == nil {
		return err
	}
	d.door, d.node.govbr = door, door.client
	serveUntil(d.ctx, group, newHTTPServer(door.sim), door.listener)
	return nil
}

// pairs tell where people sign in and as whom.
func (d *demoSignIn) pairs(site string) []term.Pair {
	return []term.Pair{{Key: "demo.address.signin", Value: site + "/entrar"}, {Key: "demo.address.govbr", Value: d.sim.URL() + "/sim/"}}
}
