-- +goose Up

-- Times are milliseconds since 1970.

-- A file that a user was given: in our own folder, or with the upload service of the host server.
CREATE TABLE media (
	id      TEXT    NOT NULL PRIMARY KEY, -- the digest of user, content, name and type: the same file is kept once
	user_id TEXT    NOT NULL,
	digest  TEXT    NOT NULL, -- SHA-256 of the content, in hex: what it is called in the folder
	name    TEXT    NOT NULL,
	type    TEXT    NOT NULL,
	size    INTEGER NOT NULL, -- bytes
	token   TEXT    NOT NULL, -- the part of our URL that nobody can guess; empty: it is with the upload service
	url     TEXT    NOT NULL, -- of the upload service; empty: it is here
	expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX media_token ON media (token) WHERE token <> '';
CREATE INDEX media_space ON media (user_id, size) WHERE token <> '';
CREATE INDEX media_digest ON media (digest) WHERE token <> '';
CREATE INDEX media_expires ON media (expires);
