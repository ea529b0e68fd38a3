package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"selo/api"
	"selo/clock"
	"selo/fault"
	"selo/throttle"
	"selo/web"

	"golang.org/x/sync/errgroup"
)

// limitFlags bound what one client may ask of a server.
type limitFlags struct {
	Rate         float64  `help:"${help_rate}" env:"SELO_RATE" default:"50"`
	Burst        int      `help:"${help_burst}" env:"SELO_BURST" default:"300"`
	TrustedProxy []string `help:"${help_trusted_proxy}" env:"SELO_TRUSTED_PROXY" placeholder:"CIDR"`
}

// limiter makes the limiter. Fault: Invalid "serve.proxy".
func (f *limitFlags) limiter(now clock.Clock) (*throttle.Limiter, error) {
	var trusted []netip.Prefix
	for _, text := range f.TrustedProxy {
		text = strings.TrimSpace(text)
		if addr, err := netip.ParseAddr(text); err == nil {
			trusted = append(trusted, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fault.New(fault.Invalid, "serve.proxy", "valor", text).Because(err)
		}
		trusted = append(trusted, prefix)
	}
	return throttle.New(throttle.Options{Rate: f.Rate, Burst: f.Burst, Trusted: trusted, Clock: now}), nil
}

// front is what a server answers with: pages and API, behind the limit of
// requests per client.
type front struct {
	api     *api.Server
	web     *web.Server
	limiter *throttle.Limiter // nil: no limit
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	owned := api.Owns(r.URL.Path)
	if !unlimited(r.URL.Path) {
		if wait, ok := f.limiter.Allow(r); !ok {
			// Nobody waits for what a refused client still wants to send.
			w.Header().Set("Connection", "close")
			if owned {
				f.api.TooMany(w, r, throttle.Seconds(wait))
			} else {
				f.web.TooMany(w, r, throttle.Seconds(wait))
			}
			return
		}
	}
	if owned {
		f.api.ServeHTTP(w, r)
		return
	}
	f.web.ServeHTTP(w, r)
}

// unlimited tells what is never refused: what balancers and monitors ask from
// one address, and the files that make any page readable, which browsers keep.
func unlimited(path string) bool {
	return path == "/saude" || path == "/pronto" || path == "/metrics" || path == "/aparencia.css" || strings.HasPrefix(path, "/estatico/")
}

// grace is how long requests may take to finish once the server is told to stop.
const grace = 15 * time.Second

// newHTTPServer bounds what a connection may take before anything is answered.
func newHTTPServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
}

// serveUntil answers until ctx ends and then lets what is under way finish.
func serveUntil(ctx context.Context, group *errgroup.Group, server *http.Server, listener net.Listener) {
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		if err := server.Shutdown(stop); !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return server.Close() // long downloads go on elsewhere, from where they are
	})
}
