package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	ircDomain = "irc.gw.example"
	ircSecret = "s3cret" //nolint:gosec // both ends are here
)

// ircKind is a gateway to be measured.
type ircKind struct {
	name string
	// command writes the gateway's configuration into dir and returns how it is run.
	command func(dir, xmpp, network string) (*exec.Cmd, error)
	// prepare is called when the gateway is linked; may be nil.
	prepare func(*ircStage) error
}

// ircKinds are the gateways that are here: ours, and biboumi where it is installed.
func ircKinds(o ircOptions) []ircKind {
	kinds := []ircKind{{"gangway", o.gangwayCommand, nil}}
	if o.alone {
		return kinds
	}
	if path, err := exec.LookPath("biboumi"); err == nil {
		kinds = append(kinds, ircKind{"biboumi", func(dir, xmpp, _ string) (*exec.Cmd, error) {
			return biboumiCommand(path, dir, xmpp)
		}, biboumiUnthrottled})
	}
	return kinds
}

// gangwayCommand configures the network without flood control, unless the way back is what is measured.
func (o *ircOptions) gangwayCommand(dir, xmpp, network string) (*exec.Cmd, error) {
	flood := "flood_interval = \"0s\"\n"
	if o.rejoin {
		flood = ""
	}
	file, err := writeConfig(dir, xmpp, fmt.Sprintf(`
[transport.irc]
domain = %q
secret = %q
linger = "1h"
[transport.irc.network.%q]
address = "irc://%s:6667"
%s`, ircDomain, ircSecret, network, network, flood))
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(context.Background(), o.gangway, "run", "-c", file), nil //nolint:gosec // our own
}

// writeConfig writes the configuration of a gateway that keeps its data in dir, with more behind what all have.
func writeConfig(dir, xmpp, more string) (file string, err error) {
	text := fmt.Sprintf(`
[xmpp]
server = %q
domain = "example.org"
[store]
url = "sqlite:%s/gangway.db"
[access]
allow = ["*@example.org"]
[limits]
messages = 0
registrations = 0
domain_registrations = 0
[log]
level = "warn"
`, xmpp, dir) + more
	file = filepath.Join(dir, "gangway.toml")
	return file, os.WriteFile(file, []byte(text), 0o600)
}

// biboumiCommand leaves everything as Debian has it. biboumi tries the ports of TLS first, which refuse.
func biboumiCommand(path, dir, xmpp string) (*exec.Cmd, error) {
	_, port, ok := strings.Cut(xmpp, ":")
	if !ok {
		return nil, errors.New("biboumi: no port")
	}
	text := fmt.Sprintf("hostname=%s\npassword=%s\nxmpp_server_ip=127.0.0.1\nport=%s\ndb_name=%s/biboumi.sqlite\n"+
		"log_level=3\nlog_file=%s/biboumi.log\nidentd_port=0\n", ircDomain, ircSecret, port, dir, dir)
	file := filepath.Join(dir, "biboumi.cfg")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return exec.CommandContext(context.Background(), path, file), nil //nolint:gosec // our own
}

// biboumiUnthrottled takes away the flood control for the first user, who is the one that sends. What a form leaves out
// is emptied.
func biboumiUnthrottled(s *ircStage) error {
	const command = "<command xmlns='http://jabber.org/protocol/commands' node='configure' "
	form, err := s.ask("c1", "set", s.net.name+"@"+ircDomain, command+"action='execute'/>")
	if err != nil {
		return err
	}
	session := form.Child("http://jabber.org/protocol/commands", "command").Attr("sessionid")
	_, err = s.ask("c2", "set", s.net.name+"@"+ircDomain, command+"action='complete' sessionid="+quoted(session)+">"+
		"<x xmlns='jabber:x:data' type='submit'><field var='ports'><value>6667</value></field>"+
		"<field var='throttle_limit'><value>-1</value></field></x></command>")
	return err
}

// ircChild is a gateway that runs.
type ircChild struct {
	cmd  *exec.Cmd
	log  string        // the file with what it complains of
	done chan struct{} // closed when it has ended
	err  error         // how; to be read after done
}

// startChild runs a gateway, whose configuration is its last argument; what it complains of is written beside that.
func startChild(cmd *exec.Cmd) (*ircChild, error) {
	complaints, err := os.Create(filepath.Join(filepath.Dir(cmd.Args[len(cmd.Args)-1]), "stderr"))
	if err != nil {
		return nil, err
	}
	defer complaints.Close()
	cmd.Stderr = complaints
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &ircChild{cmd: cmd, log: complaints.Name(), done: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// lastWords is the end of what it has complained of.
func (c *ircChild) lastWords() string {
	const most = 2000
	text, err := os.ReadFile(c.log)
	if err != nil || len(text) == 0 {
		return "without a word"
	}
	return string(text[max(0, len(text)-most):])
}

// end sends a signal and waits; one who does not end is killed.
func (c *ircChild) end(sig syscall.Signal) {
	_ = c.cmd.Process.Signal(sig) // it may have ended
	select {
	case <-c.done:
	case <-time.After(30 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}

// cpu is the processor time of the process so far.
func (c *ircChild) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	return statCPU(string(text))
}

// statCPU reads user and system time, in ticks of a hundredth of a second, from proc_pid_stat(5). The name of the
// program, in parentheses, may hold anything.
func statCPU(stat string) (time.Duration, error) {
	rest, ok := afterLast(stat, ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is not understood")
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	if err != nil {
		return 0, err
	}
	return time.Duration(user+system) * (time.Second / 100), nil
}

// afterLast returns what follows the last sep.
func afterLast(s, sep string) (after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", false
	}
	return s[i+len(sep):], true
}

// rss is the resident set of the process, in KiB.
func (c *ircChild) rss() (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, errors.New("/proc/PID/statm is not understood")
	}
	pages, err := strconv.Atoi(fields[1])
	return pages * os.Getpagesize() / 1024, err
}

// settled is the processor time once the process has come to rest: what is written behind a message counts with it.
func (c *ircChild) settled(ctx context.Context) (time.Duration, error) {
	last, err := c.cpu()
	for quiet := 0; err == nil && quiet < 3; {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-c.done:
			return 0, fmt.Errorf("the gateway has ended: %w", c.err)
		case <-time.After(100 * time.Millisecond):
		}
		var now time.Duration
		if now, err = c.cpu(); now > last+10*time.Millisecond {
			quiet = 0
		} else {
			quiet++
		}
		last = now
	}
	return last, err
}
