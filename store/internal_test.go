package store

import "testing"

func TestSQLiteURI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		abs     string
		windows bool
		want    string
	}{
		{"/data/selo.db", false, "file:///data/selo.db"},
		{"/São João (1)/a?b#c%d.db", false, "file:///S%C3%A3o%20Jo%C3%A3o%20%281%29/a%3Fb%23c%25d.db"},
		{`/a\b.db`, false, "file:///a%5Cb.db"},
		{`C:\Organismo São\base.db`, true, "file:///C:/Organismo%20S%C3%A3o/base.db"},
		{`\\servidor\pasta\base.db`, true, "file:////servidor/pasta/base.db"},
	} {
		if got := sqliteURI(c.abs, c.windows); got != c.want {
			t.Errorf("sqliteURI(%q) = %q, want %q", c.abs, got, c.want)
		}
	}
}

func TestNumberBinds(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`SELECT 1`:                              `SELECT 1`,
		`a = ? AND b = ?`:                       `a = $1 AND b = $2`,
		`a = '?' AND b = ?`:                     `a = '?' AND b = $1`,
		`a = 'it''s ?' AND "q?" = ?`:            `a = 'it''s ?' AND "q?" = $1`,
		"a = ? -- why?\nAND b = ? /* ? ' */, ?": "a = $1 -- why?\nAND b = $2 /* ? ' */, $3",
		`unclosed ' ?`:                          `unclosed ' ?`,
		`x - ? / ?`:                             `x - $1 / $2`,
	} {
		if got := numberBinds(in); got != want {
			t.Errorf("numberBinds(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanReason(t *testing.T) {
	t.Parallel()
	long := make([]byte, maxReason+10)
	for i := range long {
		long[i] = "é"[i%2]
	}
	if got := cleanReason("a\x00b" + string(long)); len(got) > maxReason+1 || got[:3] != "a?b" {
		t.Errorf("got %d bytes, begins %q", len(got), got[:3])
	}
}
