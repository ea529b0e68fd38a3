package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
)

var errClosed = errors.New("store: base is closed")

// maxStatements bounds the prepared statements that a SQLite connection keeps.
const maxStatements = 512

// session is one connection with its prepared statements. On PostgreSQL the
// driver keeps the statements itself and stmts stays nil.
type session struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// pool hands out sessions. SQLite sessions are kept, because a statement
// prepared on a connection lives as long as our hold on it; PostgreSQL
// sessions last one transaction and database/sql pools what is below.
type pool struct {
	db     *sql.DB
	keep   bool
	places chan struct{} // one token per session in use

	mu     sync.Mutex
	idle   []*session
	closed bool
}

func newPool(db *sql.DB, size int, keep bool) *pool {
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return &pool{db: db, keep: keep, places: make(chan struct{}, size)}
}

// acquire waits for a session in the order of asking.
func (p *pool) acquire(ctx context.Context) (*session, error) {
	select {
	case p.places <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s, err := p.take(ctx)
	if err != nil {
		<-p.places
		return nil, err
	}
	return s, nil
}

func (p *pool) take(ctx context.Context) (*session, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	if n := len(p.idle); n > 0 {
		s := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return s, nil
	}
	p.mu.Unlock()
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn}
	if p.keep {
		s.stmts = map[string]*sql.Stmt{}
	}
	return s, nil
}

// release gives the session back; a broken one is closed for good.
func (p *pool) release(s *session, broken bool) {
	switch {
	case broken:
		// ErrBadConn makes database/sql drop the connection instead of pooling it.
		_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
		_ = s.close() // it is broken: there is nothing more to learn
	case p.keep:
		p.mu.Lock()
		p.idle = append(p.idle, s)
		p.mu.Unlock()
	default:
		_ = s.close() // only hands the connection back to database/sql
	}
	<-p.places
}

// close waits until no session is in use. A nil pool is closed already.
func (p *pool) close() error {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	again := p.closed
	p.closed = true
	p.mu.Unlock()
	if again {
		return nil
	}
	for range cap(p.places) {
		p.places <- struct{}{}
	}
	for range cap(p.places) {
		<-p.places // a late acquire finds the pool closed instead of waiting for ever
	}
	var errs []error
	for _, s := range p.idle {
		errs = append(errs, s.close())
	}
	return errors.Join(append(errs, p.db.Close())...)
}

func (s *session) close() error {
	var errs []error
	for _, st := range s.stmts {
		errs = append(errs, st.Close())
	}
	if err := s.conn.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// prepared returns the session's statement for query, preparing it the first time.
func (s *session) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := s.stmts[query]; ok {
		return st, nil
	}
	st, err := s.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if len(s.stmts) >= maxStatements {
		for old, st := range s.stmts { // any one: hot statements come back at once
			delete(s.stmts, old)
			_ = st.Close() // a statement not in use cannot fail to close in a way that matters
			break
		}
	}
	s.stmts[query] = st
	return st, nil
}

func (s *session) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	if s.stmts == nil {
		return s.conn.ExecContext(ctx, query, args...)
	}
	st, err := s.prepared(ctx, query) //nolint:sqlclosecheck // kept for the next call; close ends it
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (s *session) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	if s.stmts == nil {
		return s.conn.QueryContext(ctx, query, args...)
	}
	st, err := s.prepared(ctx, query) //nolint:sqlclosecheck // kept for the next call; close ends it
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}
