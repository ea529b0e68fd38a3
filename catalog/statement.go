package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// statements keeps one prepared statement a query, so that asking does not
// parse again. The queries are constants: they do not grow in number. The zero
// value is ready; it is safe for concurrent use.
type statements struct {
	mu     sync.RWMutex
	byText map[string]*statement
}

// statement lives as long as its owner.
type statement struct{ stmt *sql.Stmt }

// preparer is a database or a transaction.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func (s *statements) get(ctx context.Context, db preparer, query string) (*statement, error) {
	s.mu.RLock()
	st := s.byText[query]
	s.mu.RUnlock()
	if st != nil {
		return st, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.byText[query]; st != nil {
		return st, nil
	}
	prepared, err := db.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60s: %w", query, err)
	}
	if s.byText == nil {
		s.byText = map[string]*statement{}
	}
	st = &statement{prepared}
	s.byText[query] = st
	return st, nil
}

// exec runs a statement that returns no rows.
func (s *statements) exec(ctx context.Context, db preparer, query string, args ...any) error {
	st, err := s.get(ctx, db, query)
	if err != nil {
		return err
	}
	if _, err := st.stmt.ExecContext(ctx, args...); err != nil {
		return fmt.Errorf("%.60s: %w", query, err)
	}
	return nil
}

func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.byText {
		_ = st.stmt.Close() // what it did is done
	}
	s.byText = nil
}
