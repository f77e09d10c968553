-- +goose Up

-- The user has written to the contact, or let them in (core.Requests).
ALTER TABLE contacts ADD COLUMN welcome INTEGER NOT NULL DEFAULT 0 CHECK (welcome IN (0, 1));

-- What strangers have sent, until its account's user lets them in: events of core, as EncodeEvent writes them. name tells
-- a message from its repetition.
CREATE TABLE requests (
	seq     INTEGER PRIMARY KEY,
	account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
	folded  TEXT NOT NULL,
	address TEXT NOT NULL,
	name    TEXT NOT NULL,
	kind    TEXT NOT NULL,
	body    TEXT NOT NULL,
	at      INTEGER NOT NULL,
	UNIQUE (account, folded, name)
) STRICT;
