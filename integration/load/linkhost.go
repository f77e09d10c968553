package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"

	"gangway/core/xmpp/stream"
)

const (
	linkDomain = "irc.gw.example"
	linkSecret = "s3cret" //nolint:gosec // both ends are here
	linkLimit  = 2 * time.Minute
)

// linkMedian runs a component several times and returns the run in the middle.
func linkMedian(o linkOptions, c linkCase, component string) (linkResult, error) {
	n := max(1, o.count*c.share/100)
	results := make([]linkResult, o.runs)
	for i := range results {
		r, err := linkRun(n, c.window, o.senders, component)
		if err != nil {
			return r, err
		}
		results[i] = r
	}
	slices.SortFunc(results, func(a, b linkResult) int {
		if a.cpu() < b.cpu() {
			return -1
		}
		return 1
	})
	return results[len(results)/2], nil
}

// linkRun starts the component, sends it n messages and takes its CPU time.
func linkRun(n, window, senders int, component string) (linkResult, error) {
	ctx, cancel := context.WithTimeout(context.Background(), linkLimit)
	defer cancel()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return linkResult{}, err
	}
	defer l.Close()
	self, err := os.Executable()
	if err != nil {
		return linkResult{}, err
	}
	cmd := exec.CommandContext(ctx, self, "link", "-child", component, "-server", l.Addr().String()) //nolint:gosec // ourselves
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return linkResult{}, err
	}
	took, err := linkServe(l, n, window, senders)
	_ = cmd.Process.Signal(syscall.SIGTERM) // a link goes on when its server goes; mellium's session ends by itself
	werr := cmd.Wait()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signal() == syscall.SIGTERM {
		werr = nil
	}
	if err := errors.Join(err, werr); err != nil {
		return linkResult{}, err
	}
	return newLinkResult(n, cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime(), took), nil
}

// linkServe plays the host server for one component: n messages, never more than
// window of them unanswered, then the closing tag.
func linkServe(l net.Listener, n, window, senders int) (time.Duration, error) {
	if t, ok := l.(*net.TCPListener); ok {
		_ = t.SetDeadline(time.Now().Add(linkLimit))
	}
	conn, err := l.Accept()
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(linkLimit))
	rd := stream.NewReader(conn, stream.Limits{})
	if _, err := rd.ReadHeader(); err != nil {
		return 0, err
	}
	_, err = io.WriteString(conn, "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "+
		"xmlns:stream='http://etherx.jabber.org/streams' id='load' from='"+linkDomain+"'>")
	if err != nil {
		return 0, err
	}
	if _, err := rd.Next(); err != nil {
		return 0, fmt.Errorf("handshake: %w", err)
	}
	if _, err := io.WriteString(conn, "<handshake/>"); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := linkTraffic(conn, rd, n, window, senders); err != nil {
		return 0, err
	}
	took := time.Since(began)
	_, err = io.WriteString(conn, stream.CloseTag)
	return took, err
}

func linkTraffic(conn net.Conn, rd *stream.Reader, n, window, senders int) error {
	room := make(chan struct{}, window)
	wrote := make(chan error, 1)
	go func() { wrote <- linkSend(conn, room, n, senders) }()
	for i := range n {
		st, err := rd.Next()
		if err != nil {
			conn.Close() // ends the sending
			return errors.Join(fmt.Errorf("after %d messages: %w", i, err), <-wrote)
		}
		if st.Kind != stream.Message || st.Body() == "" {
			return fmt.Errorf("the component said %s", st)
		}
		st.Release()
		<-room
	}
	return <-wrote
}

// linkSend writes messages as Prosody does, and flushes when there is no room
// for another or 16 KiB are together.
func linkSend(conn net.Conn, room chan struct{}, n, senders int) error {
	w := bufio.NewWriterSize(conn, 16<<10)
	for i := range n {
		select {
		case room <- struct{}{}:
		default:
			if err := w.Flush(); err != nil {
				return err
			}
			room <- struct{}{}
		}
		id := strconv.Itoa(i)
		_, _ = w.WriteString("<message to='#chan%irc.example@" + linkDomain + "' from='user" + strconv.Itoa(i%senders) + // an error sticks
			"@example.org/phone' type='chat' id='a1b2c3d4-" + id + "'><body>Hello, how are you? It &amp; the rest &lt;3</body>" +
			"<request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='a1b2c3d4-" + id + "'/>" +
			"<active xmlns='http://jabber.org/protocol/chatstates'/></message>")
	}
	return w.Flush()
}
