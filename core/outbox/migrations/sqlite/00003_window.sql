-- +goose Up

-- What is held (core.Window), by its lane. The index has no other rows.
CREATE INDEX outbox_held ON outbox (network, lane) WHERE direction = 2;
