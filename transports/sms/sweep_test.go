package sms

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/transporttest"
)

func TestSweepFindsWhatTheWebhookMissed(t *testing.T) {
	p := newProvider(t)
	tr, host := start(t, p)
	for i := range 3 {
		p.made = append(p.made, map[string]any{
			"sid": fmt.Sprintf("SM%032x", 100+i), "to": testNumber, "from": testPeer, "body": fmt.Sprintf("missed %d", i),
			"direction": "inbound", "num_media": "0", "date_created": time.Now().UTC().Format(time.RFC1123Z),
		})
	}
	for range 2 { // the second finds what is known already
		if !tr.sweep(t.Context(), time.Now().Add(-time.Hour)) {
			t.Fatal("the sweep was not whole")
		}
	}
	var texts []string
	for _, e := range host.Events() {
		if m, ok := e.(*core.Message); ok {
			texts = append(texts, m.Text)
		}
	}
	if fmt.Sprint(texts) != "[missed 0 missed 1 missed 2]" {
		t.Errorf("swept %v", texts)
	}
	host.Refuse(core.E(core.Unavailable, "disk", ""))
	if tr.sweep(t.Context(), time.Now().Add(-time.Hour)) {
		t.Error("a sweep that could not deliver calls itself whole")
	}
}

// More than are held at once are all found, each once, the oldest first.
func TestSweepOfMany(t *testing.T) {
	p := newProvider(t)
	tr, host := start(t, p)
	tr.most = 20
	const many = 53
	begin := time.Now().Add(-20 * time.Hour).Truncate(time.Second)
	add := func(n int, each time.Duration) {
		for range n {
			i := len(p.made)
			p.made = append(p.made, map[string]any{
				"sid": fmt.Sprintf("SM%032x", i), "to": testNumber, "from": testPeer, "body": fmt.Sprint(i), "direction": "inbound",
				"num_media": "0", "date_created": begin.Add(time.Duration(i) * each).UTC().Format(time.RFC1123Z),
			})
		}
	}
	add(many, 7*time.Second)
	if !tr.sweep(t.Context(), begin.Add(-time.Hour)) {
		t.Fatal("the sweep was not whole")
	}
	next := 0
	for _, e := range host.Events() {
		m, ok := e.(*core.Message)
		if !ok {
			continue
		}
		if m.Text != fmt.Sprint(next) {
			t.Fatalf("%q was delivered, want %d", m.Text, next)
		}
		next++
	}
	if next != many {
		t.Errorf("%d were delivered, want %d", next, many)
	}

	// What cannot be told apart by time is not called whole.
	p.mu.Lock()
	p.made = nil
	add(40, 0)
	p.mu.Unlock()
	if tr.sweep(t.Context(), begin.Add(-time.Hour)) {
		t.Error("a sweep that left some out calls itself whole")
	}
}

func TestSweepsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := transporttest.NewHost(t)
		tr, err := newTransport(host, settings{Account: testAccount, Token: testToken, APIURL: "http://127.0.0.1:1", Numbers: []string{testNumber}})
		if err != nil {
			t.Fatal(err)
		}
		sweeps := 0
		tr.api.http.DialContext = func(context.Context, string, string) (net.Conn, error) {
			sweeps++
			return nil, errors.New("away")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 21*time.Minute)
		defer cancel()
		if err := tr.Run(ctx); err != nil || sweeps != 5 {
			t.Errorf("Run = %v after %d sweeps", err, sweeps)
		}
	})
}

// What came while the provider could not be reached, however long, is looked for when it can be again: also by the
// next run of the program.
func TestSweepReachesBackToTheLastWholeOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := transporttest.NewHost(t)
		away := false
		var since []time.Time
		run := func(d time.Duration) {
			tr, err := newTransport(host, settings{Account: testAccount, Token: testToken, APIURL: "http://127.0.0.1:1", Numbers: []string{testNumber}})
			if err != nil {
				t.Fatal(err)
			}
			tr.api.http.DialContext = func(context.Context, string, string) (net.Conn, error) {
				if away {
					return nil, errors.New("away")
				}
				return emptyList(&since), nil
			}
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			if err := tr.Run(ctx); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		run(time.Minute)
		away = true
		run(30 * time.Hour)
		time.Sleep(20 * time.Hour)
		away = false
		run(6 * time.Minute)
		if len(since) != 3 {
			t.Fatalf("%d sweeps reached the provider", len(since))
		}
		for i, limit := range []time.Time{began.Add(-firstBack), began, time.Now().Add(-sweepBack)} {
			if since[i].After(limit) {
				t.Errorf("sweep %d looks back to %v only, want %v", i, since[i], limit)
			}
		}
		if since[2].Before(time.Now().Add(-firstBack)) {
			t.Errorf("the sweep after a whole one looks back to %v", since[2])
		}
	})
}

// emptyList is a connection to a provider that has no messages, and notes since when it is asked for them.
func emptyList(since *[]time.Time) net.Conn {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		r, err := http.ReadRequest(bufio.NewReader(far))
		if err != nil {
			return
		}
		at, err := time.Parse(time.RFC3339, r.FormValue("DateSent>"))
		if err == nil {
			*since = append(*since, at)
		}
		body := `{"messages":[]}`
		fmt.Fprintf(far, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}()
	return near
}

// A number's old messages are not its new owner's, nor twice those of somebody who registers again.
func TestSweepIsNotForWhatCameBeforeTheAccount(t *testing.T) {
	p := newProvider(t)
	tr, host := start(t, p)
	const number = "+15550100002"
	now := time.Now()
	host.Add(core.Account{ID: "b1", User: "bob@example.test", Network: "sms", Own: number, Created: now.Add(-10 * time.Minute)})
	for i, at := range []time.Time{now.Add(-30 * time.Minute), now.Add(-5 * time.Minute)} {
		p.made = append(p.made, map[string]any{
			"sid": fmt.Sprintf("SM%032x", 100+i), "to": number, "from": testPeer, "body": fmt.Sprintf("text %d", i),
			"direction": "inbound", "num_media": "0", "date_created": at.UTC().Format(time.RFC1123Z),
		})
	}
	if !tr.sweep(t.Context(), now.Add(-time.Hour)) {
		t.Error("the sweep was not whole")
	}
	var texts []string
	for _, e := range host.Events() {
		if m, ok := e.(*core.Message); ok {
			texts = append(texts, m.Text)
		}
	}
	if fmt.Sprint(texts) != "[text 1]" {
		t.Errorf("swept %v", texts)
	}
}
