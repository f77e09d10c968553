package roster

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"gangway/core"
)

// health is what is wrong with whose accounts: what each user's view of the
// gateway's presence says. Users without trouble are not in it.
type health struct {
	mu    sync.Mutex
	users map[userKey]map[core.AccountID]string
}

type userKey struct {
	domain string
	user   core.UserID
}

func newHealth() health { return health{users: map[userKey]map[core.AccountID]string{}} }

// set notes an account's trouble, or with "" that there is none, and returns the
// line that the user is to see and whether it is another than before.
func (h *health) set(domain string, a core.Account, trouble string) (line string, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := userKey{domain, a.User}
	before := joined(h.users[k])
	if trouble == "" {
		delete(h.users[k], a.ID)
		if len(h.users[k]) == 0 {
			delete(h.users, k)
		}
	} else {
		if h.users[k] == nil {
			h.users[k] = map[core.AccountID]string{}
		}
		h.users[k][a.ID] = trouble
	}
	line = joined(h.users[k])
	return line, line != before
}

// forget drops what is known of a user.
func (h *health) forget(domain string, user core.UserID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.users, userKey{domain, user})
}

// line is what a user is to see now.
func (h *health) line(domain string, user core.UserID) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return joined(h.users[userKey{domain, user}])
}

func joined(trouble map[core.AccountID]string) string {
	return strings.Join(slices.Compact(slices.Sorted(maps.Values(trouble))), " ")
}

// troubleOf says in a sentence what is wrong with an account's connection, or ""
// if nothing is. A connection that is being made is neither.
func troubleOf(a core.Account, st *core.Status) (trouble string, known bool) {
	switch st.Link {
	case core.Connected, core.Closed:
		return "", true
	case core.Waiting, core.Refused:
	case core.Connecting:
		return "", false
	}
	what := string(a.Own)
	if a.Realm != "" {
		what = a.Realm
	}
	if what != "" {
		what += ": "
	}
	switch {
	case st.Err != nil:
		return what + st.Err.Sentence(), true
	case st.Text != "":
		return what + st.Text, true
	}
	return what + "not connected.", true
}
