package archive

// All statements of the package, in the part of SQL that SQLite and PostgreSQL share.

const (
	selectRoom = `SELECT room, gap FROM archive_rooms WHERE account = ? AND peer = ?`
	insertRoom = `INSERT INTO archive_rooms (account, peer) VALUES (?, ?) RETURNING room`
	// After a room, so that all rooms are seen in slices while others come and go.
	selectRooms    = `SELECT room FROM archive_rooms WHERE room > ? ORDER BY room LIMIT ?`
	selectRoomsOf  = `SELECT room, peer FROM archive_rooms WHERE account = ? AND room > ? ORDER BY room LIMIT ?`
	selectAccounts = `SELECT DISTINCT account FROM archive_rooms ORDER BY account`
	deleteRoom     = `DELETE FROM archive_rooms WHERE room = ? AND NOT EXISTS (SELECT 1 FROM archive WHERE archive.room = archive_rooms.room)`
)

const (
	columns = `seq, at, id, remote, origin, author, about, retracted, retracted_at, event, body`

	// What is there already under its id or the network's name for it stays as it is.
	insertEvent = `INSERT INTO archive (room, at, id, remote, origin, author, said, about, retracted, retracted_at, event, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	insertTold  = insertEvent + ` RETURNING seq`
	selectNamed = `SELECT 1 FROM archive WHERE room = ? AND remote = ? AND remote <> ''`
	selectSaid  = `SELECT seq, at, remote FROM archive WHERE room = ? AND said = ? AND at BETWEEN ? AND ? AND author = ?
		ORDER BY at, seq LIMIT ?`
	updateRemote = `UPDATE archive SET remote = ? WHERE seq = ?`
	selectTarget = `SELECT seq, id, about FROM archive WHERE room = ? AND id = ?
		UNION ALL SELECT seq, id, about FROM archive WHERE room = ? AND remote = ? AND ? <> '' AND remote <> '' LIMIT 1`
	selectVersions = `SELECT ` + columns + ` FROM archive WHERE room = ? AND id = ?
		UNION ALL SELECT ` + columns + ` FROM archive WHERE room = ? AND about = ? AND about <> ''`
	selectRetraction = `SELECT id, at FROM archive WHERE room = ? AND about = ? AND about <> '' AND event = ? LIMIT 1`
	updateRetracted  = `UPDATE archive SET body = ?, said = 0, retracted = ?, retracted_at = ? WHERE seq = ?`
)

const (
	selectByID     = `SELECT ` + columns + ` FROM archive WHERE room = ? AND id = ?`
	selectByRemote = `SELECT ` + columns + ` FROM archive WHERE room = ? AND remote = ? AND remote <> ''`
	// The plus signs keep SQLite from reading the whole room in that order.
	selectByOrigin = `SELECT ` + columns + ` FROM archive WHERE room = ? AND origin = ? AND origin <> '' ORDER BY +at DESC, +seq DESC LIMIT 1`

	// Between two places, both left out.
	between      = ` FROM archive WHERE room = ? AND (at, seq) > (?, ?) AND (at, seq) < (?, ?)`
	saidBy       = ` AND author = ?`
	forward      = ` ORDER BY at, seq LIMIT ?`
	backward     = ` ORDER BY at DESC, seq DESC LIMIT ?`
	selectPage   = `SELECT ` + columns + between + forward
	selectTail   = `SELECT ` + columns + between + backward
	selectPageBy = `SELECT ` + columns + between + saidBy + forward
	selectTailBy = `SELECT ` + columns + between + saidBy + backward
	countAll     = `SELECT count(*) FROM (SELECT 1` + between + ` LIMIT ?) AS some`
	countBy      = `SELECT count(*) FROM (SELECT 1` + between + saidBy + ` LIMIT ?) AS some`
)

const (
	deleteOld = `DELETE FROM archive WHERE seq IN (SELECT seq FROM archive WHERE room = ? AND at < ? ORDER BY at, seq LIMIT ?)`
	// The newest event that is too much.
	selectExcess = `SELECT at, seq FROM archive WHERE room = ? ORDER BY at DESC, seq DESC LIMIT 1 OFFSET ?`
	deleteExcess = `DELETE FROM archive WHERE seq IN (SELECT seq FROM archive WHERE room = ? AND (at, seq) <= (?, ?) ORDER BY at, seq LIMIT ?)`
	deleteEvents = `DELETE FROM archive WHERE seq IN (SELECT seq FROM archive WHERE room = ? LIMIT ?)`
)

const (
	selectGap = `SELECT gap_at, gap_remote FROM archive_rooms WHERE room = ?`
	openGap   = `UPDATE archive_rooms SET gap = 1, gap_at = ?, gap_remote = ? WHERE room = ?`
	moveGap   = `UPDATE archive_rooms SET gap_at = ?, gap_remote = ? WHERE room = ? AND gap = 1`
	beginRoom = `UPDATE archive_rooms SET gap = 1, gap_at = ?, gap_remote = '', begun = ? WHERE room = ? AND begun = 0`
	begunAt   = `SELECT begun FROM archive_rooms WHERE room = ?`
	closeGap  = `UPDATE archive_rooms SET gap = 0, gap_at = 0, gap_remote = '' WHERE account = ? AND peer = ? AND gap = 1`
	// The newest named one of some of the newest.
	selectNewestNamed = `SELECT at, remote FROM (SELECT at, seq, remote FROM archive WHERE room = ? ORDER BY at DESC, seq DESC LIMIT ?) AS newest
		WHERE remote <> '' ORDER BY at DESC, seq DESC LIMIT 1`
)
