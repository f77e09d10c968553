package mailbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
)

const (
	maxRecent  = 512 // mails that are known again by their Message-ID
	maxUnseen  = 256 // mails that are watched for being read elsewhere
	digestSize = 8
)

// cursor is how far a folder was followed. It is what is saved.
type cursor struct {
	Name     string    `json:"name"`     // what the folder is called
	Validity uint32    `json:"validity"` // its UIDVALIDITY; 0: it was never opened
	Next     uint64    `json:"next"`     // UIDs below were delivered, or are none of ours; wider than a UID, which may be the last
	ModSeq   uint64    `json:"modseq,omitempty"`
	Floor    time.Time `json:"floor,omitzero"`  // what came before was there before us
	Newest   time.Time `json:"newest,omitzero"` // INTERNALDATE of the newest one delivered
	Recent   []byte    `json:"recent,omitempty"`
	Unseen   []uint32  `json:"unseen,omitempty"` // delivered unread, oldest first
	Past     *past     `json:"past,omitempty"`
}

// past is a stretch of mails that were there when the folder was opened, some of which are to be delivered.
type past struct {
	Until  uint64    `json:"until"` // UIDs from here on are new
	Since  time.Time `json:"since,omitzero"`
	Known  bool      `json:"known,omitempty"`  // those delivered before are among them
	Strict bool      `json:"strict,omitempty"` // too many for Recent: their own Date must be near, too
}

func (f *follower) load(ctx context.Context) error {
	saved, err := f.box.config.Cursor.Load(ctx, string(f.folder))
	if err != nil {
		return fmt.Errorf("mailbox: load cursor: %w", err)
	}
	f.cursor, f.dirty = cursor{}, false
	if saved == nil {
		return nil
	}
	if err := json.Unmarshal(saved, &f.cursor); err != nil {
		return fmt.Errorf("mailbox: load cursor of %s: %w", f.folder, err)
	}
	f.cursor.Recent = f.cursor.Recent[:len(f.cursor.Recent)/digestSize*digestSize]
	return nil
}

// saveTimeout is how long saving may go on when everything else has ended.
const saveTimeout = 10 * time.Second

// save saves what changed, even if ctx has just ended: what was delivered was delivered.
func (f *follower) save(ctx context.Context) error {
	if !f.dirty {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	b, err := json.Marshal(f.cursor)
	if err != nil {
		return fmt.Errorf("mailbox: save cursor: %w", err)
	}
	if err := f.box.config.Cursor.Save(ctx, string(f.folder), b); err != nil {
		return fmt.Errorf("mailbox: save cursor: %w", err)
	}
	f.dirty = false
	return nil
}

// digest is what a Message-ID is remembered by.
func digest(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:digestSize]
}

func (c *cursor) knows(id string) bool {
	d := digest(id)
	for known := range slices.Chunk(c.Recent, digestSize) {
		if bytes.Equal(known, d) {
			return true
		}
	}
	return false
}

func (c *cursor) remember(id string) {
	if c.knows(id) {
		return
	}
	c.Recent = append(c.Recent, digest(id)...)
	if over := len(c.Recent) - maxRecent*digestSize; over > 0 {
		c.Recent = slices.Delete(c.Recent, 0, over)
	}
}

// watch has a mail watched for being read elsewhere.
func (c *cursor) watch(uid imap.UID) {
	c.Unseen = append(c.Unseen, uint32(uid))
	if over := len(c.Unseen) - maxUnseen; over > 0 {
		c.Unseen = slices.Delete(c.Unseen, 0, over)
	}
}

// unwatch says whether it was watched.
func (c *cursor) unwatch(uid imap.UID) bool {
	i := slices.Index(c.Unseen, uint32(uid))
	if i < 0 {
		return false
	}
	c.Unseen = slices.Delete(c.Unseen, i, i+1)
	return true
}
