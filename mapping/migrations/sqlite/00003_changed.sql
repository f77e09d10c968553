-- +goose Up

-- When a message came into its state; 0: before this was kept.
ALTER TABLE messages ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
