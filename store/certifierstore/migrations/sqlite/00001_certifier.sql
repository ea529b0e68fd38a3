-- +goose Up
CREATE TABLE setting (
	name  TEXT PRIMARY KEY CHECK (name <> ''),
	value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE auxiliary_tables (
	number     INTEGER PRIMARY KEY CHECK (number > 0),
	content    BLOB NOT NULL, -- JSON
	applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE record (
	id          TEXT PRIMARY KEY CHECK (length(id) = 36),
	kind        TEXT NOT NULL CHECK (kind IN ('empresa', 'produto', 'certificado')),
	key         BLOB CHECK (length(key) = 32), -- NULL: nothing identifies it, or it is retired
	version     INTEGER NOT NULL CHECK (version > 0),
	imported    INTEGER NOT NULL CHECK (imported IN (0, 1)),
	situation   TEXT NOT NULL CHECK (situation IN ('', 'ativo', 'suspenso', 'cancelado')),
	class       TEXT NOT NULL,
	issued_on   TEXT NOT NULL, -- ISO date or ''
	valid_until TEXT NOT NULL,
	created_at  INTEGER NOT NULL,
	created_by  TEXT NOT NULL,
	changed_at  INTEGER NOT NULL,
	changed_by  TEXT NOT NULL,
	label       TEXT NOT NULL,
	folded      TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_key ON record (kind, key) WHERE key IS NOT NULL;
CREATE INDEX record_origin ON record (id, imported) WHERE kind = 'produto';
CREATE INDEX record_label ON record (kind, label, id);

CREATE TABLE draft (
	record   TEXT PRIMARY KEY REFERENCES record (id),
	kind     TEXT NOT NULL,
	pending  INTEGER NOT NULL CHECK (pending >= 0),
	saved_at INTEGER NOT NULL,
	saved_by TEXT NOT NULL,
	content  BLOB NOT NULL -- JSON
) STRICT;
CREATE INDEX draft_kind ON draft (kind, record);

-- What a certificate refers to. The target may not exist yet while it is a draft.
CREATE TABLE link (
	certificate TEXT NOT NULL REFERENCES record (id),
	target      TEXT NOT NULL,
	PRIMARY KEY (certificate, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_target ON link (target, certificate);

CREATE TABLE revision (
	sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
	record      TEXT NOT NULL REFERENCES record (id),
	kind        TEXT NOT NULL CHECK (kind IN ('empresa', 'produto', 'certificado')),
	number      INTEGER NOT NULL CHECK (number > 0),
	hash        BLOB NOT NULL CHECK (length(hash) = 32),
	state       TEXT NOT NULL CHECK (state IN
		('aprovada', 'em_remessa', 'aceita', 'substituida', 'superada', 'reaberta')),
	approved_at INTEGER NOT NULL,
	approved_by TEXT NOT NULL,
	content     BLOB NOT NULL -- canonical JSON
) STRICT;
CREATE INDEX revision_record ON revision (record, sequence);
-- A record has at most one revision that waits, one that travels and one that is accepted.
CREATE UNIQUE INDEX revision_approved ON revision (kind, record) WHERE state = 'aprovada';
CREATE UNIQUE INDEX revision_travelling ON revision (kind, record) WHERE state = 'em_remessa';
CREATE UNIQUE INDEX revision_accepted ON revision (kind, record) WHERE state = 'aceita';

-- The log is never shortened, and what left the waiting room keeps its content.
-- +goose StatementBegin
CREATE TRIGGER revision_no_delete BEFORE DELETE ON revision
BEGIN SELECT RAISE(ABORT, 'revisions are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER revision_frozen BEFORE UPDATE OF record, kind, number, hash, content ON revision
WHEN OLD.state <> 'aprovada' OR NEW.record <> OLD.record OR NEW.kind <> OLD.kind
BEGIN SELECT RAISE(ABORT, 'only a waiting revision may be linked anew'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER revision_moves BEFORE UPDATE OF state ON revision
WHEN NOT (
	OLD.state = 'aprovada' AND NEW.state IN ('em_remessa', 'superada', 'reaberta')
	OR OLD.state = 'em_remessa' AND NEW.state IN ('aceita', 'aprovada', 'superada')
	OR OLD.state = 'aceita' AND NEW.state IN ('substituida', 'superada'))
BEGIN SELECT RAISE(ABORT, 'this revision may not move there'); END;
-- +goose StatementEnd

CREATE TABLE remessa (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	sequence    INTEGER NOT NULL CHECK (sequence > 0),
	state       TEXT NOT NULL CHECK (state IN ('preparada', 'enviada', 'confirmada', 'invalidada', 'cancelada')),
	scope       TEXT NOT NULL,
	digest      BLOB NOT NULL CHECK (length(digest) = 32),
	previous    BLOB NOT NULL CHECK (length(previous) = 32),
	file        TEXT NOT NULL,
	count       INTEGER NOT NULL,
	prepared_at INTEGER NOT NULL,
	prepared_by TEXT NOT NULL,
	sent_at     INTEGER,
	how         TEXT NOT NULL,
	result_at   INTEGER,
	reasons     TEXT NOT NULL, -- JSON list
	total       INTEGER NOT NULL,
	code        TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX remessa_sequence ON remessa (sequence) WHERE state <> 'cancelada';
CREATE UNIQUE INDEX remessa_outstanding ON remessa ((state <> '')) WHERE state IN ('preparada', 'enviada');

-- What each remessa carried, for ever.
CREATE TABLE remessa_item (
	remessa INTEGER NOT NULL REFERENCES remessa (id),
	kind    TEXT NOT NULL,
	record  TEXT NOT NULL REFERENCES record (id),
	number  INTEGER NOT NULL,
	hash    BLOB NOT NULL CHECK (length(hash) = 32),
	PRIMARY KEY (remessa, kind, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX remessa_item_record ON remessa_item (record, remessa);
