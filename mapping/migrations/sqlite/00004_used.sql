-- +goose Up

-- The account, of several of the user's on the network that reach the contact, in which this is the greatest is the one
-- that the conversation went through last. 0: it never did, or there was no other.
ALTER TABLE contacts ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
