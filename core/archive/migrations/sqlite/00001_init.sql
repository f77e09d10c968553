-- Times are milliseconds since 1970, UTC. Empty text and 0 stand for "none".

-- +goose Up

-- A room as one account knows it.
CREATE TABLE archive_rooms (
	room    INTEGER PRIMARY KEY,
	account TEXT NOT NULL,
	peer    TEXT NOT NULL,
	UNIQUE (account, peer)
) STRICT;

-- What was said, in order of (at, seq). There is no foreign key: rooms are emptied in slices.
CREATE TABLE archive (
	seq          INTEGER PRIMARY KEY,
	room         INTEGER NOT NULL,
	at           INTEGER NOT NULL,
	id           TEXT    NOT NULL, -- the stanza-id
	remote       TEXT    NOT NULL, -- the network's name of a message
	origin       TEXT    NOT NULL, -- the id that one of the user's clients gave it
	author       TEXT    NOT NULL,
	said         INTEGER NOT NULL, -- a hash of the author and the text of a message
	about        TEXT    NOT NULL, -- the id of the message that this corrects
	retracted    TEXT    NOT NULL, -- the id of the retraction that emptied this
	retracted_at INTEGER NOT NULL,
	event        TEXT    NOT NULL, -- core.EventName
	body         BLOB    NOT NULL  -- core.EncodeEvent, less what the columns say
) STRICT;
CREATE INDEX archive_at ON archive (room, at, seq);
CREATE UNIQUE INDEX archive_id ON archive (room, id);
CREATE UNIQUE INDEX archive_remote ON archive (room, remote) WHERE remote <> '';
CREATE INDEX archive_origin ON archive (room, origin) WHERE origin <> '';
CREATE INDEX archive_about ON archive (room, about) WHERE about <> '';
CREATE INDEX archive_said ON archive (room, said, at);
