// Package throttle bounds how many requests one client may make, so that one
// program that asks without end does not take the answers of all others.
//
// It promises that its memory is bounded whatever arrives, that a client is
// who the connection says unless the connection comes from a proxy that the
// operator trusts, and that a refused client is told when to come back.
//
// It is no defence against floods from many addresses at once, which belongs
// in front of the server, and replicas do not share their counts.
package throttle

import (
	"math"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"selo/clock"
)

const (
	// DefaultClients is how many clients are remembered at least.
	DefaultClients = 50_000
	// maxHops is how many addresses of X-Forwarded-For are looked at, from its end.
	maxHops = 16
	// networkBits is what one IPv6 subscriber usually has to himself.
	networkBits = 64
)

// Options say how much a client may ask. A Rate of zero means no limit.
type Options struct {
	Rate    float64        // requests a second, on the long run
	Burst   int            // requests at once after a pause; zero is 1
	Clients int            // clients remembered at least, twice as many at most; zero is [DefaultClients]
	Trusted []netip.Prefix // proxies whose X-Forwarded-For is believed
	Clock   clock.Clock    // nil is the machine's
}

// Limiter counts the requests of each client: a token bucket, kept as the
// moment at which the bucket will be full again. It is safe for concurrent use.
type Limiter struct {
	opts    Options
	each    time.Duration // what one request costs
	depth   time.Duration // what a full bucket holds
	refused atomic.Int64

	mu sync.Mutex
	// Two generations bound the memory: when the young one is full it becomes
	// the old one and what was old is forgotten. Who goes on asking is young
	// again, so only clients that ask seldom are forgotten.
	young, old map[netip.Addr]time.Time
}

// New makes a limiter.
func New(o Options) *Limiter {
	if o.Clients <= 0 {
		o.Clients = DefaultClients
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	l := &Limiter{opts: o, young: map[netip.Addr]time.Time{}}
	if o.Rate > 0 {
		l.each = time.Duration(float64(time.Second) / o.Rate)
		l.depth = l.each * time.Duration(max(o.Burst, 1))
	}
	return l
}

// Allow counts one request. When the client has asked too much it says after
// how long the next one would be taken.
func (l *Limiter) Allow(r *http.Request) (wait time.Duration, ok bool) {
	if l == nil || l.each <= 0 {
		return 0, true
	}
	client := l.Client(r)
	now := l.opts.Clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	full, known := l.young[client]
	if !known {
		full = l.old[client]
	}
	if full.Before(now) {
		full = now
	}
	next := full.Add(l.each)
	over := next.Sub(now) - l.depth
	if over > 0 {
		l.refused.Add(1)
		next = full // what is refused costs nothing, but is remembered
	}
	if !known && len(l.young) >= l.opts.Clients {
		l.young, l.old = map[netip.Addr]time.Time{}, l.young
	}
	l.young[client] = next
	return max(over, 0), over <= 0
}

// Limit gives the requests a second and the burst of one client; zero for no
// limit.
func (l *Limiter) Limit() (rate float64, burst int) {
	if l == nil || l.each <= 0 {
		return 0, 0
	}
	return l.opts.Rate, max(l.opts.Burst, 1)
}

// Refused is how many requests were refused so far.
func (l *Limiter) Refused() int64 {
	if l == nil {
		return 0
	}
	return l.refused.Load()
}

// Seconds is a wait as the header Retry-After says it: whole seconds, at least one.
func Seconds(wait time.Duration) int64 { return max(1, int64(math.Ceil(wait.Seconds()))) }

// Client is who asks: the address of the connection or, behind trusted proxies,
// the last address in X-Forwarded-For that is not one of them. What the client
// itself wrote into that header is therefore never believed. An IPv6 client is
// its whole network of 64 bits. The zero address stands for all whose address
// cannot be read.
func (l *Limiter) Client(r *http.Request) netip.Addr {
	port, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := plain(port.Addr())
	lines := r.Header["X-Forwarded-For"]
	hops := 0
	for i := len(lines) - 1; i >= 0; i-- {
		for line, more := lines[i], true; more; {
			if !l.trusts(client) || hops == maxHops {
				return network(client)
			}
			hops++
			var last string
			if at := strings.LastIndexByte(line, ','); at >= 0 {
				line, last = line[:at], line[at+1:]
			} else {
				last, more = line, false
			}
			addr, err := parse(strings.TrimSpace(last))
			if err != nil {
				return network(client) // the proxy that wrote this is the best we know
			}
			client = addr
		}
	}
	return network(client)
}

// parse reads an address with or without a port, as proxies write them.
func parse(s string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return plain(addr), nil
	}
	port, err := netip.ParseAddrPort(s)
	return plain(port.Addr()), err
}

func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func network(addr netip.Addr) netip.Addr {
	if addr.Is6() {
		if prefix, err := addr.Prefix(networkBits); err == nil {
			return prefix.Addr()
		}
	}
	return addr
}

func (l *Limiter) trusts(addr netip.Addr) bool {
	for _, p := range l.opts.Trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
