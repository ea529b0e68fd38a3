package catalog

import (
	"path/filepath"
	"testing"
)

func TestZZSizes(t *testing.T) {
	src := benchSource{n: 200000}
	path := filepath.Join(t.TempDir(), "b.sqlite")
	if err := Build(t.Context(), src, src.publication(src.base()), path, Options{}); err != nil {
		t.Fatal(err)
	}
	db, _ := openForReading(path, 1)
	defer db.Close()
	rows, err := db.Query("SELECT name, sum(pgsize), count(*), sum(unused) FROM dbstat GROUP BY 1 ORDER BY 2 DESC")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var n string
		var a, b, u int64
		rows.Scan(&n, &a, &b, &u)
		t.Log(n, a/1000, "KB", b, "unused", u/1000)
	}
	var n int
	var h string
	t.Log(db.QueryRow("select group_concat(k||'='||v) from busca_config").Scan(&h), h)
	err = db.QueryRow("select count(distinct segid) from busca_idx").Scan(&n)
	t.Log(err, n)
}
