//go:build integration

package integration

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core/store"
	"gangway/integration/client"
	"gangway/integration/ledger"
	"gangway/integration/servers/serverstest"
	"gangway/integration/twilio"
	"gangway/integration/world"
)

var (
	kills    = flag.Int("kills", 30, "how often the crash test kills the program")
	messages = flag.Int("messages", 3000, "how many messages flow meanwhile")
)

// The legs: from where to where.
const (
	toMail   = "XMPP -> e-mail"
	fromMail = "e-mail -> XMPP"
	toSMS    = "XMPP -> SMS"
	fromSMS  = "SMS -> XMPP"
)

var crashID = regexp.MustCompile(`crash-[a-z]+-[0-9]+`)

// TestCrash kills the program with -9, again and again, while messages flow both ways over e-mail and SMS, and holds
// it to account for every one of them. What is written to one address within a second goes in one mail. What the program had on its disk it must deliver, at least once and under one
// name, or say that it could not. What it had not committed when it died, after the XMPP server had written it, nobody
// can be told of (XEP-0114 has no acknowledgements): that is counted apart.
func TestCrash(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute+time.Duration(*kills)*10*time.Second)
	defer cancel()
	w, err := world.New(world.Options{Dir: serverstest.Dir(t), Binary: binary, Hold: "1s"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(ctx); err != nil {
		t.Fatal(err)
	}
	stopped := false
	defer func() {
		if !stopped {
			_ = w.Stop() // the test has failed already
		}
	}()
	c := &crash{t: t, w: w, ledger: ledger.New(toMail, fromMail, toSMS, fromSMS), over: make(chan struct{})}
	c.alice = login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, c.alice, world.Mail, "alice")
	register(ctx, t, c.alice, world.SMS, world.Numbers()[0])

	var flows sync.WaitGroup
	for _, send := range []func(context.Context, int){c.toMail, c.fromMail, c.toSMS, c.fromSMS} {
		flows.Go(func() { c.flow(ctx, *messages/4, send) })
	}
	c.kill(ctx)
	flows.Wait()
	c.settle(ctx)
	stopped = true
	if err := w.Stop(); err != nil {
		t.Error(err)
	}
	c.readDisk(ctx)
	c.judge()
}

// crash is one run.
type crash struct {
	t      *testing.T
	w      *world.World
	ledger *ledger.Ledger
	alice  *client.Client
	over   chan struct{} // closed when there are no more kills: nothing more to wait for

	mails int // seen in Carol's mailbox so far
	seen  int // stanzas looked at so far
}

// flow hands in n messages, spread over the time that the kills take.
func (c *crash) flow(ctx context.Context, n int, send func(context.Context, int)) {
	pace := time.Duration(*kills) * 1500 * time.Millisecond / time.Duration(n)
	for i := range n {
		send(ctx, i)
		select {
		case <-ctx.Done():
			return
		case <-c.over:
		case <-time.After(rand.N(2 * pace)):
		}
	}
}

func (c *crash) say(to, id string) {
	raw := fmt.Sprintf(`<message type='chat' to='%s' id='%s'><body>%s</body></message>`, to, id, id)
	if err := c.alice.Send(raw); err != nil {
		c.t.Error(err)
	}
}

func (c *crash) toMail(_ context.Context, i int) {
	id := fmt.Sprintf("crash-tomail-%d", i)
	c.ledger.Sent(toMail, id)
	c.say(`carol\40mail.test@`+world.Mail, id)
}

func (c *crash) toSMS(_ context.Context, i int) {
	id := fmt.Sprintf("crash-tosms-%d", i)
	c.ledger.Sent(toSMS, id)
	c.say(fmt.Sprintf("+1555019%04d@%s", i%200, world.SMS), id)
}

func (c *crash) fromMail(ctx context.Context, i int) {
	id := fmt.Sprintf("crash-frommail-%d", i)
	raw := fmt.Sprintf("From: carol@mail.test\r\nTo: alice@%s\r\nSubject: crash\r\nMessage-ID: <%s@mail.test>\r\n\r\n%s\r\n", world.Mail, id, id)
	if err := c.w.Mail.Send(ctx, "carol@mail.test", "alice@"+world.Mail, []byte(raw)); err != nil {
		c.t.Errorf("Postfix does not take %s: %v", id, err)
		return
	}
	c.ledger.Sent(fromMail, id)
	c.ledger.Accepted(id) // by Postfix: it must not be lost from here on
}

// fromSMS is a text message that the provider has: it must arrive even if no webhook could be called.
func (c *crash) fromSMS(ctx context.Context, i int) {
	id := fmt.Sprintf("crash-fromsms-%d", i)
	c.ledger.Sent(fromSMS, id)
	c.ledger.Accepted(id)
	_, _ = c.w.Twilio.Inbound(ctx, fmt.Sprintf("+1555019%04d", i%200), world.Numbers()[0], id) // refused while the program is down
}

// kill kills the program at random moments and starts it again.
func (c *crash) kill(ctx context.Context) {
	defer close(c.over)
	for n := range *kills {
		select {
		case <-ctx.Done():
			return
		case <-time.After(rand.N(1500 * time.Millisecond)):
		}
		if err := c.w.Gangway.Kill(); err != nil {
			c.t.Fatal(err)
		}
		if err := c.w.Gangway.Start(ctx); err != nil {
			c.t.Fatalf("after kill %d: %v", n+1, err)
		}
	}
}

// look reads what has come since the last look.
func (c *crash) look(ctx context.Context) {
	log := c.alice.Log()
	for _, st := range log[c.seen:] {
		if st.Kind() != "message" {
			continue
		}
		if st.Type() == "error" {
			c.ledger.Refused(st.ID())
			continue
		}
		id := crashID.FindString(st.Body())
		switch {
		case id == "":
		case strings.HasPrefix(id, "crash-to"): // a failure that comes late is also told in words
			c.ledger.Refused(id)
		case !c.ledger.Arrived(id, st.ID()):
			c.t.Errorf("%s arrived and was never sent", id)
		}
	}
	c.seen = len(log)
	mails, err := c.w.Mail.Messages(ctx, world.Carol)
	if err != nil {
		c.t.Logf("reading Carol's mailbox: %v", err)
		return
	}
	for _, raw := range mails[c.mails:] {
		ids := crashID.FindAllString(body(string(raw)), -1) // lines that were held together
		if len(ids) == 0 {
			c.t.Errorf("a mail that was never sent: %q", raw)
		}
		for _, id := range ids {
			if !c.ledger.Arrived(id, header(string(raw), "Message-ID")) {
				c.t.Errorf("a mail with what was never sent: %q", raw)
			}
		}
	}
	c.mails = len(mails)
}

func body(raw string) string {
	_, b, _ := strings.Cut(strings.ReplaceAll(raw, "\r\n", "\n"), "\n\n")
	return b
}

// settle waits until everything is accounted for, or nothing more has come for longer than any retry takes: an SMS of
// uncertain fate is looked up twice, the last time after two minutes.
func (c *crash) settle(ctx context.Context) {
	const patience = 200 * time.Second
	last, since := -1, time.Now()
	for ctx.Err() == nil && time.Since(since) < patience {
		c.look(ctx)
		open := 0
		for _, id := range c.ledger.Open() {
			if !strings.HasPrefix(id, "crash-tosms-") || !c.paid(id) {
				open++
			}
		}
		if open == 0 {
			return
		}
		if open != last {
			last, since = open, time.Now()
		}
		if open == c.uncommitted(ctx) {
			return // what is left was never accepted
		}
		time.Sleep(time.Second)
	}
}

// paid says whether the provider has sent the message.
func (c *crash) paid(id string) bool { return c.w.Twilio.Paid()[id] > 0 }

// uncommitted counts the open messages that the program never had on its disk.
func (c *crash) uncommitted(ctx context.Context) int {
	committed, err := c.committed(ctx)
	if err != nil {
		return -1
	}
	n := 0
	for _, id := range c.ledger.Open() {
		if (strings.HasPrefix(id, "crash-tomail-") || strings.HasPrefix(id, "crash-tosms-")) && !committed[id] && !c.paid(id) {
			n++
		}
	}
	return n
}

// committed are the messages that the program has ever had on its disk.
func (c *crash) committed(ctx context.Context) (map[string]bool, error) {
	db, err := store.OpenShared(ctx, store.Config{URL: "sqlite:" + filepath.Join(filepath.Dir(c.w.Config), "gangway.db")})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	ids := map[string]bool{}
	err = db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, "SELECT origin_id FROM messages WHERE mine = 1")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids[id] = true
		}
		return rows.Err()
	})
	return ids, err
}

// readDisk notes what the program's own database and the provider know.
func (c *crash) readDisk(ctx context.Context) {
	committed, err := c.committed(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	for id := range committed {
		c.ledger.Accepted(id)
	}
	for _, m := range c.w.Twilio.Messages() {
		if m.Direction != twilio.DirectionInbound {
			c.ledger.Arrived(m.Body, m.SID)
		}
	}
}

// publish leaves the table where `make test` prints it from.
func (c *crash) publish(table string) {
	if err := os.MkdirAll("../results", 0o755); err != nil {
		c.t.Error(err)
	}
	if err := os.WriteFile("../results/crash.txt", []byte(table), 0o644); err != nil {
		c.t.Error(err)
	}
}

func (c *crash) judge() {
	var table strings.Builder
	if err := c.ledger.Print(&table); err != nil {
		c.t.Fatal(err)
	}
	c.t.Logf("%d kills\n%s", *kills, table.String())
	c.publish(fmt.Sprintf("crash test, %d kills:\n%s", *kills, table.String()))
	for _, bad := range []ledger.Class{ledger.Silent, ledger.Renamed, ledger.Contradict} {
		for _, id := range c.ledger.Of(bad) {
			c.t.Errorf("%v: %s", bad, id)
		}
	}
	if n := c.ledger.Count("", ledger.Once); n < *messages/2 {
		c.t.Errorf("only %d of %d arrived at all: the test shows nothing", n, *messages)
	}
	if c.t.Failed() {
		if log, err := os.ReadFile(c.w.Gangway.Logs()[0]); err == nil {
			c.t.Logf("gangway.log:\n%s", log[max(0, len(log)-20_000):])
		}
	}
}
