package verify_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"selo/certificate"
	"selo/store"
	"selo/store/storetest"
	"selo/verify"
)

// damage breaks one thing of a sound base; want are the codes that must be
// found, may those that follow from them.
type damage struct {
	name string
	do   func(t *testing.T, db *sql.DB)
	want []string
	may  []string
}

// run executes statements, of which each must change something.
func run(statements ...string) func(*testing.T, *sql.DB) {
	return func(t *testing.T, db *sql.DB) {
		t.Helper()
		for _, s := range statements {
			result, err := db.Exec(s)
			if err != nil {
				t.Fatalf("%s: %v", s, err)
			}
			if n, err := result.RowsAffected(); err == nil && n == 0 && !strings.HasPrefix(s, "DROP") {
				t.Fatalf("%s: changed nothing", s)
			}
		}
	}
}

// Places in the story of base_test.go.
const (
	firstOfCCB  = `(SELECT id FROM remessa WHERE body = 'CCB' AND sequence = 1)`
	thirdOfCCB  = `(SELECT id FROM remessa WHERE body = 'CCB' AND sequence = 3)`
	fourthOfCCB = `(SELECT id FROM remessa WHERE body = 'CCB' AND sequence = 4)`
	revised     = `(SELECT record_id FROM revision WHERE number = 2 AND kind = 'produto')`
	sheet       = `(SELECT record_id FROM revision WHERE number = 2 AND kind = 'certificado')`
)

// rewrite changes the content of one revision and everything that follows from
// it by hash: the revision's and the record's hash. The ledger cannot follow.
func rewrite(where string, change func(content string) string) func(*testing.T, *sql.DB) {
	return func(t *testing.T, db *sql.DB) {
		t.Helper()
		var content []byte
		var id string
		var number int
		must(t, db.QueryRow(`SELECT record_id, number, content FROM revision WHERE `+where).Scan(&id, &number, &content))
		next := change(string(content))
		if next == string(content) {
			t.Fatalf("nothing to change in %s", content)
		}
		h := certificate.HashOf([]byte(next))
		_, err := db.Exec(fmt.Sprintf(`UPDATE revision SET content = x'%x', hash = x'%s' WHERE record_id = '%s' AND number = %d`, next, h, id, number))
		must(t, err)
		_, err = db.Exec(fmt.Sprintf(`UPDATE record SET hash = x'%s' WHERE id = '%s' AND number = %d`, h, id, number))
		must(t, err)
	}
}

func replace(from, to string) func(string) string {
	return func(s string) string { return strings.Replace(s, from, to, 1) }
}

// ledgerFollows are found whenever a content has changed: the tree is another one.
var ledgerFollows = []string{"verify.head.root", "verify.tile.content", "verify.publication.root", "verify.line.foreign",
	"verify.line.not_applied", "verify.chain.previous"}

var damages = []damage{
	// Contents and chains.
	{name: "a content changes", do: run(`UPDATE revision SET content = CAST(replace(CAST(content AS TEXT), 'borracha', 'madeira') AS BLOB)
		WHERE record_id = ` + revised + ` AND number = 2`), want: []string{"verify.content.hash", "verify.record.newest"}, may: ledgerFollows},
	{name: "a hash changes", do: run(`UPDATE revision SET hash = zeroblob(32) WHERE record_id = ` + revised + ` AND number = 2`),
		want: []string{"verify.content.hash"}, may: []string{"verify.line.foreign", "verify.line.not_applied"}},
	{name: "a content is not canonical", do: rewrite(`number = 2 AND kind = 'produto'`, replace(`,"revisao"`, `, "revisao"`)),
		want: []string{"verify.content.canonical"}, may: ledgerFollows},
	{name: "a content is no JSON", do: rewrite(`number = 2 AND kind = 'produto'`, func(string) string { return "{" }),
		want: []string{"verify.content.canonical", "verify.chain.malformed"}, may: ledgerFollows},
	{name: "a content names another record", do: rewrite(`number = 2 AND kind = 'produto'`, replace(`"id":"0`, `"id":"f`)),
		want: []string{"verify.chain.identity"}, may: ledgerFollows},
	{name: "a content names another body", do: rewrite(`number = 2 AND kind = 'produto'`, replace(`"CCB"`, `"DOC"`)),
		want: []string{"verify.chain.identity", "verify.chain.other_record", "verify.record.columns"}, may: ledgerFollows},
	{name: "a content has another number", do: rewrite(`number = 2 AND kind = 'produto'`, replace(`"revisao":2`, `"revisao":3`)),
		want: []string{"verify.chain.identity"}, may: ledgerFollows},
	{name: "a link of the chain is wrong", do: rewrite(`number = 2 AND kind = 'produto'`, replace(`"anterior":"`, `"anterior":"00`)),
		want: []string{"verify.chain.previous"}, may: ledgerFollows},
	{name: "a first revision has one before", do: rewrite(`number = 1 AND kind = 'empresa' AND remessa_id = `+firstOfCCB,
		replace(`{"aprovada_em"`, `{"anterior":"00","aprovada_em"`)), want: []string{"verify.chain.previous"}, may: ledgerFollows},
	{name: "a kind changes", do: run(`UPDATE revision SET kind = 'empresa' WHERE record_id = ` + revised + ` AND number = 2`),
		want: []string{"verify.chain.identity"}},
	{name: "a revision is lost", do: run(`DELETE FROM revision WHERE record_id = ` + revised + ` AND number = 1`),
		want: []string{"verify.chain.gap", "verify.chain.previous", "verify.order.applied", "verify.order.position", "verify.head.size"},
		may:  append([]string{"verify.publication.size", "verify.order.index", "verify.tile.extra"}, ledgerFollows...)},
	{name: "the newest revision is lost", do: run(`DELETE FROM revision WHERE record_id = ` + revised + ` AND number = 2`),
		want: []string{"verify.record.newest", "verify.order.applied"},
		may:  append([]string{"verify.publication.size", "verify.order.index", "verify.order.position", "verify.head.size"}, ledgerFollows...)},
	{name: "a chain is out of order", do: run(
		`UPDATE remessa SET first_index = 1000 WHERE id = `+firstOfCCB, `UPDATE remessa SET first_index = 0 WHERE id = `+thirdOfCCB),
		want: []string{"verify.chain.order", "verify.order.index"},
		may:  append([]string{"verify.publication.size"}, ledgerFollows...)},
	{name: "a revision's remessa is gone", do: run(`UPDATE revision SET remessa_id = 999 WHERE record_id = ` + revised + ` AND number = 2`),
		want: []string{"verify.chain.orphan", "verify.order.applied"},
		may: append([]string{"verify.record.newest", "verify.publication.size", "verify.order.index", "verify.order.position",
			"verify.head.size"}, ledgerFollows...)},

	// Records.
	{name: "a record is lost", do: run(`DELETE FROM record WHERE id = ` + revised), want: []string{"verify.record.missing"}, may: []string{"verify.link.unknown"}},
	{name: "a record has no revision", do: run(`INSERT INTO record SELECT 'zzz', body, kind, zeroblob(32), number, hash, remessa_id, position, imported
		FROM record WHERE id = ` + revised), want: []string{"verify.record.empty"}},
	{name: "a record is behind", do: run(`UPDATE record SET number = 1 WHERE id = ` + revised), want: []string{"verify.record.newest"}},
	{name: "a record's hash is wrong", do: run(`UPDATE record SET hash = zeroblob(32) WHERE id = ` + revised), want: []string{"verify.record.newest"}},
	{name: "a record's place is wrong", do: run(`UPDATE record SET position = position + 1 WHERE id = ` + revised), want: []string{"verify.record.newest"}},
	{name: "a record's key is wrong", do: run(`UPDATE record SET record_key = zeroblob(32) WHERE id = ` + revised), want: []string{"verify.record.key"}},
	{name: "a record's origin is wrong", do: run(`UPDATE record SET imported = 1 - imported WHERE id = ` + revised), want: []string{"verify.record.columns"}},
	{name: "a record's body is wrong", do: run(`UPDATE record SET body = 'DOC' WHERE id = ` + revised), want: []string{"verify.record.columns"},
		may: []string{"verify.link.unknown"}},
	{name: "two records have one key", do: run(`DROP INDEX record_key`, `UPDATE record SET record_key =
		(SELECT record_key FROM record WHERE id = `+revised+`) WHERE id = (SELECT record_id FROM revision WHERE remessa_id = `+fourthOfCCB+`)`),
		want: []string{"verify.record.twice", "verify.record.key"}},

	// Rules.
	{name: "a frozen field changes", do: rewrite(`number = 2 AND kind = 'produto'`, replace(`Imaginária`, `Real`)),
		want: []string{"verify.rule.frozen"}, may: append([]string{"verify.record.key"}, ledgerFollows...)},
	{name: "a certificate's number changes", do: rewrite(`number = 2 AND kind = 'certificado'`, replace(`CCB-BRIN 001`, `CCB-BRIN 002`)),
		want: []string{"verify.rule.frozen", "verify.record.key"}, may: ledgerFollows},
	{name: "a link vanishes", do: rewrite(`number = 2 AND kind = 'certificado'`, func(s string) string {
		from := strings.Index(s, `{"data_entrada":"2026-02-01","documento"`)
		to := strings.Index(s[from:], "}") + from
		return s[:from] + s[to+1:]
	}), want: []string{"verify.rule.removed"}, may: ledgerFollows},
	{name: "cancelled becomes suspended", do: func(t *testing.T, db *sql.DB) {
		rewrite(`number = 1 AND kind = 'certificado' AND record_id = `+sheet, replace(`"situacao":"ativo","tipo"`, `"situacao":"cancelado","tipo"`))(t, db)
		rewrite(`number = 2 AND kind = 'certificado'`, replace(`"situacao":"ativo","tipo"`, `"situacao":"suspenso","tipo"`))(t, db)
	}, want: []string{"verify.rule.move"}, may: ledgerFollows},
	{name: "issued after acceptance", do: rewrite(`number = 2 AND kind = 'certificado'`, replace(`"data_emissao":"2026-02-01"`, `"data_emissao":"2026-12-31"`)),
		want: []string{"verify.rule.issued_later", "verify.rule.frozen"}, may: ledgerFollows},
	{name: "a product is linked twice", do: rewrite(`number = 2 AND kind = 'certificado'`, func(s string) string {
		from := strings.Index(s, `"produtos":[`) + len(`"produtos":[`)
		to := strings.Index(s[from:], "}") + from + 1
		return s[:to] + "," + s[from:]
	}), want: []string{"verify.link.twice"}, may: ledgerFollows},
	{name: "a linked product is no record", do: rewrite(`number = 2 AND kind = 'certificado'`, replace(`"produto":"0`, `"produto":"f`)),
		want: []string{"verify.link.unknown"}, may: append([]string{"verify.rule.removed"}, ledgerFollows...)},
	{name: "a product hangs on a foreign company", do: rewrite(`number = 2 AND kind = 'certificado'`, func(s string) string {
		from := strings.Index(s, `"produtos":[`)
		return s[:from] + strings.Replace(s[from:], `"empresa":"0`, `"empresa":"f`, 1)
	}), want: []string{"verify.link.company_absent"}, may: ledgerFollows},
	{name: "an active product hangs on an inactive company", do: rewrite(`number = 2 AND kind = 'certificado'`, func(s string) string {
		return strings.ReplaceAll(s, `e","situacao":"ativo"}`, `e","situacao":"suspenso"}`)
	}), want: []string{"verify.link.company_inactive"}, may: ledgerFollows},

	// Ledger.
	{name: "a tile changes", do: run(`UPDATE ledger_tile SET data = CAST(zeroblob(32) || substr(data, 33) AS BLOB) WHERE level = 0 AND n = 0`), want: []string{"verify.tile.content"}},
	{name: "a tile is lost", do: run(`DELETE FROM ledger_tile WHERE level = 1`), want: []string{"verify.tile.missing"}},
	{name: "a tile is too many", do: run(`INSERT INTO ledger_tile VALUES (0, 99, zeroblob(32))`), want: []string{"verify.tile.extra"}},
	{name: "a level is too many", do: run(`INSERT INTO ledger_tile VALUES (9, 0, zeroblob(32))`), want: []string{"verify.tile.extra"}},
	{name: "the head's root changes", do: run(`UPDATE ledger_head SET root = zeroblob(32)`), want: []string{"verify.head.root"}},
	{name: "the head's size changes", do: run(`UPDATE ledger_head SET size = size + 1`), want: []string{"verify.head.size"}},
	{name: "the head is lost", do: run(`DELETE FROM ledger_head`), want: []string{"verify.head.size"}},
	{name: "a remessa stands elsewhere", do: run(`UPDATE remessa SET first_index = first_index + 1 WHERE id = ` + thirdOfCCB), want: []string{"verify.order.index"}},

	// Publications.
	{name: "a publication's root changes", do: run(`UPDATE publication SET root = zeroblob(32) WHERE number = 2`),
		want: []string{"verify.publication.root", "verify.checkpoint.head"}},
	{name: "a publication is beyond the ledger", do: run(`UPDATE publication SET size = size + 1000 WHERE number = 4`),
		want: []string{"verify.publication.size", "verify.checkpoint.head"}},
	{name: "a publication shrinks", do: run(`UPDATE publication SET size = 1 WHERE number = 3`),
		want: []string{"verify.publication.shrunk", "verify.publication.root", "verify.checkpoint.head"}},
	{name: "a publication is lost", do: run(`DELETE FROM publication WHERE number = 2`), want: []string{"verify.publication.gap"}},
	{name: "a publication's lists are no JSON", do: run(`UPDATE publication SET reference = '{' WHERE number = 2`), want: []string{"verify.publication.reference"}},
	{name: "a checkpoint is no note", do: run(`UPDATE publication SET checkpoint = 'x' WHERE number = 2`), want: []string{"verify.checkpoint.form"}},
	{name: "a checkpoint is of another log", do: run(`UPDATE publication SET checkpoint = replace(checkpoint, 'selo.example', 'olse.example') WHERE number = 2`),
		want: []string{"verify.checkpoint.signature"}},

	// Remessas.
	{name: "a remessa is lost in the middle", do: run(`DELETE FROM remessa_piece WHERE remessa_id = (SELECT id FROM remessa WHERE body = 'CCB' AND sequence = 2)`,
		`DELETE FROM remessa WHERE body = 'CCB' AND sequence = 2`),
		want: []string{"verify.remessa.gap", "verify.remessa.previous", "verify.audit.remessa_lost"}},
	{name: "the last remessa is lost", do: run(`DELETE FROM remessa WHERE body = 'CCB' AND sequence = 6`),
		want: []string{"verify.audit.remessa_lost", "verify.piece.orphan"}},
	{name: "a remessa's digest changes", do: run(`UPDATE remessa SET digest = zeroblob(32) WHERE id = ` + thirdOfCCB),
		want: []string{"verify.remessa.previous", "verify.bundle.digest"}},
	{name: "a remessa's predecessor changes", do: run(`UPDATE remessa SET previous = zeroblob(32) WHERE id = ` + thirdOfCCB),
		want: []string{"verify.remessa.previous", "verify.bundle.manifest"}},
	{name: "two remessas are open", do: run(`DROP INDEX remessa_outstanding`,
		`UPDATE remessa SET state = 'recebida', processed_at = NULL, total_reasons = 0, reasons = '[]' WHERE body = 'CCB' AND sequence = 2`),
		want: []string{"verify.remessa.open", "verify.audit.outcome", "verify.job.missing", "verify.job.mail"}},
	{name: "a body is behind", do: run(`UPDATE body SET sequence = 1 WHERE sigla = 'CCB'`), want: []string{"verify.remessa.body"}},
	{name: "a body's digest is wrong", do: run(`UPDATE body SET digest = zeroblob(32) WHERE sigla = 'CCB'`), want: []string{"verify.remessa.body"}},
	{name: "reasons are no JSON", do: run(`UPDATE remessa SET reasons = '[' WHERE state = 'invalidada'`),
		want: []string{"verify.remessa.reasons", "verify.remessa.state"}},
	{name: "a received remessa has applied something", do: run(`UPDATE remessa SET applied = 1 WHERE state = 'recebida'`), want: []string{"verify.remessa.state"}},
	{name: "an invalidated remessa left revisions", do: run(`INSERT INTO revision SELECT
			(SELECT id FROM remessa WHERE state = 'invalidada'), 0, 'zz' || record_id, kind, 1, hash, content FROM revision WHERE record_id = ` + revised + ` AND number = 1`),
		want: []string{"verify.remessa.left_revisions"}, may: []string{"verify.chain.identity", "verify.record.missing"}},
	{name: "applied is wrong", do: run(`UPDATE remessa SET applied = applied + 1 WHERE id = ` + firstOfCCB), want: []string{"verify.order.applied"},
		may: []string{"verify.remessa.state"}},
	{name: "a position is skipped", do: run(`UPDATE revision SET position = 50 WHERE position = 1 AND remessa_id = ` + thirdOfCCB),
		want: []string{"verify.order.position", "verify.record.newest"}},

	// Bundles.
	{name: "a piece changes", do: run(`UPDATE remessa_piece SET data = CAST(zeroblob(40) || substr(data, 41) AS BLOB) WHERE remessa_id = ` + firstOfCCB),
		want: []string{"verify.bundle.content"}, may: []string{"verify.line.foreign"}},
	{name: "a piece is lost", do: run(`DELETE FROM remessa_piece WHERE remessa_id = ` + firstOfCCB), want: []string{"verify.piece.size"}},
	{name: "a piece has another number", do: run(`UPDATE remessa_piece SET n = 1 WHERE remessa_id = ` + firstOfCCB), want: []string{"verify.piece.gap"}},
	{name: "a bundle is cut and says so", do: run(`UPDATE remessa SET size = 100 WHERE id = `+firstOfCCB,
		`UPDATE remessa_piece SET data = substr(data, 1, 100) WHERE remessa_id = `+firstOfCCB), want: []string{"verify.bundle.form"}},
	{name: "counts change", do: run(`UPDATE remessa SET products = products + 1 WHERE id = ` + firstOfCCB), want: []string{"verify.bundle.manifest"}},
	{name: "a body has another key", do: run(`UPDATE body SET sign_key = (SELECT sign_key FROM body WHERE sigla = 'DOC') WHERE sigla = 'CCB'`),
		want: []string{"verify.bundle.signature"}},
	{name: "another body's bundle is in its place", do: run(`UPDATE remessa_piece SET data = (SELECT data FROM remessa_piece WHERE remessa_id =
			(SELECT id FROM remessa WHERE body = 'DOC')) WHERE remessa_id = `+thirdOfCCB,
		`UPDATE remessa SET size = (SELECT size FROM remessa WHERE body = 'DOC') WHERE id = `+thirdOfCCB),
		want: []string{"verify.bundle.digest", "verify.bundle.manifest", "verify.bundle.signature", "verify.line.foreign", "verify.line.other_body"}},

	// Traces.
	{name: "an arrival is not in the audit", do: run(`DROP TRIGGER audit_event_no_delete`, `DELETE FROM audit_event WHERE kind = 'remessa.received' AND subject = 'remessa:CCB/1'`),
		want: []string{"verify.audit.received"}},
	{name: "an outcome is twice in the audit", do: run(`INSERT INTO audit_event (at, kind, subject, actor, detail)
		SELECT at, kind, subject, actor, detail FROM audit_event WHERE kind = 'remessa.confirmed' AND subject = 'remessa:CCB/1'`), want: []string{"verify.audit.outcome"}},
	{name: "another outcome is in the audit", do: run(`INSERT INTO audit_event (at, kind, subject, actor, detail)
		VALUES (1, 'remessa.invalidated', 'remessa:CCB/1', 'system', '{}')`), want: []string{"verify.audit.outcome"}},
	{name: "a finished remessa has a waiting job", do: run(`UPDATE job SET state = 'queued' WHERE job_key = 'remessa:CCB/1'`), want: []string{"verify.job.unfinished"}},
	{name: "nobody processes a remessa", do: run(`UPDATE job SET state = 'failed' WHERE job_key = 'remessa:CCB/6'`), want: []string{"verify.job.missing"}},
	{name: "a result is mailed twice", do: run(`UPDATE job SET state = 'done' WHERE job_key = 'mail:resultado-CCB-1'`,
		`INSERT INTO job (kind, job_key, args, state, run_at, created_at, updated_at) VALUES ('mail', 'mail:resultado-CCB-1', '{}', 'queued', 1, 1, 1)`),
		want: []string{"verify.job.mail"}},
	{name: "a result is never mailed", do: run(`DELETE FROM job WHERE job_key = 'mail:resultado-CCB-1'`), want: []string{"verify.job.mail"}},

	// Releases.
	{name: "a release is lost", do: run(`UPDATE aux_release SET number = 2 WHERE body = 'CCB'`), want: []string{"verify.release.gap", "verify.release.form"}},
	{name: "a release is no JWS", do: run(`UPDATE aux_release SET signed = 'x' WHERE body = 'CCB'`), want: []string{"verify.release.form"}},
	{name: "a release's signature changes", do: func(t *testing.T, db *sql.DB) {
		var signed string
		must(t, db.QueryRow(`SELECT signed FROM aux_release WHERE body = 'CCB'`).Scan(&signed))
		at := strings.LastIndex(signed, ".") + 5
		other := "A" // another character of base64url, whichever stands there
		if signed[at] == 'A' {
			other = "B"
		}
		flipped := signed[:at] + other + signed[at+1:]
		run(`UPDATE aux_release SET signed = '`+flipped+`' WHERE body = 'CCB'`)(t, db)
	}, want: []string{"verify.release.signature"}, may: []string{"verify.release.form"}},
}

// TestEveryDamageIsFound copies one sound base for each damage.
func TestEveryDamageIsFound(t *testing.T) {
	t.Parallel()
	source := storetest.NewSQLite(t)
	b := newBase(t, source)
	story(t, b)
	must(t, b.db.Close())
	file, err := os.ReadFile(source.Path())
	must(t, err)
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			e := &storetest.Engine{Dialect: store.SQLite, URL: "sqlite:" + filepath.Join(t.TempDir(), "selo.db")}
			must(t, os.WriteFile(e.Path(), file, 0o600))
			raw := e.Raw(t)
			raw.SetMaxOpenConns(1)
			for _, s := range []string{"PRAGMA ignore_check_constraints = 1", "DROP TRIGGER revision_no_update", "DROP TRIGGER revision_no_delete"} {
				_, err := raw.Exec(s)
				must(t, err)
			}
			d.do(t, raw)
			must(t, raw.Close())
			compare(t, b, e, d.want, d.may)
		})
	}
}

// compare wants exactly these codes.
func compare(t *testing.T, b *base, e *storetest.Engine, want, may []string) {
	t.Helper()
	o := e.Options(store.Options{})
	report, err := verify.Registry(context.Background(), e.URL, verify.Options{Key: b.reg.Keys.Public().Sign, Schema: o.Schema})
	must(t, err)
	found := codes(report)
	for _, code := range want {
		if found[code] == 0 {
			t.Errorf("%s was not found, only %v", code, slices.Sorted(maps.Keys(found)))
		}
	}
	for code := range found {
		if !slices.Contains(want, code) && !slices.Contains(may, code) {
			t.Errorf("%s was found too: %+v", code, findings(report))
		}
	}
}

// TestDamageOnPostgres breaks a few things of each kind on the other engine.
func TestDamageOnPostgres(t *testing.T) {
	t.Parallel()
	e := storetest.NewPostgres(t)
	b := newBase(t, e)
	story(t, b)
	raw := e.Raw(t)
	raw.SetMaxOpenConns(1)
	_, err := raw.Exec(`SET session_replication_role = replica`) // neither triggers nor foreign keys
	must(t, err)
	zero := "'\\x" + hex.EncodeToString(bytes.Repeat([]byte{0}, 32)) + "'"
	for _, s := range []string{
		`UPDATE revision SET content = content || ' '::bytea WHERE record_id = ` + revised + ` AND number = 2`,
		`UPDATE record SET record_key = ` + zero + ` WHERE id = ` + sheet,
		`UPDATE ledger_head SET root = ` + zero,
		`UPDATE publication SET size = size + 1000 WHERE number = 4`,
		`DELETE FROM remessa_piece WHERE remessa_id = ` + thirdOfCCB,
		`DELETE FROM remessa WHERE body = 'CCB' AND sequence = 6`,
		`UPDATE body SET sequence = 1 WHERE sigla = 'CCB'`,
		`DELETE FROM audit_event WHERE kind = 'remessa.received' AND subject = 'remessa:CCB/1'`,
		`DELETE FROM job WHERE job_key = 'mail:resultado-CCB-1'`,
		`UPDATE aux_release SET signed = 'x' WHERE body = 'CCB'`,
		`DELETE FROM record WHERE kind = 'produto' AND body = 'DOC'`,
	} {
		run(s)(t, raw)
	}
	compare(t, b, e, []string{"verify.content.hash", "verify.content.canonical", "verify.record.newest", "verify.record.key",
		"verify.head.root", "verify.publication.size", "verify.checkpoint.head", "verify.piece.size", "verify.piece.orphan",
		"verify.remessa.body", "verify.audit.received", "verify.audit.remessa_lost", "verify.job.mail", "verify.release.form",
		"verify.record.missing", "verify.link.unknown"}, ledgerFollows)
}
