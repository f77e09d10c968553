package roster

import (
	"context"
	"encoding/json"
	"hash/fnv"

	"gangway/core"
)

// apply makes the changes of a list from before to after, but where somebody else has changed it meanwhile: the user has
// answered while we asked about another contact.
func (l *list) apply(before, after list) {
	l.Digest = after.Digest
	for jid, e := range after.Entries {
		if e != before.Entries[jid] && l.Entries[jid] == before.Entries[jid] {
			l.note(jid, e)
		}
	}
	for jid, e := range before.Entries {
		if _, there := after.Entries[jid]; !there && l.Entries[jid] == e {
			l.note(jid, entry{State: gone})
		}
	}
}

// change alters the row of a user, and writes it if that made a difference.
func (h *house) change(ctx context.Context, user core.UserID, fn func(l *list)) error {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(user))
	mu := &h.rows[hash.Sum32()%uint32(len(h.rows))]
	mu.Lock()
	defer mu.Unlock()
	l, err := h.load(ctx, user)
	if err != nil {
		return err
	}
	before, err := json.Marshal(l)
	if err != nil {
		return err
	}
	fn(&l)
	after, err := json.Marshal(l)
	switch {
	case err != nil || string(after) == string(before):
		return err
	case len(l.Entries) == 0:
		return h.notes.Delete(ctx, string(user))
	}
	return h.notes.Put(ctx, string(user), after, 0)
}

// load reads the row of a user.
func (h *house) load(ctx context.Context, user core.UserID) (l list, err error) {
	body, err := h.notes.Get(ctx, string(user))
	if err != nil {
		if core.KindOf(err) == core.NotFound {
			err = nil
		}
		return list{}, err
	}
	if bad := json.Unmarshal(body, &l); bad != nil {
		l = list{} // as good as none: the worst is a question asked twice
	}
	return l, nil
}
