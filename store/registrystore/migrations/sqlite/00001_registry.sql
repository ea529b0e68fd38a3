-- +goose Up
-- Whose base this is: a process with other keys would sign what nobody can check.
CREATE TABLE identity (
	id        INTEGER PRIMARY KEY CHECK (id = 1),
	origin    TEXT NOT NULL,
	sign_key  BLOB NOT NULL,
	agree_key BLOB NOT NULL
);

CREATE TABLE body (
	sigla         TEXT PRIMARY KEY CHECK (sigla <> ''),
	name          TEXT NOT NULL,
	email         TEXT NOT NULL,
	accreditation TEXT NOT NULL,
	sign_key      BLOB NOT NULL,
	agree_key     BLOB NOT NULL,
	active        INTEGER NOT NULL CHECK (active IN (0, 1)),
	enrolled_at   INTEGER NOT NULL,
	sequence      INTEGER NOT NULL CHECK (sequence >= 0),
	digest        BLOB NOT NULL CHECK (length(digest) = 32)
);

CREATE TABLE reference (
	kind    TEXT NOT NULL,
	code    TEXT NOT NULL CHECK (code <> ''),
	content TEXT NOT NULL, -- JSON
	PRIMARY KEY (kind, code)
);

CREATE TABLE scope (
	body          TEXT NOT NULL REFERENCES body,
	class         TEXT NOT NULL,
	service_class TEXT NOT NULL,
	since         TEXT NOT NULL, -- 2025-03-01, or empty for open
	until         TEXT NOT NULL,
	PRIMARY KEY (body, class, service_class, since),
	CHECK ((class = '') <> (service_class = ''))
);

CREATE TABLE aux_release (
	body   TEXT NOT NULL REFERENCES body,
	number INTEGER NOT NULL CHECK (number >= 1),
	at     INTEGER NOT NULL,
	signed TEXT NOT NULL,
	PRIMARY KEY (body, number)
);

CREATE TABLE remessa (
	id            INTEGER PRIMARY KEY AUTOINCREMENT,
	body          TEXT NOT NULL REFERENCES body,
	sequence      INTEGER NOT NULL CHECK (sequence >= 1),
	digest        BLOB NOT NULL CHECK (length(digest) = 32),
	previous      BLOB NOT NULL CHECK (length(previous) = 32),
	scope         TEXT NOT NULL CHECK (scope IN ('parcial', 'completa')),
	certificates  INTEGER NOT NULL,
	companies     INTEGER NOT NULL,
	products      INTEGER NOT NULL,
	size          INTEGER NOT NULL,
	state         TEXT NOT NULL CHECK (state IN ('recebida', 'confirmada', 'invalidada')),
	received_at   INTEGER NOT NULL,
	processed_at  INTEGER,
	applied       INTEGER NOT NULL DEFAULT 0,
	first_index   INTEGER,
	reasons       TEXT NOT NULL DEFAULT '[]', -- JSON
	total_reasons INTEGER NOT NULL DEFAULT 0,
	UNIQUE (body, sequence),
	CHECK ((state = 'recebida') = (processed_at IS NULL)),
	CHECK ((state = 'confirmada') = (first_index IS NOT NULL)),
	CHECK ((state = 'invalidada') = (total_reasons > 0))
);
-- One outstanding remessa per body (manual 1.4).
CREATE UNIQUE INDEX remessa_outstanding ON remessa (body) WHERE state = 'recebida';
CREATE INDEX remessa_ledger ON remessa (first_index) WHERE applied > 0;

CREATE TABLE remessa_piece (
	remessa_id INTEGER NOT NULL REFERENCES remessa (id),
	n          INTEGER NOT NULL,
	data       BLOB NOT NULL,
	PRIMARY KEY (remessa_id, n)
);

-- The ledger index of a revision is its remessa's first_index plus its position.
-- With rowid: without it every certificate would take an overflow page of its own,
-- for an index page keeps at most 1,000 bytes of a row (a base twice as large).
CREATE TABLE revision (
	remessa_id INTEGER NOT NULL REFERENCES remessa (id),
	position   INTEGER NOT NULL,
	record_id  TEXT NOT NULL,
	kind       TEXT NOT NULL CHECK (kind IN ('empresa', 'produto', 'certificado')),
	number     INTEGER NOT NULL CHECK (number >= 1),
	hash       BLOB NOT NULL CHECK (length(hash) = 32),
	content    BLOB NOT NULL, -- canonical JSON, byte for byte
	PRIMARY KEY (remessa_id, position)
);
CREATE UNIQUE INDEX revision_record ON revision (record_id, number);

CREATE TABLE record (
	id         TEXT PRIMARY KEY,
	body       TEXT NOT NULL REFERENCES body,
	kind       TEXT NOT NULL,
	record_key BLOB NOT NULL CHECK (length(record_key) = 32),
	number     INTEGER NOT NULL,
	hash       BLOB NOT NULL,
	remessa_id INTEGER NOT NULL,
	position   INTEGER NOT NULL,
	imported   INTEGER NOT NULL CHECK (imported IN (0, 1))
) WITHOUT ROWID;
CREATE UNIQUE INDEX record_key ON record (body, kind, record_key);

-- Nothing accepted is ever changed or deleted (FAQ 3.22).
-- +goose StatementBegin
CREATE TRIGGER revision_no_update BEFORE UPDATE ON revision
BEGIN SELECT RAISE(ABORT, 'accepted revisions are never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER revision_no_delete BEFORE DELETE ON revision
BEGIN SELECT RAISE(ABORT, 'accepted revisions are never deleted'); END;
-- +goose StatementEnd

CREATE TABLE ledger_head (
	id   INTEGER PRIMARY KEY CHECK (id = 1),
	size INTEGER NOT NULL CHECK (size >= 0),
	root BLOB NOT NULL CHECK (length(root) = 32)
);
INSERT INTO ledger_head (id, size, root) VALUES (1, 0, x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

CREATE TABLE ledger_tile (
	level INTEGER NOT NULL,
	n     INTEGER NOT NULL,
	data  BLOB NOT NULL,
	PRIMARY KEY (level, n)
);

CREATE TABLE publication (
	number     INTEGER PRIMARY KEY CHECK (number >= 1),
	at         INTEGER NOT NULL,
	size       INTEGER NOT NULL,
	root       BLOB NOT NULL,
	checkpoint TEXT NOT NULL,
	reference  TEXT NOT NULL -- JSON
);
