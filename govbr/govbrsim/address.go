package govbrsim

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"selo/fault"
)

// realHosts are the domains of the services that are simulated here, staging
// and production, and of those who run them.
var realHosts = []string{"acesso.gov.br", "iti.br", "iti.gov.br", "serpro.gov.br", "servicos.gov.br", "www.gov.br", "gov.br"}

// RefuseRealHost refuses the name of a real service. Fault: Invalid "govbrsim.host".
func RefuseRealHost(host string) error {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	for _, domain := range realHosts {
		if name == domain || strings.HasSuffix(name, "."+domain) && domain != "gov.br" {
			return fault.New(fault.Invalid, "govbrsim.host", "valor", cut(host))
		}
	}
	return nil
}

// checkAddress reads the simulator's own address: scheme, host and port.
func checkAddress(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(text, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fault.New(fault.Invalid, "govbrsim.address", "valor", cut(text)).Because(err)
	}
	if err := RefuseRealHost(u.Hostname()); err != nil {
		return nil, err
	}
	return u, nil
}

// checkDoor checks the address of the listener for certificates.
func checkDoor(text string) error {
	u, err := checkAddress(text)
	if err == nil && u.Scheme != "https" {
		err = fault.New(fault.Invalid, "govbrsim.address", "valor", cut(text))
	}
	return err
}

// OwnMachine tells whether a request that named this host was meant for a
// simulator on the asker's machine: a loopback address or "localhost". A page
// of another site that made its own name point here fails this.
func OwnMachine(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
