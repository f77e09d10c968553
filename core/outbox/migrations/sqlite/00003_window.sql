-- +goose Up

-- Which item of the outbox is held (core.Window) in a lane. An index of the outbox would be read for every row of it that is
-- deleted.
CREATE TABLE outbox_window (
    network TEXT    NOT NULL,
    lane    TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (network, lane)
) STRICT, WITHOUT ROWID;
