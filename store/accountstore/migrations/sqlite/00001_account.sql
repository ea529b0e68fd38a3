-- +goose Up
CREATE TABLE person (
	id           TEXT PRIMARY KEY CHECK (id <> ''),
	cpf          TEXT NOT NULL UNIQUE CHECK (length(cpf) = 11),
	revision     INTEGER NOT NULL CHECK (revision >= 1),
	level        TEXT NOT NULL CHECK (level IN ('', 'bronze', 'prata', 'ouro')),
	level_at     INTEGER,
	created_at   INTEGER NOT NULL,
	signed_in_at INTEGER,
	CHECK ((level = '') = (level_at IS NULL))
);

-- What each source says of a person; the person's own word stands beside gov.br's.
CREATE TABLE person_fact (
	person_id TEXT NOT NULL REFERENCES person (id),
	field     TEXT NOT NULL CHECK (field IN ('nome', 'nome_social', 'email', 'telefone')),
	source    TEXT NOT NULL CHECK (source IN ('govbr', 'pessoa')),
	value     TEXT NOT NULL CHECK (value <> ''),
	verified  INTEGER NOT NULL CHECK (verified IN (0, 1)),
	at        INTEGER NOT NULL,
	PRIMARY KEY (person_id, field, source),
	CHECK (source = 'govbr' OR verified = 0),
	CHECK (source = 'govbr' OR field <> 'nome')
);

CREATE TABLE person_selo (
	person_id TEXT NOT NULL REFERENCES person (id),
	number    TEXT NOT NULL CHECK (number <> ''),
	at        INTEGER,
	PRIMARY KEY (person_id, number)
);

CREATE TABLE person_company (
	person_id TEXT NOT NULL REFERENCES person (id),
	cnpj      TEXT NOT NULL CHECK (length(cnpj) = 14),
	how       TEXT NOT NULL CHECK (how IN ('certificado', 'empresas')),
	position  INTEGER NOT NULL,
	name      TEXT NOT NULL,
	role      TEXT NOT NULL,
	until     INTEGER,
	at        INTEGER NOT NULL,
	PRIMARY KEY (person_id, cnpj, how)
);

CREATE TABLE person_consent (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	person_id    TEXT NOT NULL REFERENCES person (id),
	what         TEXT NOT NULL CHECK (what <> ''),
	text         TEXT NOT NULL CHECK (text <> ''),
	given_at     INTEGER NOT NULL,
	withdrawn_at INTEGER
);
CREATE UNIQUE INDEX person_consent_holds ON person_consent (person_id, what) WHERE withdrawn_at IS NULL;
CREATE INDEX person_consent_person ON person_consent (person_id, id);

CREATE TABLE person_photo (
	person_id TEXT PRIMARY KEY REFERENCES person (id),
	type      TEXT NOT NULL,
	data      BLOB NOT NULL,
	at        INTEGER NOT NULL
);

-- Who looked at a person's data; never changed.
CREATE TABLE person_access (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	person_id TEXT NOT NULL REFERENCES person (id),
	at        INTEGER NOT NULL,
	actor     TEXT NOT NULL CHECK (actor <> ''),
	purpose   TEXT NOT NULL CHECK (purpose <> ''),
	what      TEXT NOT NULL CHECK (what <> '')
);
CREATE INDEX person_access_person ON person_access (person_id, id);
-- +goose StatementBegin
CREATE TRIGGER person_access_no_update BEFORE UPDATE ON person_access
BEGIN SELECT RAISE(ABORT, 'accesses are never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER person_access_no_delete BEFORE DELETE ON person_access
BEGIN SELECT RAISE(ABORT, 'accesses are never deleted'); END;
-- +goose StatementEnd

-- A session's token is with its browser; here is its hash.
CREATE TABLE session (
	id           TEXT PRIMARY KEY CHECK (id <> ''),
	person_id    TEXT NOT NULL REFERENCES person (id),
	token_hash   BLOB NOT NULL UNIQUE CHECK (length(token_hash) = 32),
	state        TEXT NOT NULL CHECK (state IN ('ativa', 'encerrada', 'revogada', 'substituida')),
	created_at   INTEGER NOT NULL,
	signed_in_at INTEGER NOT NULL,
	used_at      INTEGER NOT NULL,
	ended_at     INTEGER,
	agent        TEXT NOT NULL,
	network      TEXT NOT NULL,
	level        TEXT NOT NULL,
	two_factor   INTEGER NOT NULL CHECK (two_factor IN (0, 1)),
	cnpj         TEXT NOT NULL,
	CHECK ((state = 'ativa') = (ended_at IS NULL))
);
CREATE INDEX session_active ON session (person_id, used_at) WHERE state = 'ativa';
CREATE INDEX session_used ON session (used_at);

-- Sign-ins under way; used once.
CREATE TABLE sign_in (
	state_hash   BLOB PRIMARY KEY CHECK (length(state_hash) = 32),
	browser_hash BLOB NOT NULL CHECK (length(browser_hash) = 32),
	nonce        TEXT NOT NULL,
	verifier     TEXT NOT NULL,
	return_path  TEXT NOT NULL,
	network      TEXT NOT NULL,
	until        INTEGER NOT NULL
);
CREATE INDEX sign_in_until ON sign_in (until);
CREATE INDEX sign_in_network ON sign_in (network, until);
CREATE INDEX sign_in_browser ON sign_in (browser_hash, until);
