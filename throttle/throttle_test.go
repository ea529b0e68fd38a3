package throttle

import (
	"fmt"
	"net/http"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"selo/clock"
)

var start = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func from(remote string, forwarded ...string) *http.Request {
	r := &http.Request{RemoteAddr: remote, Header: http.Header{}}
	for _, f := range forwarded {
		r.Header.Add("X-Forwarded-For", f)
	}
	return r
}

// A client has its burst at once, then its rate, and is told how long to wait.
func TestBurstThenRate(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(start)
	l := New(Options{Rate: 2, Burst: 3, Clock: now})
	me, other := from("192.0.2.1:1000"), from("192.0.2.2:1000")
	for i := range 3 {
		if _, ok := l.Allow(me); !ok {
			t.Fatalf("request %d of the burst refused", i+1)
		}
	}
	wait, ok := l.Allow(me)
	if ok || wait != 500*time.Millisecond || Seconds(wait) != 1 {
		t.Fatalf("after the burst: %v, wait %v", ok, wait)
	}
	if _, ok := l.Allow(other); !ok {
		t.Error("another client pays for the first")
	}
	now.Advance(wait)
	if _, ok := l.Allow(me); !ok {
		t.Error("refused after the wait it was told")
	}
	if _, ok := l.Allow(me); ok {
		t.Error("one wait gave two requests")
	}
	now.Advance(time.Hour)
	for i := range 4 {
		if _, ok := l.Allow(me); ok != (i < 3) {
			t.Errorf("after a pause, request %d: %v", i+1, ok)
		}
	}
	if l.Refused() != 3 {
		t.Errorf("%d refused, want 3", l.Refused())
	}
}

func TestNoRateIsNoLimit(t *testing.T) {
	t.Parallel()
	var none *Limiter
	for _, l := range []*Limiter{none, New(Options{})} {
		for range 1000 {
			if _, ok := l.Allow(from("192.0.2.1:1")); !ok {
				t.Fatal("refused without a limit")
			}
		}
	}
}

func TestWhoTheClientIs(t *testing.T) {
	t.Parallel()
	l := New(Options{Rate: 1, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}})
	for _, c := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"192.0.2.1:5", nil, "192.0.2.1"},
		{"192.0.2.1:5", []string{"203.0.113.9"}, "192.0.2.1"}, // nobody vouches for the header
		{"10.0.0.1:5", []string{"203.0.113.9"}, "203.0.113.9"},
		{"10.0.0.1:5", []string{"198.51.100.7, 203.0.113.9"}, "203.0.113.9"}, // the client wrote the first
		{"10.0.0.1:5", []string{"198.51.100.7", "203.0.113.9, 10.2.3.4"}, "203.0.113.9"},
		{"10.0.0.1:5", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		{"10.0.0.1:5", []string{"[2001:db8:1:2::9]:4711"}, "2001:db8:1:2::"},
		{"10.0.0.1:5", []string{"2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2::"},
		{"[fd00::1]:5", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"10.0.0.1:5", []string{"203.0.113.9, 'x"}, "10.0.0.1"},
		{"10.0.0.1:5", []string{""}, "10.0.0.1"},
		{"10.0.0.1:5", []string{"10.0.0.2"}, "10.0.0.2"},
		{"[2001:db8::1%eth0]:5", nil, "2001:db8::"},
		{"[::ffff:192.0.2.1]:5", nil, "192.0.2.1"},
		{"@", nil, "invalid IP"},
	} {
		if got := l.Client(from(c.remote, c.forwarded...)).String(); got != c.want {
			t.Errorf("%s %q is %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

// A header of any length costs little: only its end is read.
func TestALongHeaderIsNotRead(t *testing.T) {
	t.Parallel()
	l := New(Options{Rate: 1, Trusted: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}})
	long := ""
	for range 5000 {
		long += "10.9.9.9, "
	}
	if got := l.Client(from("10.0.0.1:5", long+"10.1.1.1")).String(); got != "10.9.9.9" {
		t.Errorf("the client is %s", got)
	}
}

// However many clients come, only so many are remembered, and who goes on
// asking is not forgotten among them.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(start)
	l := New(Options{Rate: 0.001, Burst: 1, Clients: 1000, Clock: now})
	loud := from("192.0.2.1:1")
	l.Allow(loud)
	for i := range 20_000 {
		r := from(fmt.Sprintf("10.%d.%d.%d:1", i>>16&255, i>>8&255, i&255))
		if _, ok := l.Allow(r); !ok {
			t.Fatalf("newcomer %d refused", i)
		}
		if i%500 == 0 {
			if _, ok := l.Allow(loud); ok {
				t.Fatalf("the loud client was forgotten after %d others", i)
			}
		}
	}
	if n := len(l.young) + len(l.old); n > 2000 {
		t.Errorf("%d clients are remembered", n)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	l := New(Options{Rate: 1, Burst: 100, Clock: clock.NewManual(start)})
	taken := make(chan bool, 400)
	for range 4 {
		go func() {
			for range 100 {
				_, ok := l.Allow(from("192.0.2.1:1"))
				taken <- ok
				runtime.Gosched()
			}
		}()
	}
	n := 0
	for range 400 {
		if <-taken {
			n++
		}
	}
	if n != 100 {
		t.Errorf("%d taken of a burst of 100", n)
	}
}

func BenchmarkAllow(b *testing.B) {
	l := New(Options{Rate: 1e9, Burst: 1e9})
	r := from("192.0.2.1:1")
	for b.Loop() {
		l.Allow(r)
	}
}
