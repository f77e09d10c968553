-- +goose Up

-- Who uses the gateway, or asked to. standing is core.Standing, and never 0: who is not known has no row.
CREATE TABLE people (
	user_id    TEXT PRIMARY KEY NOT NULL,
	standing   INTEGER NOT NULL CHECK (standing BETWEEN 1 AND 3),
	since      INTEGER NOT NULL,
	changed    INTEGER NOT NULL,
	invited_by TEXT NOT NULL,
	network    TEXT NOT NULL,  -- where they asked to be let in
	note       TEXT NOT NULL,
	language   TEXT NOT NULL,
	messages   INTEGER NOT NULL  -- a minute; 0: as the configuration says
) STRICT, WITHOUT ROWID;
CREATE INDEX people_pending ON people (changed) WHERE standing = 1;
INSERT INTO people (user_id, standing, since, changed, invited_by, network, note, language, messages)
	SELECT user_id, 2, min(created), min(created), '', '', '', '', 0 FROM accounts GROUP BY user_id;

-- What users chose: core.Preferences as JSON.
CREATE TABLE preferences (
	user_id TEXT NOT NULL,
	network TEXT NOT NULL,
	chosen  TEXT NOT NULL,
	PRIMARY KEY (user_id, network)
) STRICT, WITHOUT ROWID;

-- Invitations. The token itself is nowhere: hash is its SHA-256, of 160 random bits. id is its public name.
CREATE TABLE invites (
	id      TEXT PRIMARY KEY NOT NULL,
	hash    BLOB NOT NULL UNIQUE,
	network TEXT NOT NULL,  -- empty: any
	made_by TEXT NOT NULL,
	note    TEXT NOT NULL,
	uses    INTEGER NOT NULL,  -- left
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL   -- 0: never
) STRICT, WITHOUT ROWID;
CREATE INDEX invites_expires ON invites (expires) WHERE expires > 0;

-- Blocked lists an account's blocked correspondents without reading its others.
CREATE INDEX contacts_blocked ON contacts (account, folded) WHERE blocked = 1;

-- The user has put it on their list; others are known from mail and the like only.
ALTER TABLE contacts ADD COLUMN listed INTEGER NOT NULL DEFAULT 1 CHECK (listed IN (0, 1));
