-- +goose Up

-- A message that went within another one (core.Held) says which; and that one says which went within it, separated by
-- spaces.
ALTER TABLE messages ADD COLUMN whole TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN parts TEXT NOT NULL DEFAULT '';
