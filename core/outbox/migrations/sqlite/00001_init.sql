-- +goose Up

-- Times are microseconds since 1970; 0 stands for none.

-- An event on its way. Finished ones are deleted.
CREATE TABLE outbox (
    seq        INTEGER PRIMARY KEY, -- the order of acceptance; never used again: see outbox_high
    direction  INTEGER NOT NULL,
    network    TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    lane       TEXT    NOT NULL,
    dedup      TEXT    NOT NULL, -- core.Item.Key; outbox_seen is what finds duplicates
    event      TEXT    NOT NULL, -- core.EventName
    body       BLOB    NOT NULL, -- core.EncodeEvent
    queued     INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    begun      INTEGER NOT NULL DEFAULT 0, -- when an attempt of unknown outcome began
    panics     INTEGER NOT NULL DEFAULT 0, -- of the handler over it
    error      TEXT    NOT NULL DEFAULT '' -- core.Error of the last attempt, as JSON
) STRICT;

-- No seq above this has been given out. It is raised by many at a time: after a restart a few numbers are left out.
CREATE TABLE outbox_high (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    seq  INTEGER NOT NULL
) STRICT;
INSERT INTO outbox_high (only, seq) VALUES (1, 0);

-- A dead letter: an event that was given up, and why.
CREATE TABLE outbox_dead (
    seq        INTEGER PRIMARY KEY,
    direction  INTEGER NOT NULL,
    network    TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    lane       TEXT    NOT NULL,
    dedup      TEXT    NOT NULL,
    event      TEXT    NOT NULL,
    body       BLOB    NOT NULL,
    queued     INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    error      TEXT    NOT NULL,
    died       INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_dead_user ON outbox_dead (user_id, seq);
CREATE INDEX outbox_dead_network ON outbox_dead (direction, network);
CREATE INDEX outbox_dead_died ON outbox_dead (died);

-- What was accepted before, by the digest of direction, network and key. New digests are appended to outbox_seen_new,
-- one row for all those of a transaction, which is cheap, and are merged into outbox_seen in sorted order, many at a
-- time.
CREATE TABLE outbox_seen (
    id      BLOB    NOT NULL PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox_seen_new (
    seq     INTEGER PRIMARY KEY, -- of the first item
    digests BLOB    NOT NULL     -- 16 bytes of digest and 8 of expiry (big-endian) for each
) STRICT;

-- What somebody outside the running queue wants done to a row of outbox.
CREATE TABLE outbox_order (
    seq  INTEGER PRIMARY KEY,
    verb TEXT    NOT NULL CHECK (verb IN ('retry', 'revive', 'drop'))
) STRICT;
