package email

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core/transporttest"
)

// pipes is a listener inside the test, so that time can be the test's own.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	ended chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.ended) })
	return nil
}

func (p *pipes) Addr() net.Addr { return fakeAddr("192.0.2.1:25") }

type pipeConn struct{ net.Conn }

func (pipeConn) RemoteAddr() net.Addr { return fakeAddr("192.0.2.2:1000") }

// inTime runs test with a greeted connection to a server with its real limits, in the test's own time.
func inTime(t *testing.T, lmtp bool, test func(*testing.T, *gateway, *dialogue)) {
	synctest.Test(t, func(t *testing.T) {
		host := transporttest.NewHost(t, alice, bella)
		made, err := newTransport(host, decoder(map[string]any{"verify": "off",
			"domain": domain, "relay": "smtp://127.0.0.1:1", "hmac_key": "0123456789abcdef", "max_size": int64(leastMaxSize),
		}))
		if err != nil {
			t.Fatal(err)
		}
		tr := made.(*transport)
		p := &pipes{conns: make(chan net.Conn), ended: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		var server sync.WaitGroup
		server.Go(func() {
			if err := tr.newServer(p, lmtp).run(ctx); err != nil {
				t.Errorf("run: %v", err)
			}
		})
		ours, theirs := net.Pipe()
		p.conns <- pipeConn{theirs}
		d := &dialogue{t: t, Conn: ours, r: bufio.NewReader(ours)}
		d.expect("220")
		d.send(map[bool]string{true: "LHLO me", false: "EHLO me"}[lmtp])
		d.expect("250")
		test(t, &gateway{transport: tr, host: host}, d)
		ours.Close()
		cancel()
		server.Wait()
	})
}

// push writes without caring whether anybody still reads.
func (d *dialogue) push(s string) {
	d.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(d, s)
}

// A body that stalls must never be taken up again as commands: whoever writes the body would write the envelope of
// another mail.
func TestStalledBodyIsNotExecuted(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		inTime(t, lmtp, func(t *testing.T, g *gateway, d *dialogue) {
			d.transaction("bob@example.com", "alice@gw.example")
			d.send("Subject: outer", "", "stalls here")
			d.expect("4") // when the time is over
			go d.push("MAIL FROM:<eve@example.com>\r\nRCPT TO:<bella@gw.example>\r\nDATA\r\nSubject: forged\r\n\r\nforged\r\n.\r\n")
			if rest := d.ended(); strings.Contains(rest, "250") || strings.Contains(rest, "354") {
				t.Errorf("went on with %q", rest)
			}
			if got := g.messages(); len(got) != 0 {
				t.Errorf("delivered %+v", got)
			}
		})
	}
}

// The same while go-smtp throws away the rest of a mail that was refused already.
func TestStalledRestIsNotExecuted(t *testing.T) {
	inTime(t, false, func(t *testing.T, g *gateway, d *dialogue) {
		d.transaction("bob@example.com", "alice@gw.example")
		d.send(strings.Repeat("x", leastMaxSize), strings.Repeat("y", 10))
		d.expect("552")
		go d.push("MAIL FROM:<eve@example.com>\r\nNOOP\r\n")
		if rest := d.ended(); strings.Contains(rest, "250") {
			t.Errorf("went on with %q", rest)
		}
	})
}

// A chunk that stalls is no mail, and what comes after it no command.
func TestStalledChunk(t *testing.T) {
	inTime(t, false, func(t *testing.T, g *gateway, d *dialogue) {
		d.send("MAIL FROM:<bob@example.com>")
		d.expect("250")
		d.send("RCPT TO:<alice@gw.example>")
		d.expect("250")
		d.send("BDAT 1000 LAST", "Subject: x", "", "stalls")
		d.expect("5")
		go d.push("MAIL FROM:<eve@example.com>\r\nNOOP\r\n")
		if rest := d.ended(); strings.Contains(rest, "250") {
			t.Errorf("went on with %q", rest)
		}
		if got := g.messages(); len(got) != 0 {
			t.Errorf("delivered %+v", got)
		}
	})
}

func TestIdle(t *testing.T) {
	inTime(t, false, func(t *testing.T, g *gateway, d *dialogue) {
		began := time.Now()
		d.expect("421")
		d.ended()
		if got := time.Since(began); got != g.limits.idle {
			t.Errorf("ended after %v", got)
		}
	})
}

func TestSlowSenderIsHeard(t *testing.T) {
	inTime(t, false, func(_ *testing.T, g *gateway, d *dialogue) {
		d.transaction("bob@example.com", "alice@gw.example")
		for range 10 { // longer than the idle time in all, never in one piece
			d.send("A: b")
			time.Sleep(g.limits.idle - time.Second)
		}
		d.send("", "slow", ".")
		d.expect("250")
	})
}

func TestTransactionBudget(t *testing.T) {
	for _, commands := range [][]string{{"NOOP"}, {"MAIL FROM:<bob@example.com>", "RSET"}} {
		inTime(t, false, func(t *testing.T, g *gateway, d *dialogue) {
			began := time.Now()
			for time.Since(began) <= g.limits.budget+time.Minute {
				for _, c := range commands {
					go d.push(c + "\r\n")
					if got, err := d.reply(); err != nil || strings.HasPrefix(got, "421") {
						return
					}
				}
				time.Sleep(30 * time.Second)
			}
			t.Errorf("%q for ever keep a connection", commands)
		})
	}
}

func TestBudgetIsPerMail(t *testing.T) {
	inTime(t, false, func(_ *testing.T, g *gateway, d *dialogue) {
		for i := range 40 { // longer than the budget in all
			time.Sleep(g.limits.idle - time.Second)
			d.transaction("bob@example.com", "alice@gw.example")
			d.send(fmt.Sprintf("Message-ID: <b%d@x.example>", i), "", "x", ".")
			d.expect("250")
		}
	})
}

func TestTarpit(t *testing.T) {
	inTime(t, false, func(t *testing.T, g *gateway, d *dialogue) {
		d.send("MAIL FROM:<bob@example.com>")
		d.expect("250")
		began := time.Now()
		for range g.limits.unknown {
			d.send("RCPT TO:<nobody@gw.example>")
			d.expect("550")
		}
		if time.Since(began) != 0 {
			t.Error("a mistake is punished")
		}
		d.send("RCPT TO:<nobody@gw.example>")
		d.expect("421")
		if got := time.Since(began); got != g.limits.tarpit {
			t.Errorf("answered after %v", got)
		}
		d.ended()
	})
}
