-- +goose Up
-- Whose base this is: a process with other keys would sign what nobody can check.
CREATE TABLE identity (
	id        BIGINT PRIMARY KEY CHECK (id = 1),
	origin    TEXT NOT NULL,
	sign_key  BYTEA NOT NULL,
	agree_key BYTEA NOT NULL
);

CREATE TABLE body (
	sigla         TEXT PRIMARY KEY CHECK (sigla <> ''),
	name          TEXT NOT NULL,
	email         TEXT NOT NULL,
	accreditation TEXT NOT NULL,
	sign_key      BYTEA NOT NULL,
	agree_key     BYTEA NOT NULL,
	active        BIGINT NOT NULL CHECK (active IN (0, 1)),
	enrolled_at   BIGINT NOT NULL,
	sequence      BIGINT NOT NULL CHECK (sequence >= 0),
	digest        BYTEA NOT NULL CHECK (length(digest) = 32)
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
	number BIGINT NOT NULL CHECK (number >= 1),
	at     BIGINT NOT NULL,
	signed TEXT NOT NULL,
	PRIMARY KEY (body, number)
);

CREATE TABLE remessa (
	id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	body          TEXT NOT NULL REFERENCES body,
	sequence      BIGINT NOT NULL CHECK (sequence >= 1),
	digest        BYTEA NOT NULL CHECK (length(digest) = 32),
	previous      BYTEA NOT NULL CHECK (length(previous) = 32),
	scope         TEXT NOT NULL CHECK (scope IN ('parcial', 'completa')),
	certificates  BIGINT NOT NULL,
	companies     BIGINT NOT NULL,
	products      BIGINT NOT NULL,
	size          BIGINT NOT NULL,
	state         TEXT NOT NULL CHECK (state IN ('recebida', 'confirmada', 'invalidada')),
	received_at   BIGINT NOT NULL,
	processed_at  BIGINT,
	applied       BIGINT NOT NULL DEFAULT 0,
	first_index   BIGINT,
	reasons       TEXT NOT NULL DEFAULT '[]', -- JSON
	total_reasons BIGINT NOT NULL DEFAULT 0,
	UNIQUE (body, sequence),
	CHECK ((state = 'recebida') = (processed_at IS NULL)),
	CHECK ((state = 'confirmada') = (first_index IS NOT NULL)),
	CHECK ((state = 'invalidada') = (total_reasons > 0))
);
-- One outstanding remessa per body (manual 1.4).
CREATE UNIQUE INDEX remessa_outstanding ON remessa (body) WHERE state = 'recebida';
CREATE INDEX remessa_ledger ON remessa (first_index) WHERE applied > 0;

CREATE TABLE remessa_piece (
	remessa_id BIGINT NOT NULL REFERENCES remessa (id),
	n          BIGINT NOT NULL,
	data       BYTEA NOT NULL,
	PRIMARY KEY (remessa_id, n)
);

-- The ledger index of a revision is its remessa's first_index plus its position.
CREATE TABLE revision (
	remessa_id BIGINT NOT NULL REFERENCES remessa (id),
	position   BIGINT NOT NULL,
	record_id  TEXT NOT NULL,
	kind       TEXT NOT NULL CHECK (kind IN ('empresa', 'produto', 'certificado')),
	number     BIGINT NOT NULL CHECK (number >= 1),
	hash       BYTEA NOT NULL CHECK (length(hash) = 32),
	content    BYTEA NOT NULL, -- canonical JSON, byte for byte
	PRIMARY KEY (remessa_id, position)
);
CREATE UNIQUE INDEX revision_record ON revision (record_id, number);

CREATE TABLE record (
	id         TEXT PRIMARY KEY,
	body       TEXT NOT NULL REFERENCES body,
	kind       TEXT NOT NULL,
	record_key BYTEA NOT NULL CHECK (length(record_key) = 32),
	number     BIGINT NOT NULL,
	hash       BYTEA NOT NULL,
	remessa_id BIGINT NOT NULL,
	position   BIGINT NOT NULL,
	imported   BIGINT NOT NULL CHECK (imported IN (0, 1))
);
CREATE UNIQUE INDEX record_key ON record (body, kind, record_key);

-- Nothing accepted is ever changed or deleted (FAQ 3.22).
-- +goose StatementBegin
CREATE FUNCTION revision_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'accepted revisions are never changed or deleted';
END $$;
-- +goose StatementEnd
CREATE TRIGGER revision_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON revision
	FOR EACH STATEMENT EXECUTE FUNCTION revision_refuse();

CREATE TABLE ledger_head (
	id   BIGINT PRIMARY KEY CHECK (id = 1),
	size BIGINT NOT NULL CHECK (size >= 0),
	root BYTEA NOT NULL CHECK (length(root) = 32)
);
INSERT INTO ledger_head (id, size, root) VALUES (1, 0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');

CREATE TABLE ledger_tile (
	level BIGINT NOT NULL,
	n     BIGINT NOT NULL,
	data  BYTEA NOT NULL,
	PRIMARY KEY (level, n)
);

CREATE TABLE publication (
	number     BIGINT PRIMARY KEY CHECK (number >= 1),
	at         BIGINT NOT NULL,
	size       BIGINT NOT NULL,
	root       BYTEA NOT NULL,
	checkpoint TEXT NOT NULL,
	reference  TEXT NOT NULL -- JSON
);
