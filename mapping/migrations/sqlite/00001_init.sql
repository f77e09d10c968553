-- Times are milliseconds since 1970, UTC. Columns named folded or alias_key hold Fold of the column before them.
-- Empty text stands for "none": it compares the same in every database.

-- +goose Up

-- Which keys have sealed secrets here, each with a proof that only the right key opens.
CREATE TABLE vault (
	key_id TEXT PRIMARY KEY NOT NULL,
	proof  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
	id      TEXT PRIMARY KEY NOT NULL,
	user_id TEXT NOT NULL,
	network TEXT NOT NULL,
	realm   TEXT NOT NULL,
	own     TEXT NOT NULL,
	name    TEXT NOT NULL,
	secret  BLOB,           -- sealed; NULL: none
	options TEXT NOT NULL,  -- a JSON object
	created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_user ON accounts (user_id, network, realm, created);
CREATE INDEX accounts_network ON accounts (network);

CREATE TABLE contacts (
	account   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
	folded    TEXT NOT NULL,
	address   TEXT NOT NULL,
	name      TEXT NOT NULL,
	alias     TEXT NOT NULL,
	alias_key TEXT NOT NULL,
	blocked   INTEGER NOT NULL CHECK (blocked IN (0, 1)),
	created   INTEGER NOT NULL,
	PRIMARY KEY (account, folded)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX contacts_alias ON contacts (account, alias_key) WHERE alias_key <> '';

-- People's own addresses. The primary key is what makes an address have one owner. A row without an account is free
-- from free_at on; until then, or for ever if free_at is -1, only user_id may take it again.
CREATE TABLE owned (
	network TEXT NOT NULL,
	realm   TEXT NOT NULL,
	folded  TEXT NOT NULL,
	address TEXT NOT NULL,
	account TEXT REFERENCES accounts (id),
	user_id TEXT NOT NULL,  -- who has it or had it last; empty: nobody, or somebody who has been erased
	pool    INTEGER NOT NULL CHECK (pool IN (0, 1)),  -- kept in stock by the administrator
	free_at INTEGER NOT NULL,
	since   INTEGER NOT NULL,
	PRIMARY KEY (network, folded, realm)
) STRICT, WITHOUT ROWID;
CREATE INDEX owned_account ON owned (account) WHERE account IS NOT NULL;
CREATE INDEX owned_user ON owned (user_id);

-- Who had an address when: numbers are recycled, and somebody may have to answer for one.
CREATE TABLE tenure (
	seq     INTEGER PRIMARY KEY,
	network TEXT NOT NULL,
	realm   TEXT NOT NULL,
	folded  TEXT NOT NULL,
	account TEXT NOT NULL,
	user_id TEXT NOT NULL,
	began   INTEGER NOT NULL,
	ended   INTEGER NOT NULL  -- 0: it has not
) STRICT;
CREATE INDEX tenure_address ON tenure (network, folded);
CREATE INDEX tenure_user ON tenure (user_id);

-- The names of messages. at is when the row was made, so that rows are in its order by seq. told is the last state
-- that a receipt was queued for. There is no foreign key: a message may outlive its account by a moment.
CREATE TABLE messages (
	seq         INTEGER PRIMARY KEY,
	id          TEXT NOT NULL UNIQUE,
	account     TEXT NOT NULL,
	peer        TEXT NOT NULL,
	origin_id   TEXT NOT NULL,
	origin_from TEXT NOT NULL,
	remote      TEXT NOT NULL,
	thread      TEXT NOT NULL,
	mine        INTEGER NOT NULL CHECK (mine IN (0, 1)),
	state       INTEGER NOT NULL,  -- core.State
	told        INTEGER NOT NULL,
	at          INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_remote ON messages (account, remote) WHERE remote <> '';
CREATE INDEX messages_origin ON messages (account, origin_id) WHERE origin_id <> '';

CREATE TABLE notes (
	network TEXT NOT NULL,
	name    TEXT NOT NULL,
	value   BLOB NOT NULL,
	expires INTEGER NOT NULL,  -- 0: never
	PRIMARY KEY (network, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX notes_expires ON notes (expires) WHERE expires > 0;
