-- +goose Up
CREATE TABLE person (
	id           TEXT PRIMARY KEY CHECK (id <> ''),
	cpf          TEXT NOT NULL UNIQUE CHECK (length(cpf) = 11),
	revision     BIGINT NOT NULL CHECK (revision >= 1),
	level        TEXT NOT NULL CHECK (level IN ('', 'bronze', 'prata', 'ouro')),
	level_at     BIGINT,
	created_at   BIGINT NOT NULL,
	signed_in_at BIGINT,
	CHECK ((level = '') = (level_at IS NULL))
);

-- What each source says of a person; the person's own word stands beside gov.br's.
CREATE TABLE person_fact (
	person_id TEXT NOT NULL REFERENCES person (id),
	field     TEXT NOT NULL CHECK (field IN ('nome', 'nome_social', 'email', 'telefone')),
	source    TEXT NOT NULL CHECK (source IN ('govbr', 'pessoa')),
	value     TEXT NOT NULL CHECK (value <> ''),
	verified  BIGINT NOT NULL CHECK (verified IN (0, 1)),
	at        BIGINT NOT NULL,
	PRIMARY KEY (person_id, field, source),
	CHECK (source = 'govbr' OR verified = 0),
	CHECK (source = 'govbr' OR field <> 'nome')
);

CREATE TABLE person_selo (
	person_id TEXT NOT NULL REFERENCES person (id),
	number    TEXT NOT NULL CHECK (number <> ''),
	at        BIGINT,
	PRIMARY KEY (person_id, number)
);

CREATE TABLE person_company (
	person_id TEXT NOT NULL REFERENCES person (id),
	cnpj      TEXT NOT NULL CHECK (length(cnpj) = 14),
	how       TEXT NOT NULL CHECK (how IN ('certificado', 'empresas')),
	position  BIGINT NOT NULL,
	name      TEXT NOT NULL,
	role      TEXT NOT NULL,
	until     BIGINT,
	at        BIGINT NOT NULL,
	PRIMARY KEY (person_id, cnpj, how)
);

CREATE TABLE person_consent (
	id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	person_id    TEXT NOT NULL REFERENCES person (id),
	what         TEXT NOT NULL CHECK (what <> ''),
	text         TEXT NOT NULL CHECK (text <> ''),
	given_at     BIGINT NOT NULL,
	withdrawn_at BIGINT
);
CREATE UNIQUE INDEX person_consent_holds ON person_consent (person_id, what) WHERE withdrawn_at IS NULL;
CREATE INDEX person_consent_person ON person_consent (person_id, id);

CREATE TABLE person_photo (
	person_id TEXT PRIMARY KEY REFERENCES person (id),
	type      TEXT NOT NULL,
	data      BYTEA NOT NULL,
	at        BIGINT NOT NULL
);

-- Who looked at a person's data; never changed.
CREATE TABLE person_access (
	id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	person_id TEXT NOT NULL REFERENCES person (id),
	at        BIGINT NOT NULL,
	actor     TEXT NOT NULL CHECK (actor <> ''),
	purpose   TEXT NOT NULL CHECK (purpose <> ''),
	what      TEXT NOT NULL CHECK (what <> '')
);
CREATE INDEX person_access_person ON person_access (person_id, id);
-- +goose StatementBegin
CREATE FUNCTION person_access_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'accesses are never changed or deleted';
END $$;
-- +goose StatementEnd
CREATE TRIGGER person_access_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON person_access
	FOR EACH STATEMENT EXECUTE FUNCTION person_access_refuse();

-- A session's token is with its browser; here is its hash.
CREATE TABLE session (
	id           TEXT PRIMARY KEY CHECK (id <> ''),
	person_id    TEXT NOT NULL REFERENCES person (id),
	token_hash   BYTEA NOT NULL UNIQUE CHECK (length(token_hash) = 32),
	state        TEXT NOT NULL CHECK (state IN ('ativa', 'encerrada', 'revogada', 'substituida')),
	created_at   BIGINT NOT NULL,
	signed_in_at BIGINT NOT NULL,
	used_at      BIGINT NOT NULL,
	ended_at     BIGINT,
	agent        TEXT NOT NULL,
	network      TEXT NOT NULL,
	level        TEXT NOT NULL,
	two_factor   BIGINT NOT NULL CHECK (two_factor IN (0, 1)),
	cnpj         TEXT NOT NULL,
	CHECK ((state = 'ativa') = (ended_at IS NULL))
);
CREATE INDEX session_active ON session (person_id, used_at) WHERE state = 'ativa';
CREATE INDEX session_used ON session (used_at);

-- Sign-ins under way; used once.
CREATE TABLE sign_in (
	state_hash   BYTEA PRIMARY KEY CHECK (length(state_hash) = 32),
	browser_hash BYTEA NOT NULL CHECK (length(browser_hash) = 32),
	nonce        TEXT NOT NULL,
	verifier     TEXT NOT NULL,
	return_path  TEXT NOT NULL,
	network      TEXT NOT NULL,
	until        BIGINT NOT NULL
);
CREATE INDEX sign_in_until ON sign_in (until);
CREATE INDEX sign_in_network ON sign_in (network, until);
CREATE INDEX sign_in_browser ON sign_in (browser_hash, until);
