package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// asking says what a load generator asks of a server.
type asking struct {
	Addr    string   // host:port
	Paths   []string // asked in turn, percent-encoded
	At      int      // connections, each with one request under way
	Seconds float64  // how long; 0 asks every path Passes times
	Passes  int
	Gzip    bool // takes compressed answers, as browsers do
	Count   bool // counts what fails and goes on; else the run fails
}

// answered is what came back. What is not answered with 200 has failed.
type answered struct {
	Requests int64 // answered
	Failed   int64
	Failure  string // the first
	Seconds  float64
	P50, P99 float64 // milliseconds
	Bytes    int64   // bodies
}

func (a answered) perSecond() float64 { return float64(a.Requests) / a.Seconds }

// askServer is a load generator that does little itself: kept connections, requests
// written as they are, answers read without being kept. It shares the machine's
// processors with the server, so it must be cheap.
func askServer(ctx context.Context, a asking) (answered, error) {
	var mu sync.Mutex
	var all []time.Duration
	var total answered
	var failures []error
	var group sync.WaitGroup
	start := time.Now()
	for worker := range a.At {
		group.Go(func() {
			for i := worker; ; {
				w := work{next: i}
				err := a.run(ctx, &w, start)
				mu.Lock()
				all, total.Bytes = append(all, w.took...), total.Bytes+w.bytes
				if err != nil {
					failures = append(failures, err)
				}
				mu.Unlock()
				if err == nil || !a.Count || ctx.Err() != nil {
					return
				}
				i = w.next + a.At // what failed has had its turn
			}
		})
	}
	group.Wait()
	total.Seconds = time.Since(start).Seconds()
	if total.Failed = int64(len(failures)); total.Failed > 0 {
		total.Failure = failures[0].Error()
	}
	if total.Failed > 0 && !a.Count || len(all) == 0 {
		return total, fmt.Errorf("ask %s: %w", a.Addr, errors.Join(failures...))
	}
	total.Requests = int64(len(all))
	total.P50, total.P99 = quantiles(all)
	return total, nil
}

// work is what one connection has done.
type work struct {
	next  int // the request under way
	took  []time.Duration
	bytes int64
}

// run asks over one connection until the end, or until something fails.
func (a *asking) run(ctx context.Context, w *work, start time.Time) error {
	limit := time.Duration(a.Seconds * float64(time.Second))
	last := len(a.Paths) * a.Passes
	over := func(now time.Time) bool { return limit > 0 && now.Sub(start) >= limit || limit == 0 && w.next >= last }
	if over(time.Now()) {
		return nil
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", a.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing more is expected of it
	in, out := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn)
	header := " HTTP/1.1\r\nHost: " + a.Addr + "\r\n\r\n"
	if a.Gzip {
		header = " HTTP/1.1\r\nHost: " + a.Addr + "\r\nAccept-Encoding: gzip\r\n\r\n"
	}
	for ; ; w.next += a.At {
		begin := time.Now()
		if over(begin) {
			return nil
		}
		path := a.Paths[w.next%len(a.Paths)]
		_, _ = out.WriteString("GET " + path + header) // Flush tells
		if err := out.Flush(); err != nil {
			return err
		}
		n, err := readAnswer(in)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		w.took, w.bytes = append(w.took, time.Since(begin)), w.bytes+n
	}
}

// readAnswer reads one answer whole and gives the length of its body.
func readAnswer(in *bufio.Reader) (int64, error) {
	status, err := in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if !strings.HasPrefix(string(status), "HTTP/1.1 200") {
		return 0, fmt.Errorf("answer %q", strings.TrimSpace(string(status)))
	}
	length, chunked := int64(0), false
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		switch line[0] {
		case 'C', 'T':
			name, value, _ := strings.Cut(string(line), ":")
			value = strings.TrimSpace(value)
			switch name {
			case "Content-Length":
				if length, err = strconv.ParseInt(value, 10, 64); err != nil {
					return 0, err
				}
			case "Transfer-Encoding":
				chunked = value == "chunked"
			}
		}
	}
	if chunked {
		return readChunks(in)
	}
	_, err = in.Discard(int(length))
	return length, err
}

func readChunks(in *bufio.Reader) (total int64, err error) {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return total, err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 64)
		if err != nil {
			return total, err
		}
		if _, err := in.Discard(int(size) + 2); err != nil {
			return total, err
		}
		if total += size; size == 0 {
			return total, nil
		}
	}
}

// quantiles gives the median and the 99th percentile in milliseconds.
func quantiles(took []time.Duration) (p50, p99 float64) {
	slices.Sort(took)
	at := func(share float64) float64 {
		return float64(took[min(int(share*float64(len(took))), len(took)-1)].Nanoseconds()) / 1e6
	}
	return at(0.50), at(0.99)
}

// serveNothing is the floor of every HTTP measure: net/http with a handler that
// does nothing. It says where it listens and ends when its input does.
func serveNothing(context.Context, struct{}) (struct{}, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return struct{}{}, err
	}
	fmt.Printf("%q\n", listener.Addr().String())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is the news
		_ = listener.Close()
	}()
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ReadHeaderTimeout: 10 * time.Second}
	if err := server.Serve(listener); !errors.Is(err, net.ErrClosed) {
		return struct{}{}, err
	}
	return struct{}{}, nil
}
