package mapping

// All statements of the package, in the part of SQL that SQLite and PostgreSQL share. What differs between them is
// only in the migrations.

const (
	selectVault = `SELECT key_id, proof FROM vault`
	insertVault = `INSERT INTO vault (key_id, proof) VALUES (?, ?) ON CONFLICT (key_id) DO NOTHING`
	deleteVault = `DELETE FROM vault WHERE key_id <> ?`
)

const (
	accountColumns      = `id, user_id, network, realm, own, name, secret, options, created`
	selectAccount       = `SELECT ` + accountColumns + ` FROM accounts WHERE id = ?`
	selectAccountOf     = `SELECT ` + accountColumns + ` FROM accounts WHERE user_id = ? AND network = ? AND realm = ? ORDER BY created, id LIMIT 1`
	selectAnyAccountOf  = `SELECT ` + accountColumns + ` FROM accounts WHERE user_id = ? AND network = ? ORDER BY created, id LIMIT 1`
	selectAllAccountsOf = `SELECT ` + accountColumns + ` FROM accounts WHERE user_id = ? AND network = ? ORDER BY created, id`
	countAccountsOf     = `SELECT count(*) FROM accounts WHERE user_id = ? AND network = ?`
	selectAccounts      = `SELECT ` + accountColumns + ` FROM accounts WHERE network = ? ORDER BY created, id`
	selectAccountsOf    = `SELECT ` + accountColumns + ` FROM accounts WHERE user_id = ? ORDER BY network, realm, created, id`
	selectUsers         = `SELECT DISTINCT user_id FROM accounts ORDER BY user_id`
	selectSealed        = `SELECT id, secret FROM accounts WHERE id > ? AND secret IS NOT NULL ORDER BY id LIMIT ?`
	updateSealed        = `UPDATE accounts SET secret = ? WHERE id = ? AND secret = ?`
	upsertAccount       = `INSERT INTO accounts (` + accountColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET realm = excluded.realm, own = excluded.own, name = excluded.name,
		secret = excluded.secret, options = excluded.options`
	deleteAccount     = `DELETE FROM accounts WHERE id = ?`
	updateAccountUser = `UPDATE accounts SET user_id = ? WHERE user_id = ?`
)

const (
	ownedColumns  = `network, realm, address, account, user_id, pool, free_at, since`
	selectOwned   = `SELECT ` + ownedColumns + ` FROM owned WHERE network = ? AND folded = ? AND realm = ?`
	selectOwners  = `SELECT account FROM owned WHERE network = ? AND folded = ? AND account IS NOT NULL LIMIT 2`
	selectOwnedBy = `SELECT ` + ownedColumns + ` FROM owned WHERE account = ? ORDER BY network, realm, folded`
	selectOwnedOf = `SELECT ` + ownedColumns + ` FROM owned WHERE user_id = ? ORDER BY network, realm, folded`
	selectPool    = `SELECT ` + ownedColumns + ` FROM owned WHERE network = ? AND pool = 1 ORDER BY folded`
	selectFree    = `SELECT ` + ownedColumns + ` FROM owned WHERE network = ? AND pool = 1 AND account IS NULL
		AND free_at >= 0 AND free_at <= ? ORDER BY free_at, folded LIMIT 1`
	insertOwned = `INSERT INTO owned (network, realm, folded, address, account, user_id, pool, free_at, since)
		VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)`
	takeOwned = `UPDATE owned SET address = ?, account = ?, user_id = ?, free_at = 0, since = ?
		WHERE network = ? AND folded = ? AND realm = ? AND account IS NULL`
	respellOwned     = `UPDATE owned SET address = ? WHERE network = ? AND folded = ? AND realm = ?`
	freeOwned        = `UPDATE owned SET account = NULL, free_at = ? WHERE network = ? AND folded = ? AND realm = ?`
	unholdOwned      = `UPDATE owned SET user_id = '', free_at = 0 WHERE network = ? AND folded = ? AND realm = '' AND account IS NULL`
	deleteOwned      = `DELETE FROM owned WHERE network = ? AND folded = ? AND realm = ?`
	stockOwned       = `UPDATE owned SET pool = ? WHERE network = ? AND folded = ? AND realm = ''`
	updateOwnedUser  = `UPDATE owned SET user_id = ? WHERE user_id = ?`
	eraseOwnedUser   = `UPDATE owned SET user_id = '' WHERE user_id = ? AND account IS NULL`
	insertTenure     = `INSERT INTO tenure (network, realm, folded, account, user_id, began, ended) VALUES (?, ?, ?, ?, ?, ?, 0)`
	endTenure        = `UPDATE tenure SET ended = ? WHERE network = ? AND folded = ? AND realm = ? AND ended = 0`
	selectTenure     = `SELECT realm, account, user_id, began, ended FROM tenure WHERE network = ? AND folded = ? ORDER BY seq`
	updateTenureUser = `UPDATE tenure SET user_id = ? WHERE user_id = ?`
	eraseTenureUser  = `UPDATE tenure SET user_id = '', account = '' WHERE user_id = ?`
)

const (
	contactColumns       = `account, address, name, alias, blocked, listed, created`
	selectContact        = `SELECT ` + contactColumns + ` FROM contacts WHERE account = ? AND folded = ?`
	selectContactByAlias = `SELECT ` + contactColumns + ` FROM contacts WHERE account = ? AND alias_key = ? AND alias_key <> ''`
	selectContacts       = `SELECT ` + contactColumns + ` FROM contacts WHERE account = ? AND folded > ? ORDER BY folded LIMIT ?`
	upsertContact        = `INSERT INTO contacts (account, folded, address, name, alias, alias_key, blocked, listed, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT (account, folded) DO UPDATE SET address = excluded.address,
		name = excluded.name, alias = excluded.alias, alias_key = excluded.alias_key, blocked = excluded.blocked,
		listed = 1`
	meetContact = `INSERT INTO contacts (account, folded, address, name, alias, alias_key, blocked, listed, created)
		VALUES (?, ?, ?, ?, '', '', 0, 0, ?) ON CONFLICT (account, folded) DO UPDATE SET address = excluded.address,
		name = CASE WHEN excluded.name = '' THEN contacts.name ELSE excluded.name END`
	blockContact = `INSERT INTO contacts (account, folded, address, name, alias, alias_key, blocked, listed, created)
		VALUES (?, ?, ?, '', '', '', ?, 0, ?) ON CONFLICT (account, folded) DO UPDATE SET blocked = excluded.blocked`
	deleteContact = `DELETE FROM contacts WHERE account = ? AND folded = ?`
)

// Which account a conversation goes through: see Went.
const (
	selectSpoken = `SELECT c.account FROM contacts c JOIN accounts a ON a.id = c.account
		WHERE a.user_id = ? AND a.network = ? AND c.folded = ? ORDER BY c.used DESC, a.created, a.id LIMIT 1`
	lastUse = `SELECT COALESCE(MAX(c.used), 0) FROM contacts c JOIN accounts a ON a.id = c.account
		WHERE a.user_id = ? AND a.network = ? AND c.folded = ?`
	useContact = `INSERT INTO contacts (account, folded, address, name, alias, alias_key, blocked, listed, created, used)
		VALUES (?, ?, ?, '', '', '', 0, 0, ?, ?) ON CONFLICT (account, folded) DO UPDATE SET used = excluded.used`
)

const (
	// What went within another message has that one's name on its network.
	entryColumns = `id, account, peer, origin_id, origin_from, CASE WHEN whole = '' THEN remote
		ELSE COALESCE((SELECT w.remote FROM messages w WHERE w.id = messages.whole), '') END, thread, mine, state, whole, parts`
	selectMessage = `SELECT ` + entryColumns + ` FROM messages WHERE id = ?`
	// The user's own first: receipts are about those, and a mail to oneself has both.
	selectByRemote = `SELECT ` + entryColumns + ` FROM messages WHERE account = ? AND remote = ? AND remote <> ''
		ORDER BY mine DESC, seq DESC LIMIT 1`
	selectByOrigin = `SELECT ` + entryColumns + ` FROM messages WHERE account = ? AND origin_id = ? AND origin_id <> '' AND mine = 1
		ORDER BY seq DESC LIMIT 1`
	selectLog = `SELECT seq, id, peer, remote, thread, mine, state, at, changed FROM messages
		WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?`

	// A message that failed and is sent again begins anew.
	insertSubmitted = `INSERT INTO messages (id, account, peer, origin_id, origin_from, remote, thread, mine, state, told, at, changed)
		VALUES (?, ?, ?, ?, ?, '', ?, 1, 0, 0, ?, ?) ON CONFLICT (id) DO UPDATE SET state = 0, told = 0,
		changed = excluded.changed, origin_id = excluded.origin_id, origin_from = excluded.origin_from
		WHERE messages.state = ? AND messages.account = excluded.account AND messages.mine = 1`
	insertDelivered = `INSERT INTO messages (id, account, peer, origin_id, origin_from, remote, thread, mine, state, told, at, changed)
		SELECT ?, ?, ?, ?, ?, ?, ?, CAST(? AS INTEGER), CAST(? AS INTEGER), CAST(? AS INTEGER), CAST(? AS BIGINT), CAST(? AS BIGINT)
		WHERE NOT EXISTS (SELECT 1 FROM messages WHERE account = ? AND remote = ?
		AND remote <> '' AND mine = ?) ON CONFLICT (id) DO NOTHING`
	// The parameters beside a shift are sets of states, as bits: those that may be left. See followedBy.
	settleMessage = `UPDATE messages SET remote = CASE WHEN ? = '' THEN remote ELSE ? END,
		changed = CASE WHEN (1 << state) & ? <> 0 THEN ? ELSE changed END,
		state = CASE WHEN (1 << state) & ? <> 0 THEN ? ELSE state END WHERE id = ?`
	tellByID = `UPDATE messages SET changed = CASE WHEN state <> ? THEN ? ELSE changed END, state = ?, told = ?, remote = CASE WHEN remote = '' THEN ? ELSE remote END
		WHERE id = ? AND account = ? AND (1 << told) & ? <> 0 AND (1 << state) & ? <> 0`
	joinMessage     = `UPDATE messages SET whole = ? WHERE id = ?`
	joinedMessages  = `UPDATE messages SET parts = ? WHERE id = ?`
	withdrawMessage = `UPDATE messages SET state = ?, changed = ? WHERE id = ? AND (1 << state) & ? <> 0`
	// What was sent from a device of the old name is as if from the new one.
	updateOrigins = `UPDATE messages SET origin_from = ? WHERE account = ? AND mine = 1 AND origin_from <> ''`
	messageExists = `SELECT 1 FROM messages WHERE id = ? AND account = ?`
	idByRemote    = `SELECT id FROM messages WHERE account = ? AND remote = ? AND remote <> '' AND mine = 1 ORDER BY seq DESC LIMIT 1`

	selectSlice   = `SELECT seq FROM messages WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?`
	deleteMessage = `DELETE FROM messages WHERE seq = ?`
	sweepMessages = `DELETE FROM messages WHERE seq IN (SELECT seq FROM messages ORDER BY seq LIMIT ?) AND at < ?`
)

const (
	insertNote = `INSERT INTO notes (network, name, value, expires) VALUES (?, ?, ?, ?)
		ON CONFLICT (network, name) DO UPDATE SET value = excluded.value, expires = excluded.expires`
	noteKeys   = `SELECT name FROM notes WHERE network = ? AND name > ? AND (expires = 0 OR expires > ?) ORDER BY name LIMIT ?`
	getNote    = `SELECT value FROM notes WHERE network = ? AND name = ? AND (expires = 0 OR expires > ?)`
	deleteNote = `DELETE FROM notes WHERE network = ? AND name = ?`
	// An account's id has no wildcards in it.
	deleteNotesOf = `DELETE FROM notes WHERE network = ? AND (name LIKE ? OR CAST(value AS TEXT) LIKE ?)`
	sweepNotes    = `DELETE FROM notes WHERE (network, name) IN (SELECT network, name FROM notes
		WHERE expires > 0 AND expires <= ? LIMIT ?)`
)

const (
	personColumns = `user_id, standing, since, changed, invited_by, network, note, language, messages`
	selectPerson  = `SELECT ` + personColumns + ` FROM people WHERE user_id = ?`
	selectPeople  = `SELECT ` + personColumns + ` FROM people WHERE user_id > ? AND (CAST(? AS INTEGER) = 0 OR standing = ?)
		ORDER BY user_id LIMIT ?`
	upsertPerson = `INSERT INTO people (` + personColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (user_id) DO UPDATE SET standing = excluded.standing, since = excluded.since, changed = excluded.changed,
		invited_by = excluded.invited_by, network = excluded.network, note = excluded.note, language = excluded.language,
		messages = excluded.messages`
	deletePerson     = `DELETE FROM people WHERE user_id = ?`
	erasePerson      = `DELETE FROM people WHERE user_id = ? AND standing <> 3`
	blankPerson      = `UPDATE people SET invited_by = '', network = '', language = '', messages = 0 WHERE user_id = ? AND standing = 3`
	updatePersonUser = `UPDATE people SET user_id = ? WHERE user_id = ?`
	countPending     = `SELECT count(*) FROM people WHERE standing = 1`
	sweepPending     = `DELETE FROM people WHERE user_id IN (SELECT user_id FROM people WHERE standing = 1 AND changed < ? LIMIT ?)`
)

const (
	selectChosen   = `SELECT chosen FROM preferences WHERE user_id = ? AND network = ?`
	selectChosenOf = `SELECT network, chosen FROM preferences WHERE user_id = ? ORDER BY network`
	upsertChosen   = `INSERT INTO preferences (user_id, network, chosen) VALUES (?, ?, ?)
		ON CONFLICT (user_id, network) DO UPDATE SET chosen = excluded.chosen`
	deleteChosen     = `DELETE FROM preferences WHERE user_id = ? AND network = ?`
	deleteLastChosen = `DELETE FROM preferences WHERE user_id = ? AND network = ?
		AND NOT EXISTS (SELECT 1 FROM accounts WHERE user_id = ? AND network = ?)`
	eraseChosen      = `DELETE FROM preferences WHERE user_id = ?`
	updateChosenUser = `UPDATE preferences SET user_id = ? WHERE user_id = ?`
)

const (
	insertInvite  = `INSERT INTO invites (id, hash, network, made_by, note, uses, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	selectInvites = `SELECT id, network, made_by, note, uses, created, expires FROM invites
		WHERE uses > 0 AND (expires = 0 OR expires > ?) ORDER BY created, id`
	countInvites = `SELECT count(*) FROM invites`
	useInvite    = `UPDATE invites SET uses = uses - 1 WHERE hash = ? AND uses > 0 AND network IN ('', ?)
		AND (expires = 0 OR expires > ?) RETURNING made_by`
	deleteInvite     = `DELETE FROM invites WHERE id = ?`
	sweepInvites     = `DELETE FROM invites WHERE id IN (SELECT id FROM invites WHERE uses = 0 OR expires > 0 AND expires <= ? LIMIT ?)`
	eraseInviter     = `UPDATE people SET invited_by = '' WHERE invited_by = ?`
	eraseInvites     = `DELETE FROM invites WHERE made_by = ?`
	updateInviter    = `UPDATE people SET invited_by = ? WHERE invited_by = ?`
	updateInviteUser = `UPDATE invites SET made_by = ? WHERE made_by = ?`
)

const (
	selectBlocked         = `SELECT folded FROM contacts WHERE account = ? AND blocked = 1 ORDER BY folded LIMIT ?`
	selectBlockedContacts = `SELECT ` + contactColumns + ` FROM contacts WHERE account = ? AND folded > ? AND blocked = 1
		ORDER BY folded LIMIT ?`
)
