-- +goose Up

-- Where the gap in a room's history begins that a session fills, or has left open: see core.History.
ALTER TABLE archive_rooms ADD COLUMN gap        INTEGER NOT NULL DEFAULT 0; -- 1: there is one
ALTER TABLE archive_rooms ADD COLUMN gap_at     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE archive_rooms ADD COLUMN gap_remote TEXT    NOT NULL DEFAULT '';
