-- +goose Up
CREATE TABLE audit_event (
	id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at      BIGINT NOT NULL, -- microseconds since 1970, UTC
	kind    TEXT NOT NULL CHECK (kind <> ''),
	subject TEXT NOT NULL,
	actor   TEXT NOT NULL,
	detail  TEXT NOT NULL -- JSON object
);
CREATE INDEX audit_event_subject ON audit_event (subject, id);

-- +goose StatementBegin
CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'audit events are never changed or deleted';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
	FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse();

CREATE TABLE job (
	id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind        TEXT NOT NULL CHECK (kind <> ''),
	job_key     TEXT NOT NULL DEFAULT '',
	args        TEXT NOT NULL, -- JSON
	state       TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
	run_at      BIGINT NOT NULL,
	attempts    INTEGER NOT NULL DEFAULT 0,
	token       TEXT NOT NULL DEFAULT '',
	lease_until BIGINT,
	last_error  TEXT NOT NULL DEFAULT '',
	created_at  BIGINT NOT NULL,
	updated_at  BIGINT NOT NULL,
	CHECK ((state = 'running') = (lease_until IS NOT NULL))
);
CREATE UNIQUE INDEX job_unfinished_key ON job (kind, job_key)
	WHERE job_key <> '' AND state IN ('queued', 'running');
CREATE INDEX job_queued ON job (run_at, id) WHERE state = 'queued';
CREATE INDEX job_running ON job (lease_until, id) WHERE state = 'running';
CREATE INDEX job_ended ON job (state, updated_at) WHERE state IN ('done', 'failed');
