package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pelletier/go-toml/v2"

	"gangway/core"
	"gangway/transports/irc"
)

const (
	idleWarm   = 20 // sessions that are there before the measurement begins
	idleWithin = 5 * time.Minute
)

// idleGateway opens sessions, lets them rest, and prints what they cost.
func idleGateway(o idleOptions, out io.Writer) error {
	h := &idleHall{accounts: map[core.AccountID]core.Account{}}
	g := core.NewGateway(core.Config{
		Queue: h, Accounts: h, Notes: func(string) core.Notes { return noNotes{} },
	})
	driver := irc.Driver()
	driver.Pace = 0 // the server is ours
	settings := fmt.Sprintf("ping_every = \"1h\"\nlinger = \"1h\"\n[network.\"irc.test\"]\naddress = %q\nca = %q\n", o.Address, o.CA)
	err := g.Add(driver, func(into any) error { return toml.NewDecoder(strings.NewReader(settings)).Decode(into) })
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), idleWithin)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { _ = g.Run(ctx, h) }) // ends with ctx

	var r idleResult
	if err := h.open(ctx, g, o, 0, idleWarm); err != nil {
		return err
	}
	if r.Before, err = rested(ctx, o.Rest); err != nil {
		return err
	}
	before := runtime.NumGoroutine()
	if err := h.open(ctx, g, o, idleWarm, idleWarm+o.Sessions); err != nil {
		return err
	}
	if r.Idle, err = rested(ctx, o.Rest); err != nil {
		return err
	}
	r.Counted = o.Sessions
	r.Goroutines = 100 * (runtime.NumGoroutine() - before) / o.Sessions
	debug.FreeOSMemory()
	if r.Collected, err = residentKiB(); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

// rested is the resident set after a while.
func rested(ctx context.Context, d time.Duration) (int, error) {
	select {
	case <-time.After(d):
		return residentKiB()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// idleHall is all that a gateway stands on, in memory. It counts what it is shown.
type idleHall struct {
	core.Holding // IRC holds nothing
	core.Ledger
	mu        sync.Mutex
	accounts  map[core.AccountID]core.Account
	connected atomic.Int64
	joined    atomic.Int64
}

// open has sessions connect, and enter their rooms, some at a time, and waits until all have.
func (h *idleHall) open(ctx context.Context, g *core.Gateway, o idleOptions, from, to int) error {
	for i := from; i < to; i++ {
		name := "user" + strconv.Itoa(i)
		a, err := h.Link(ctx, core.Account{User: core.UserID(name), Network: "irc", Realm: "irc.test"})
		if err != nil {
			return err
		}
		err = g.With(ctx, a, func(s core.Session) error {
			if !o.Rooms {
				return nil
			}
			return core.CapsOf(s).Rooms.Join(ctx, core.Address("#room"+strconv.Itoa(i)), core.Join{Nick: name})
		})
		if err != nil {
			return err
		}
		if err := h.await(ctx, o, i-20); err != nil { // the server does one handshake at a time
			return err
		}
	}
	return h.await(ctx, o, to)
}

func (h *idleHall) await(ctx context.Context, o idleOptions, n int) error {
	for h.connected.Load() < int64(n) || o.Rooms && h.joined.Load() < int64(n) {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d of %d sessions are connected, %d in their rooms: %w", h.connected.Load(), n, h.joined.Load(), ctx.Err())
		}
	}
	return nil
}

// Show counts.
func (h *idleHall) Show(_ context.Context, _ core.Account, e core.Event) error {
	switch e := e.(type) {
	case *core.Status:
		if e.Link == core.Connected {
			h.connected.Add(1)
		}
	case *core.RoomJoined:
		h.joined.Add(1)
	}
	return nil
}

// Hand has nothing to do: nothing is stored.
func (h *idleHall) Hand(_ context.Context, hs []core.Handing) []error { return make([]error, len(hs)) }

// Put, Begin and Run are the queue of a gateway with live lanes only.
func (h *idleHall) Put(context.Context, ...*core.Item) error { return nil }

// Begin has nothing to do.
func (h *idleHall) Begin(context.Context, *core.Item) error { return nil }

// Run waits.
func (h *idleHall) Run(ctx context.Context, _ map[core.Direction]core.Handler) error {
	<-ctx.Done()
	return nil
}

// Account finds an account.
func (h *idleHall) Account(_ context.Context, id core.AccountID) (core.Account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.accounts[id]
	if !ok {
		return core.Account{}, core.E(core.NotFound, "load: account", "")
	}
	return a, nil
}

// Accounts are opened at first use only.
func (h *idleHall) Accounts(context.Context, string) ([]core.Account, error) { return nil, nil }

// AccountOf is not asked.
func (h *idleHall) AccountOf(context.Context, core.UserID, string, string) (core.Account, error) {
	return core.Account{}, core.E(core.Unenrolled, "load: account", "")
}

// Owner is not asked.
func (h *idleHall) Owner(context.Context, string, core.Address, core.Address) (core.Account, error) {
	return core.Account{}, core.E(core.NotFound, "load: owner", "")
}

// Link writes an account under its user's name.
func (h *idleHall) Link(_ context.Context, a core.Account) (core.Account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a.ID = core.AccountID(a.User)
	h.accounts[a.ID] = a
	return a, nil
}

// noNotes keeps nothing.
type noNotes struct{}

func (noNotes) Put(context.Context, string, []byte, time.Duration) error { return nil }

func (noNotes) Get(context.Context, string) ([]byte, error) {
	return nil, core.E(core.NotFound, "load: note", "")
}

func (noNotes) Delete(context.Context, string) error { return nil }

// Unlink is not asked.
func (h *idleHall) Unlink(context.Context, core.AccountID) error { return nil }
