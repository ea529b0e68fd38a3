package catalog

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
)

// readySQL finds the ready answer by number; two rows mean that punctuation counts.
const readySQL = `SELECT f.dados, f.pronto FROM certificado c CROSS JOIN ficha f ON f.id = c.id
	WHERE c.compacto = ? AND c.organismo = ? LIMIT 2`

// companySQL reads a company.
const companySQL = `SELECT dados FROM empresa WHERE id = ?`

// lookerCache is the page cache of one looker, in KiB: room for all of the
// index that finds numbers, so that a look-up reads one page of the file.
const lookerCache = 8 << 10

// maxLookers bounds them; each runs one look-up of microseconds at a time, so
// that more than there are processors would not help.
const maxLookers = 4

// looker is a connection for look-ups that read a row by its key. It asks the
// driver itself: what database/sql does around a question costs as much as one
// of these.
type looker struct {
	conn           driver.Conn
	ready, company *keyed
}

// lookers lends its connections.
type lookers struct {
	free    chan *looker
	count   int
	closing sync.Once
}

func openLookers(db *sql.DB, path string) (*lookers, error) {
	dsn, err := readingSource(path, lookerCache)
	if err != nil {
		return nil, err
	}
	n := min(runtime.GOMAXPROCS(0), maxLookers)
	s := &lookers{free: make(chan *looker, n)}
	for range n {
		l, err := openLooker(db.Driver(), dsn)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open snapshot: %w", err), s.close())
		}
		s.free <- l
		s.count++
	}
	return s, nil
}

func openLooker(d driver.Driver, dsn string) (*looker, error) {
	conn, err := d.Open(dsn)
	if err != nil {
		return nil, err
	}
	l := &looker{conn: conn}
	if l.ready, err = prepareKeyed(conn, readySQL); err == nil {
		l.company, err = prepareKeyed(conn, companySQL)
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *looker) close() error {
	var errs []error
	for _, k := range []*keyed{l.ready, l.company} {
		if k != nil {
			errs = append(errs, k.stmt.Close())
		}
	}
	return errors.Join(append(errs, l.conn.Close())...)
}

// use lends a looker to fn. Error: sql.ErrConnDone once they are closed.
func (s *lookers) use(fn func(*looker) error) error {
	l, open := <-s.free
	if !open {
		return sql.ErrConnDone
	}
	defer func() { s.free <- l }()
	return fn(l)
}

// close waits for look-ups under way and closes all.
func (s *lookers) close() error {
	var errs []error
	s.closing.Do(func() {
		for range s.count {
			errs = append(errs, (<-s.free).close())
		}
		close(s.free)
	})
	return errors.Join(errs...)
}

// keyed is a prepared question by key whose answer is texts.
type keyed struct {
	stmt  driver.Stmt
	query driver.StmtQueryContext
	row   []driver.Value
}

func prepareKeyed(conn driver.Conn, text string) (*keyed, error) {
	stmt, err := conn.Prepare(text)
	if err != nil {
		return nil, err
	}
	query, ok := stmt.(driver.StmtQueryContext)
	if !ok {
		return nil, errors.Join(fmt.Errorf("driver gives %T", stmt), stmt.Close())
	}
	return &keyed{stmt: stmt, query: query}, nil
}

// read counts the rows of a key and sets places to the first one's columns.
func (k *keyed) read(key []any, places ...*string) (found int, err error) {
	args := make([]driver.NamedValue, len(key))
	for i, value := range key {
		args[i] = driver.NamedValue{Ordinal: i + 1, Value: value}
	}
	rows, err := k.query.QueryContext(context.Background(), args)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if k.row == nil {
		k.row = make([]driver.Value, len(places))
	}
	for {
		switch err := rows.Next(k.row); {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return found, err
		}
		if found++; found > 1 {
			continue
		}
		for i, place := range places {
			*place = text(k.row[i])
		}
	}
}
