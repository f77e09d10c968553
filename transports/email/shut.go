package email

import (
	"context"
	"strings"
	"time"

	"gangway/core"
)

// A user's server that forbids what a correspondent's mail became will forbid the next, too: that is refused where it is
// offered, so that its sender hears of it from their own server. It holds for a week, in which the user may write to them,
// which ends it: nobody says when a server has changed its mind.
const keepShut = 7 * 24 * time.Hour

func shutKey(a core.AccountID, peer core.Address) string {
	return "shut " + core.Digest(string(a), strings.ToLower(string(peer)))
}

// shut notes that a user is not to be reached by a correspondent.
func (t *transport) shut(ctx context.Context, a core.AccountID, peer core.Address) error {
	return t.host.Notes().Put(ctx, shutKey(a, peer), []byte(a), keepShut)
}

// isShut says whether that is noted.
func (t *transport) isShut(ctx context.Context, a core.AccountID, peer core.Address) (bool, error) {
	switch _, err := t.host.Notes().Get(ctx, shutKey(a, peer)); {
	case err == nil:
		return true, nil
	case core.KindOf(err) == core.NotFound:
		return false, nil
	default:
		return false, core.Wrap(core.Unavailable, "email: shut", err)
	}
}

// admits refuses mail of a correspondent whom the user's server does not let through.
func (t *transport) admits(ctx context.Context, a core.AccountID, peer core.Address) error {
	shut, err := t.isShut(ctx, a, peer)
	if err == nil && shut {
		return core.E(core.Denied, "email: shut", "")
	}
	return err
}

// reopen forgets that it is noted.
func (t *transport) reopen(ctx context.Context, a core.AccountID, peer core.Address) error {
	shut, err := t.isShut(ctx, a, peer)
	if err != nil || !shut {
		return err
	}
	return t.host.Notes().Delete(ctx, shutKey(a, peer))
}
