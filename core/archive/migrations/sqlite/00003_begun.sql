-- +goose Up

-- When the account first entered the room, by our own clock: where a gap begins while nothing is kept of it. 0: not known.
ALTER TABLE archive_rooms ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
