-- +goose Up

-- Local parts of JIDs for addresses that none can hold as they are. A row stays for good: who has written from an alias is
-- found under it.
CREATE TABLE aliases (
	network TEXT NOT NULL,
	alias   TEXT NOT NULL,
	address TEXT NOT NULL, -- as core.Transport.Format writes it, in its exact case
	PRIMARY KEY (network, alias)
) STRICT, WITHOUT ROWID;
