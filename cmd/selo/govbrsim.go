package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"time"

	"selo/clock"
	"selo/fault"
	"selo/govbr/govbrsim"
	"selo/web"

	"golang.org/x/sync/errgroup"
)

// govbrSimCmd is the simulator of gov.br's identity services, for any team that
// integrates with them. It runs by itself: no server of Selo starts one.
type govbrSimCmd struct {
	Addr       string `help:"${help_addr}" env:"SELO_ADDR" default:"127.0.0.1:8082"`
	URL        string `help:"${help_govbrsim_url}" env:"SELO_URL"`
	People     string `help:"${help_govbrsim_people}" env:"SELO_PEOPLE" type:"path" placeholder:"FILE"`
	Clients    string `help:"${help_govbrsim_clients}" env:"SELO_CLIENTS" type:"path" placeholder:"FILE"`
	State      string `help:"${help_govbrsim_state}" env:"SELO_STATE" type:"path" placeholder:"FILE"`
	AdminToken string `help:"${help_govbrsim_admin_token}" env:"SELO_ADMIN_TOKEN" placeholder:"TOKEN"`

	CertificateAddr string `help:"${help_govbrsim_certificate_addr}" env:"SELO_CERTIFICATE_ADDR"`
	CertificateURL  string `help:"${help_govbrsim_certificate_url}" env:"SELO_CERTIFICATE_URL"`
}

// Run serves until it is told to stop. Faults: those of [govbrsim.New], and
// Invalid "govbrsim.host" for an address of the real services.
func (c *govbrSimCmd) Run(a *app) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	listener, err := listen(c.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // the server has closed it already, unless it never began
	given := options.AdminToken != ""
	if !given && (!reachesThisMachineOnly(listener.Addr().String()) || !namesThisMachine(options.URL)) {
		options.AdminToken = rand.Text()
	}
	if options.URL == "" {
		options.URL = "http://" + ownName(listener.Addr().String())
	}
	door, err := listen(c.certificateAddress(listener))
	if err != nil {
		return err
	}
	defer func() { _ = door.Close() }() // as the other one
	if options.CertificateURL == "" {
		options.CertificateURL = doorURL(options.URL, door.Addr().String())
	}
	sim, err := govbrsim.New(options)
	if err != nil {
		return err
	}
	secure, err := sim.CertificateTLS()
	if err != nil {
		return err
	}
	a.out.Done("cli.govbrsim.ready", "endereco", sim.URL()+"/sim/", "emissor", sim.URL()+"/")
	a.out.Note("cli.govbrsim.certificate", "endereco", options.CertificateURL, "pagina", sim.URL()+"/sim/certificados")
	if !given && options.AdminToken != "" {
		a.out.Note("cli.govbrsim.token", "token", options.AdminToken)
	}
	a.out.Note("cli.govbrsim.warning")
	group, ctx := errgroup.WithContext(a.ctx)
	serve := func(handler http.Handler, on net.Listener) {
		server := newHTTPServer(handler)
		server.ReadTimeout, server.WriteTimeout = 30*time.Second, time.Minute
		serveUntil(ctx, group, server, on)
	}
	serve(sim, listener)
	serve(sim.CertificateHandler(), tls.NewListener(door, secure))
	group.Go(func() error { return sim.Run(ctx, time.Second) })
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// doorURL is the address of the listener for certificates: the name that
// browsers know the simulator by, and the listener's port.
func doorURL(own, address string) string {
	u, err := url.Parse(own)
	_, port, wrong := net.SplitHostPort(address)
	if err != nil || wrong != nil {
		return "https://" + ownName(address)
	}
	return "https://" + net.JoinHostPort(u.Hostname(), port)
}

// certificateAddress is where the listener for certificates is: the port after
// the one in use, unless the flag says otherwise. A port that the system chose
// has no next one, so that it chooses this one, too.
func (c *govbrSimCmd) certificateAddress(first net.Listener) string {
	if c.CertificateAddr != "" {
		return c.CertificateAddr
	}
	host, port, err := net.SplitHostPort(c.Addr)
	if at, wrong := netip.ParseAddrPort(first.Addr().String()); err == nil && wrong == nil && port != "0" && at.Port() < 65535 {
		return net.JoinHostPort(host, strconv.Itoa(int(at.Port())+1))
	}
	return net.JoinHostPort(host, "0")
}

// options reads the files that the flags name.
func (c *govbrSimCmd) options() (govbrsim.Options, error) {
	o := govbrsim.Options{URL: c.URL, Clock: clock.System{}, Log: slog.Default(), AdminToken: c.AdminToken, Look: web.Look(), State: c.State,
		CertificateURL: c.CertificateURL}
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return o, fault.New(fault.Unavailable, "serve.address", "endereco", c.Addr).Because(err)
	}
	if err := govbrsim.RefuseRealHost(host); err != nil {
		return o, err
	}
	if door, _, err := net.SplitHostPort(c.CertificateAddr); err == nil {
		if err := govbrsim.RefuseRealHost(door); err != nil {
			return o, err
		}
	}
	if c.People != "" {
		if o.People, err = readFile(c.People, govbrsim.ReadPeople); err != nil {
			return o, err
		}
	}
	if c.Clients != "" {
		if o.Clients, err = readFile(c.Clients, govbrsim.ReadClients); err != nil {
			return o, err
		}
	}
	return o, nil
}

// readFile reads a file of one kind. Fault: NotFound "cli.govbrsim.file" when it
// cannot be opened.
func readFile[T any](path string, read func(io.Reader) (*T, error)) (*T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.New(fault.NotFound, "cli.govbrsim.file", "arquivo", path).Because(err)
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	return read(f)
}

// reachesThisMachineOnly tells whether a listener's address is a loopback one.
func reachesThisMachineOnly(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().IsLoopback()
}

// namesThisMachine tells whether an address for browsers is one that others
// cannot ask for; "" stands for the listener's own.
func namesThisMachine(address string) bool {
	u, err := url.Parse(address)
	return address == "" || err == nil && govbrsim.OwnMachine(u.Host)
}

// ownName is a listener's address as a browser on this machine asks for it.
func ownName(address string) string {
	at, err := netip.ParseAddrPort(address)
	if err == nil && at.Addr().IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(int(at.Port())))
	}
	return address
}
