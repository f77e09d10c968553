package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gangway/config"
	"gangway/core"
	"gangway/core/outbox"
	"gangway/core/store"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gangway": main})
}

// TestScript is the command line as a user sees it. Every script starts with the same gangway.toml, whose networks
// need no network, in a folder of its own.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			text, err := os.ReadFile("testdata/gangway.toml")
			if err != nil {
				return err
			}
			return os.WriteFile(env.WorkDir+"/gangway.toml", text, 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":        exitsWith,
			"newer":       newerSchema,
			"hold":        holdDatabase,
			"undelivered": undelivered, "nameserver": nameserver,
			"biboumi": biboumiDatabase,
			"later":   laterBiboumi, "fixed": fixedBiboumi,
		},
	})
}

// exitsWith is "code N gangway ARG...": the program ends with N, the rest is as with exec.
func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N program [arg...]")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit interface{ ExitCode() int }
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = string(rune('0' + exit.ExitCode()))
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

func database(ts *testscript.TestScript) *store.DB {
	db, err := store.Open(context.Background(), store.Config{URL: "sqlite:" + ts.MkAbs("gangway.db")})
	ts.Check(err)
	return db
}

// newerSchema is "newer OWNER": a later program has brought the owner's tables up to date.
func newerSchema(ts *testscript.TestScript, _ bool, args []string) {
	db := database(ts)
	defer db.Close()
	ctx := context.Background()
	ts.Check(db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO schema_"+args[0]+" (version_id, is_applied) VALUES (1000, true)")
		return err
	}))
}

// holdDatabase is "hold": another process, this one, has the database open until the script ends.
func holdDatabase(ts *testscript.TestScript, _ bool, _ []string) {
	db := database(ts)
	ts.Defer(func() { ts.Check(db.Close()) })
}

// undelivered is "undelivered TEXT": a message of alice's on the loopback network that was given up.
func undelivered(ts *testscript.TestScript, _ bool, args []string) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	cfg, err := config.Load(ts.MkAbs("gangway.toml"))
	ts.Check(err)
	cfg.Store.URL = config.NewSecret("sqlite:" + ts.MkAbs("gangway.db")) // this process is in another folder
	a, err := openApp(ctx, cfg, discard())
	ts.Check(err)
	defer a.close(ctx)
	account, err := a.mapping.AccountOf(ctx, "alice@example.org", "loopback", "")
	ts.Check(err)
	ts.Check(a.queue.Put(ctx, &core.Item{
		Direction: core.ToNetwork, Network: "loopback", User: account.User, Lane: args[0], Queued: time.Now(),
		Event: &core.Message{
			Ref: core.Ref{Account: account.ID, Peer: "nobody"}, IDs: core.IDs{ID: core.MessageID(args[0])}, At: time.Now(), Text: args[0],
		},
	}))
	gaveUp := core.Verdict{Outcome: core.Dead, Err: core.E(core.NotFound, "loopback: send", "There is nobody of that address.")}
	var watch sync.WaitGroup
	watch.Go(func() { waitDead(ctx, a.queue, stop) })
	ts.Check(a.queue.Run(ctx, map[core.Direction]core.Handler{core.ToNetwork: {
		Batch: 1, Workers: 1,
		Handle: func(_ context.Context, items []*core.Item) []core.Verdict {
			v := make([]core.Verdict, len(items))
			for i := range v {
				v[i] = gaveUp
			}
			return v
		},
	}}))
	watch.Wait()
	dead, err := a.queue.List(context.Background(), outbox.Filter{Dead: true})
	ts.Check(err)
	if len(dead) == 0 {
		ts.Fatalf("nothing was given up")
	}
}

// waitDead calls stop when something is a dead letter.
func waitDead(ctx context.Context, q *outbox.Outbox, stop func()) {
	defer stop()
	for ctx.Err() == nil {
		stats, err := q.Stats(ctx)
		if err != nil {
			return
		}
		for _, s := range stats {
			if s.Dead > 0 && s.Pending == 0 {
				return
			}
		}
		time.Sleep(time.Millisecond) // another look; nothing is measured by it
	}
}
