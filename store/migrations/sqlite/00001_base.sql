-- +goose Up
CREATE TABLE audit_event (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	at      INTEGER NOT NULL, -- microseconds since 1970, UTC
	kind    TEXT NOT NULL CHECK (kind <> ''),
	subject TEXT NOT NULL,
	actor   TEXT NOT NULL,
	detail  TEXT NOT NULL -- JSON object
);
CREATE INDEX audit_event_subject ON audit_event (subject, id);

-- +goose StatementBegin
CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END;
-- +goose StatementEnd

CREATE TABLE job (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	kind        TEXT NOT NULL CHECK (kind <> ''),
	job_key     TEXT NOT NULL DEFAULT '',
	args        TEXT NOT NULL, -- JSON
	state       TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
	run_at      INTEGER NOT NULL,
	attempts    INTEGER NOT NULL DEFAULT 0,
	token       TEXT NOT NULL DEFAULT '',
	lease_until INTEGER,
	last_error  TEXT NOT NULL DEFAULT '',
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL,
	CHECK ((state = 'running') = (lease_until IS NOT NULL))
);
CREATE UNIQUE INDEX job_unfinished_key ON job (kind, job_key)
	WHERE job_key <> '' AND state IN ('queued', 'running');
CREATE INDEX job_queued ON job (run_at, id) WHERE state = 'queued';
CREATE INDEX job_running ON job (lease_until, id) WHERE state = 'running';
CREATE INDEX job_ended ON job (state, updated_at) WHERE state IN ('done', 'failed');
