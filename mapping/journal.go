package mapping

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"gangway/core"
	"gangway/core/store"
)

// Put notes what an item says that the queue is about to take, in the queue's transaction. core.ErrDuplicate means
// that it says nothing new and must not be taken; nothing has been written then.
//
//   - A message toward a network becomes known, as queued, with its parts. One that failed before may be sent again.
//   - A message toward XMPP becomes known if its network has a name for it, so that replies to it resolve.
//   - A receipt moves its message forward. It is new if it is about the state that the message has, or one that may
//     follow it (core.State.Follows), and the sender has not been told as much: what Settle knows already still has
//     to be told. So a failure and the receipt that tells of it may be noted in either order.
//
// Everything else passes. So does a receipt about a message that is not known (any more): better told twice than never.
func (m *Map) Put(ctx context.Context, tx *store.Tx, it *core.Item) error {
	switch e := it.Event.(type) {
	case *core.Message:
		if it.Direction == core.ToNetwork {
			return m.submittedAll(ctx, tx, e)
		}
		return m.delivered(ctx, tx, it, e)
	case *core.Receipt:
		if it.Direction == core.ToXMPP {
			return m.told(ctx, tx, e)
		}
	}
	return nil
}

// Settle notes how an attempt toward a network ended, in the queue's transaction: the network's name for the message
// and a state that follows the one it has, which its parts have, too. Of what was held it notes which messages go within
// which, and which were withdrawn.
func (m *Map) Settle(ctx context.Context, tx *store.Tx, it *core.Item, v core.Verdict) error {
	if len(v.Withdrawn) > 0 {
		if err := m.withdrawn(ctx, tx, v.Withdrawn); err != nil {
			return err
		}
	}
	if it.Direction == core.Window || len(v.Withdrawn) > 0 {
		return m.letGo(ctx, tx, it, v)
	}
	e, ok := it.Event.(*core.Message)
	if !ok || it.Direction != core.ToNetwork {
		return nil
	}
	taken := core.Taken{Remote: v.Taken.Remote, State: v.Taken.State}
	switch v.Outcome {
	case core.Retry:
		return nil
	case core.Dead:
		taken = core.Taken{State: core.Failed}
	}
	if err := m.settle(ctx, tx, e.ID, taken); err != nil {
		return err
	}
	for _, p := range e.Parts {
		if err := m.settle(ctx, tx, p.ID, core.Taken{State: taken.State}); err != nil {
			return err
		}
	}
	return nil
}

func (m *Map) settle(ctx context.Context, tx *store.Tx, id core.MessageID, taken core.Taken) error {
	mask := followedBy(taken.State)
	_, err := tx.Exec(ctx, settleMessage, string(taken.Remote), string(taken.Remote), mask, millis(m.now()), mask,
		int(taken.State), string(id))
	if err != nil {
		return fmt.Errorf("mapping: settle message: %w", err)
	}
	return nil
}

// letGo notes of the messages that what was held has become which others go within them; or, if it has been given up, that
// none will arrive.
func (m *Map) letGo(ctx context.Context, tx *store.Tx, it *core.Item, v core.Verdict) error {
	if held, ok := it.Event.(*core.Held); ok && v.Outcome == core.Dead {
		whole := *it
		whole.Direction, whole.Event = core.ToNetwork, held.Fold()
		return m.Settle(ctx, tx, &whole, v)
	}
	for _, then := range v.Then {
		e, ok := then.Event.(*core.Message)
		if !ok || then.Direction != core.ToNetwork || len(e.Parts) == 0 {
			continue
		}
		ids := make([]string, 0, len(e.Parts))
		for _, p := range e.Parts {
			ids = append(ids, string(p.ID))
			if _, err := tx.Exec(ctx, joinMessage, string(e.ID), string(p.ID)); err != nil {
				return fmt.Errorf("mapping: join messages: %w", err)
			}
		}
		if _, err := tx.Exec(ctx, joinedMessages, strings.Join(ids, " "), string(e.ID)); err != nil {
			return fmt.Errorf("mapping: join messages: %w", err)
		}
	}
	return nil
}

func (m *Map) withdrawn(ctx context.Context, tx *store.Tx, ids []core.MessageID) error {
	mask := followedBy(core.Withdrawn)
	for _, id := range ids {
		if _, err := tx.Exec(ctx, withdrawMessage, int(core.Withdrawn), millis(m.now()), string(id), mask); err != nil {
			return fmt.Errorf("mapping: withdraw message: %w", err)
		}
	}
	return nil
}

// submittedAll is submitted for a message and what goes within it: they are known, unless it failed and is sent again.
func (m *Map) submittedAll(ctx context.Context, tx *store.Tx, e *core.Message) error {
	if err := m.submitted(ctx, tx, e); err != nil {
		return err
	}
	for _, p := range e.Parts {
		part := core.Message{Ref: e.Ref, IDs: core.IDs{ID: p.ID}, Origin: p.Origin, Thread: e.Thread}
		if err := m.submitted(ctx, tx, &part); err != nil && !errors.Is(err, core.ErrDuplicate) {
			return err
		}
	}
	return nil
}

func (m *Map) submitted(ctx context.Context, tx *store.Tx, e *core.Message) error {
	if e.ID == "" || e.Account == "" {
		return core.E(core.Invalid, "mapping: put message", "The message has no id or no account.")
	}
	now := millis(m.now())
	n, err := tx.Exec(ctx, insertSubmitted, string(e.ID), string(e.Account), string(e.Peer), e.Origin.ID, e.Origin.From,
		string(e.Thread), now, now, int(core.Failed))
	return written(n, err)
}

func (m *Map) delivered(ctx context.Context, tx *store.Tx, it *core.Item, e *core.Message) error {
	if e.Remote == "" {
		return m.noted(tx, it)
	}
	id := e.ID
	if id == "" {
		id = core.IDFor(e.Account, e.Remote)
	}
	mine, now := flag(e.Mine), millis(m.now())
	n, err := tx.Exec(ctx, insertDelivered, string(id), string(e.Account), string(e.Peer), e.Origin.ID, e.Origin.From,
		string(e.Remote), string(e.Thread), mine, int(core.Delivered), int(core.Delivered), now, now,
		string(e.Account), string(e.Remote), mine)
	if err := written(n, err); err != nil {
		return err
	}
	return m.noted(tx, it)
}

// noted writes what a transport wants to know of a message that it has delivered.
func (m *Map) noted(tx *store.Tx, it *core.Item) error {
	for _, n := range it.Notes {
		if err := putNote(tx, m.note(it.Network, n)); err != nil {
			return fmt.Errorf("mapping: put message: %w", err)
		}
	}
	return nil
}

// written turns the number of rows of an insert into its meaning.
func written(n int64, err error) error {
	if err != nil {
		return fmt.Errorf("mapping: put message: %w", err)
	}
	if n == 0 {
		return core.ErrDuplicate
	}
	return nil
}

func (m *Map) told(ctx context.Context, tx *store.Tx, r *core.Receipt) error {
	id := string(r.ID)
	if id == "" {
		err := tx.QueryRow(ctx, idByRemote, string(r.Account), string(r.Remote)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("mapping: put receipt: %w", err)
		}
	}
	mask := followedBy(r.State)
	n, err := tx.Exec(ctx, tellByID, int(r.State), millis(m.now()), int(r.State), int(r.State), string(r.Remote), id, string(r.Account), mask, mask|1<<r.State)
	if err != nil {
		return fmt.Errorf("mapping: put receipt: %w", err)
	}
	if n > 0 {
		return nil
	}
	var one int
	err = tx.QueryRow(ctx, messageExists, id, string(r.Account)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("mapping: put receipt: %w", err)
	}
	return core.ErrDuplicate
}

// followedBy returns the set of states that s may follow, as bits.
func followedBy(s core.State) int {
	mask := 0
	for old := core.Queued; old <= core.Withdrawn; old++ {
		if s.Follows(old) {
			mask |= 1 << old
		}
	}
	return mask
}
