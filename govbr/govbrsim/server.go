package govbrsim

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"selo/clock"
	"selo/fault"
	"selo/icpbrasil/testca"
)

const (
	maxBody   = 1 << 20 // bytes of any request
	maxURI    = 16 << 10
	maxWorlds = 300
	keyBits   = 2048
	// answerLimit bounds how long one answer may take.
	answerLimit = 15 * time.Second
)

// Options say how a simulator is. URL is needed; the zero value of the others
// is usable.
type Options struct {
	// URL is the address that browsers and clients use, without a path:
	// "http://127.0.0.1:8082". Everything that the simulator says of itself,
	// the issuer first, begins with it; the header Host is not believed.
	URL string
	// People and Clients are what each new world begins with; nil: the embedded ones.
	People  *People
	Clients *ClientList
	Clock   clock.Clock // nil is the machine's
	Log     *slog.Logger
	// AdminToken guards /sim/admin/ (Authorization: Bearer …). Empty: requests
	// for this machine itself are taken, and no others.
	AdminToken string
	// CertificateURL is the https:// address of the listener that
	// [Server.CertificateHandler] answers on, without a path. Empty: nobody
	// enters with a certificate of a device.
	CertificateURL string
	// Look holds the stylesheets, fonts and icons of the pages by their names
	// (of package web); nil: the pages are plain.
	Look fs.FS
	// State is the file that keeps the worlds; empty: they end with the process.
	State string

	// Key and Random make the answers of a test the same each time. Nil: a new
	// key, and the system's randomness.
	Key    *rsa.PrivateKey
	Random io.Reader
}

// Server is the simulator. It is safe for concurrent use.
type Server struct {
	options Options
	log     *slog.Logger
	url     *url.URL
	key     *rsa.PrivateKey
	seal    []byte // the key of the codes, 32 bytes
	random  io.Reader
	routes  []Route
	mux     *http.ServeMux
	origin  *http.CrossOriginProtection
	look    *look
	newKey  func() (*rsa.PrivateKey, error) // of authorities and people

	caMu  sync.Mutex
	ca    *govCA            // of Assinatura; nil until it is needed
	caNew bool              // the state file does not hold it
	icp   *testca.Authority // of certificates in the cloud; nil until it is needed

	certs certificates // of the entry with certificate

	mu     sync.RWMutex
	worlds map[string]*World
	gone   bool // a world went since the state file was written

	saving sync.Mutex        // one writer of the state file at a time
	saved  map[string]uint64 // what the file holds of each world
}

// New makes a simulator, or reads it from the state file if there is one.
// Faults: Invalid "govbrsim.address", "govbrsim.host" for the address of the
// real service, "govbrsim.json" and "govbrsim.record" for records given or in
// the state file; Unavailable "govbrsim.state" when that cannot be read.
func New(o Options) (*Server, error) {
	address, err := checkAddress(o.URL)
	if err != nil {
		return nil, err
	}
	if o.CertificateURL != "" {
		if err := checkDoor(o.CertificateURL); err != nil {
			return nil, err
		}
	}
	if err := o.fill(); err != nil {
		return nil, err
	}
	s := &Server{options: o, log: o.Log, url: address, key: o.Key, random: o.Random, mux: http.NewServeMux(), newKey: newRSAKey,
		origin: http.NewCrossOriginProtection(), worlds: map[string]*World{}, saved: map[string]uint64{}}
	if s.random == nil {
		s.random = rand.Reader
	}
	s.random = &lockedReader{from: s.random}
	if err := s.origin.AddTrustedOrigin(address.Scheme + "://" + address.Host); err != nil {
		return nil, fault.New(fault.Invalid, "govbrsim.address", "valor", cut(o.URL)).Because(err)
	}
	s.seal = make([]byte, 32)
	if _, err := io.ReadFull(s.random, s.seal); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	s.look = newLook(o.Look)
	if err := s.begin(); err != nil {
		return nil, err
	}
	s.routes = s.table()
	s.mount()
	return s, nil
}

// fill puts what is used where nothing is given, and checks what is.
func (o *Options) fill() error {
	if o.People == nil {
		o.People = defaultPeople()
	} else if err := o.People.Check(); err != nil {
		return err
	}
	if o.Clients == nil {
		o.Clients = defaultClients()
	} else if err := o.Clients.Check(); err != nil {
		return err
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return nil
}

// begin reads the state, and makes what it does not hold.
func (s *Server) begin() error {
	if s.options.State != "" {
		if err := s.restore(); err != nil {
			return err
		}
	}
	if s.key == nil {
		key, err := rsa.GenerateKey(rand.Reader, keyBits)
		if err != nil {
			return fmt.Errorf("make key: %w", err)
		}
		s.key = key
	}
	if s.worlds[DefaultWorld] == nil {
		s.worlds[DefaultWorld] = newWorld(DefaultWorld, s.base(), s.options.Clock, s.options.People, s.options.Clients)
	}
	return nil
}

// base is the simulator's address without a slash at the end.
func (s *Server) base() string { return s.url.Scheme + "://" + s.url.Host }

// URL is the address of the root, without a slash at the end.
func (s *Server) URL() string { return s.base() }

// World returns a world by name. Fault: NotFound "govbrsim.world.none".
func (s *Server) World(name string) (*World, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.worlds[name]
	if w == nil {
		return nil, fault.New(fault.NotFound, "govbrsim.world.none", "mundo", cut(name))
	}
	return w, nil
}

// CreateWorld makes a world with the seeds' people and clients. Faults: Invalid
// "govbrsim.world.name"; Conflict "govbrsim.world.taken", "govbrsim.full".
func (s *Server) CreateWorld(name string) (*World, error) {
	if !worldName.MatchString(name) {
		return nil, fault.New(fault.Invalid, "govbrsim.world.name", "mundo", cut(name))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.worlds[name] != nil {
		return nil, fault.New(fault.Conflict, "govbrsim.world.taken", "mundo", name)
	}
	if err := room(s.worlds, name, maxWorlds); err != nil {
		return nil, err
	}
	w := newWorld(name, s.base()+worldPath+name, s.options.Clock, s.options.People, s.options.Clients)
	s.worlds[name] = w
	return w, nil
}

// DeleteWorld ends a world. Faults: NotFound "govbrsim.world.none"; Conflict
// "govbrsim.world.default" for the root's.
func (s *Server) DeleteWorld(name string) error {
	if name == DefaultWorld {
		return fault.New(fault.Conflict, "govbrsim.world.default")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.worlds[name] == nil {
		return fault.New(fault.NotFound, "govbrsim.world.none", "mundo", cut(name))
	}
	delete(s.worlds, name)
	s.gone = true
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), answerLimit)
	defer cancel()
	x := &Exchange{server: s, writer: w, Request: r.WithContext(ctx)}
	for name, value := range secureHeaders {
		w.Header().Set(name, value)
	}
	defer s.caught(x)
	world, path := splitWorld(r.URL.EscapedPath())
	found, err := s.World(world)
	if err != nil || len(r.RequestURI) > maxURI || strings.Contains(path, "//") || strings.Contains(path, "/.") && !strings.HasPrefix(path, "/.well-known/") {
		x.World, _ = s.World(DefaultWorld)
		x.failPage(fault.New(fault.NotFound, "govbrsim.not_found"))
		return
	}
	x.World = found
	decoded, err := url.PathUnescape(path)
	if err != nil {
		x.failPage(fault.New(fault.NotFound, "govbrsim.not_found"))
		return
	}
	inner := *x.Request.URL
	inner.Path, inner.RawPath = decoded, path
	x.Request = x.Request.WithContext(context.WithValue(ctx, exchangeKey{}, x))
	x.Request.URL = &inner
	x.Request.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if s.broken(x, path) {
		return
	}
	s.mux.ServeHTTP(w, x.Request)
}

// splitWorld takes the world out of a path.
func splitWorld(path string) (world, rest string) {
	after, named := strings.CutPrefix(path, worldPath)
	if !named {
		return DefaultWorld, path
	}
	world, rest, _ = strings.Cut(after, "/")
	if world == DefaultWorld {
		return "", path // it has one address only
	}
	return world, "/" + rest
}

// caught turns a panic into a page.
func (s *Server) caught(x *Exchange) {
	switch cause := recover(); cause {
	case nil:
	case http.ErrAbortHandler:
		panic(cause)
	default:
		s.log.Error("panic", "path", x.Request.URL.Path, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		x.failPage(errors.New("panic"))
	}
}

// lockedReader lets several requests read one source.
type lockedReader struct {
	mu   sync.Mutex
	from io.Reader
}

// Read implements io.Reader.
func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.from, p)
}

// bytes are n random bytes. Without randomness nothing here can go on.
func (s *Server) bytes(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.random, b); err != nil {
		panic("govbrsim: no randomness: " + err.Error())
	}
	return b
}
