-- +goose Up

-- An order may also be to erase: to drop without a word, also what has become a dead letter meanwhile.
CREATE TABLE outbox_order_new (
    seq  INTEGER PRIMARY KEY,
    verb TEXT    NOT NULL CHECK (verb IN ('retry', 'revive', 'drop', 'erase'))
) STRICT;
INSERT INTO outbox_order_new (seq, verb) SELECT seq, verb FROM outbox_order;
DROP TABLE outbox_order;
ALTER TABLE outbox_order_new RENAME TO outbox_order;
