package irc

import (
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/transports/irc/ircdtest"
)

// listen runs fn for everybody who connects, until the test ends, and returns the port.
func listen(t *testing.T, fn func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				fn(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// greeter says one line to whoever connects, whatever they say.
func greeter(line string) func(net.Conn) {
	return func(conn net.Conn) {
		conn.Read(make([]byte, 1000))
		fmt.Fprintf(conn, "%s\r\n", line)
	}
}

// mute takes everything, says nothing, and tells when somebody waits for it to.
func mute(waits chan<- time.Time) func(net.Conn) {
	return func(conn net.Conn) {
		b := make([]byte, 1000)
		for {
			if _, err := conn.Read(b); err != nil {
				return
			}
			select {
			case waits <- time.Now():
			default:
			}
		}
	}
}

// looked is the finding about a step.
func looked(t *testing.T, found []core.Finding, step string) core.Finding {
	t.Helper()
	i := slices.IndexFunc(found, func(f core.Finding) bool { return f.Name == "irc.test "+step })
	if i < 0 {
		t.Fatalf("nothing about %s in %+v", step, found)
	}
	return found[i]
}

// TestCheckFails has networks that are broken in one way each: the last finding says which, and what to do.
func TestCheckFails(t *testing.T) {
	cert, ca := certificate(t)
	ended, endedCA := certificateUntil(t, time.Now().Add(-time.Hour))
	secure := serve(t, &ircdtest.Server{}, &tls.Config{Certificates: []tls.Certificate{cert}})
	over := serve(t, &ircdtest.Server{}, &tls.Config{Certificates: []tls.Certificate{ended}})
	late := map[string]chan time.Time{"mute": make(chan time.Time, 1), "mute in TLS": make(chan time.Time, 1)}
	for name, c := range map[string]struct{ config, step, want, next string }{
		"unknown authority": {"address = \"ircs://localhost:" + secure + "\"", stepTLS, "cannot be verified", `name its file as "ca". (The certificate is of localhost,`},
		"wrong name":        {"address = \"ircs://127.0.0.1:" + secure + "\"\nca = \"" + ca + "\"", stepTLS, "cannot be verified", "It is the certificate of localhost."},
		"ended":             {"address = \"ircs://localhost:" + over + "\"\nca = \"" + endedCA + "\"", stepTLS, "cannot be verified", "must renew it"},
		"plain server":      {"address = \"ircs://localhost:" + listen(t, greeter(":irc.test NOTICE * :*** Hello")) + "\"", stepTLS, "does not speak TLS", "Name the port of the network that has TLS"},
		"mute in TLS":       {"address = \"ircs://localhost:" + listen(t, mute(late["mute in TLS"])) + "\"", stepTLS, "lets nobody in within", "Look at the network's address"},
		"mute":              {"address = \"irc://localhost:" + listen(t, mute(late["mute"])) + "\"", stepRegister, "lets nobody in within", "Look at the network's address"},
		"nobody there":      {"address = \"irc://localhost:1\"", stepConnect, "cannot be reached", "Nothing listens at localhost:1."},
		"no such name":      {"address = \"irc://nowhere.invalid\"", stepResolve, "", "Look at the network's address"},
		"banned":            {"address = \"irc://127.0.0.1:" + listen(t, greeter("ERROR :Closing Link: (K-Lined)")) + "\"", stepRegister, "K-Lined", "let this machine's address in"},
		"throttled":         {"address = \"irc://127.0.0.1:" + listen(t, greeter("ERROR :Trying to reconnect too fast.")) + "\"", stepRegister, "too fast", "exemption"},
		"wrong password":    {"address = \"irc://127.0.0.1:" + listen(t, greeter(":irc.test 464 * :Password incorrect")) + "\"", stepRegister, "Password incorrect", "the network's password"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := transportOf(t, "[network.\"irc.test\"]\n"+c.config)
			found := tr.checkNetwork(t.Context(), tr.networks["irc.test"], late[name])
			last := found[len(found)-1]
			if last.Name != "irc.test "+c.step || last.Err == nil || last.Warn || !strings.Contains(last.Err.Error(), c.want) || !strings.Contains(last.Text, c.next) {
				t.Errorf("found %+v", found)
			}
			for _, f := range found[:len(found)-1] {
				if f.Err != nil && !f.Warn {
					t.Errorf("and %+v", f)
				}
			}
		})
	}
}

// TestCheckFinds looks at networks that work.
func TestCheckFinds(t *testing.T) {
	cert, ca := certificateUntil(t, time.Now().Add(60*24*time.Hour))
	soon, soonCA := certificate(t)
	all := []string{"echo-message", "labeled-response", "message-tags", "server-time", "away-notify", "draft/chathistory"}
	for name, c := range map[string]struct {
		config string
		want   map[string]string // by step
		warn   string            // the step that is warned of
	}{
		"plain": {
			"address = \"irc://127.0.0.1:" + serve(t, &ircdtest.Server{}, nil) + "\"",
			map[string]string{
				stepResolve: "an IPv4 address", stepConnect: "by IPv4 in", stepTLS: "without TLS", stepRegister: "let in as gangway", "login": "no login",
				"echo-message": "no: ", "labeled-response": "no: ", "history": "lost to them", "limits": "by ascii (CASEMAPPING)", "sts": "nothing",
				"offers": "nothing beyond what IRC always had (capabilities: none)",
			}, "",
		},
		"secure": {
			"address = \"ircs://localhost:" + serve(t, &ircdtest.Server{Caps: append(all, "sasl=PLAIN,EXTERNAL,X", "sts=duration=1000")}, &tls.Config{Certificates: []tls.Certificate{cert}}) + "\"\nca = \"" + ca + "\"",
			map[string]string{
				stepResolve: "127.0.0.1", stepTLS: "TLS 1.3, the certificate of localhost, verified by the \"ca\"", "login": "EXTERNAL, PLAIN (SASL; the network has PLAIN, EXTERNAL, X)",
				"echo-message": "yes: ", "labeled-response": "yes: ", "history": "CHATHISTORY", "sts": "wants TLS only (duration=1000)",
				"offers": "replies, reactions, who is typing, when it was said, who is away (capabilities: message-tags server-time",
			}, "",
		},
		"soon over": {
			"address = \"ircs://localhost:" + serve(t, &ircdtest.Server{}, &tls.Config{Certificates: []tls.Certificate{soon}}) + "\"\nca = \"" + soonCA + "\"",
			map[string]string{stepTLS: "must renew"}, stepTLS,
		},
		"odd logins": {
			"address = \"irc://127.0.0.1:" + serve(t, &ircdtest.Server{Caps: []string{"sasl=X"}}, nil) + "\"",
			map[string]string{"login": "tell NickServ"}, "login",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := transportOf(t, "[network.\"irc.test\"]\n"+c.config)
			found := tr.Check(t.Context())
			for step, want := range c.want {
				if f := looked(t, found, step); !strings.Contains(f.Text, want) {
					t.Errorf("%s: %+v", step, f)
				}
			}
			for _, f := range found {
				if (f.Err != nil) != (f.Name == "irc.test "+c.warn) && f.Name != "irc.test connect" { // localhost may have an address too many
					t.Errorf("found %+v", f)
				}
				if f.Err != nil && !f.Warn {
					t.Errorf("found %+v", f)
				}
			}
		})
	}
}

// TestCheckFollowsSTS looks at a network that is plain in the configuration and wants TLS.
func TestCheckFollowsSTS(t *testing.T) {
	cert, ca := certificate(t)
	port := serve(t, &ircdtest.Server{}, &tls.Config{Certificates: []tls.Certificate{cert}})
	plain := serve(t, &ircdtest.Server{Caps: []string{"sts=port=" + port}}, nil)
	tr := transportOf(t, "[network.\"irc.test\"]\naddress = \"irc://localhost:"+plain+"\"\nca = \""+ca+"\"")
	found := tr.Check(t.Context())
	if f := looked(t, found, "sts"); !f.Warn || !strings.Contains(f.Text, "ircs://localhost:"+port) {
		t.Errorf("found %+v", f)
	}
	if f := looked(t, found, stepTLS); !strings.Contains(f.Text+fmt.Sprint(f.Err), "TLS 1.3") {
		t.Errorf("found %+v", f)
	}
}

// TestCheckNames says which networks are looked at: those that have a table, and those that are only allowed by name.
func TestCheckNames(t *testing.T) {
	tr := transportOf(t, "networks = [\"*\", \"irc.other.test\", \"irc.test\"]\n[network.\"irc.test\"]\naddress = \"irc://127.0.0.1\"")
	var names []string
	for _, n := range tr.named() {
		names = append(names, n.name+" "+n.address)
	}
	if got := strings.Join(names, ","); got != "irc.other.test irc.other.test:6697,irc.test 127.0.0.1:6667" {
		t.Errorf("named %s", got)
	}
	found := transportOf(t, `networks = ["*"]`).Check(t.Context())
	if len(found) != 1 || found[0].Err != nil || found[0].Text == "" {
		t.Errorf("found %+v", found)
	}
}
