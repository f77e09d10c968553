//go:build integration

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gangway/transports/email/mailbox"
)

// followJob names the environment variable with which the tests' program is no test, but follows a mailbox.
const followJob = "GANGWAY_FOLLOW"

// followed is what it follows, as JSON.
type followed struct {
	Server mailbox.Server
	User   string
	Dir    string // of its ledger and its cursors
}

// followMailbox writes the Message-ID of each mail into a ledger before it says that it has it.
func followMailbox(job string) int {
	var f followed
	if err := json.Unmarshal([]byte(job), &f); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ledger, err := os.OpenFile(filepath.Join(f.Dir, "ledger"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	box := mailbox.New(mailbox.Config{
		Server: f.Server, Login: mailbox.Login{User: f.User, Password: mailboxPassword}, Cursor: files(f.Dir), NoSent: true,
		Deliver: func(_ context.Context, m mailbox.Mail) error {
			_, err := fmt.Fprintln(ledger, m.MessageID)
			return err
		},
	})
	fmt.Fprintln(os.Stderr, box.Run(context.Background()))
	return 1
}

// files is a mailbox.Store of files in a folder.
type files string

func (f files) Load(_ context.Context, name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(string(f), name))
	if os.IsNotExist(err) {
		return nil, nil
	}
	return b, err
}

func (f files) Save(_ context.Context, name string, b []byte) error {
	tmp := filepath.Join(string(f), name+".new")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(string(f), name))
}

// The program is killed again and again while mail comes: each mail is delivered, perhaps more than once.
func imapCrash(s *imapStage) {
	s.follow()() // so that mail that comes from now on is new
	dir := s.TempDir()
	if err := files(dir).Save(s.ctx, "inbox", s.store.byName["inbox"]); err != nil {
		s.Fatal(err)
	}
	job, err := json.Marshal(followed{Server: server(s.dovecot.IMAPAddr(), mailbox.Plain), User: s.user, Dir: dir})
	if err != nil {
		s.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	start := func() (kill func()) {
		cmd := exec.CommandContext(s.ctx, self)
		cmd.Env = append(os.Environ(), followJob+"="+string(job))
		if err := cmd.Start(); err != nil {
			s.Fatal(err)
		}
		return func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // how it was killed
		}
	}
	ledger := func() string {
		b, _ := os.ReadFile(filepath.Join(dir, "ledger"))
		return string(b)
	}
	ids := numbered(80)
	for i := range 4 {
		kill := start()
		before := len(ledger())
		s.deliver(ids[i*20 : (i+1)*20]...)
		s.wait("the next mail in the ledger", func() bool { return len(ledger()) > before })
		time.Sleep(rand.N(30 * time.Millisecond)) // anywhere; no outcome depends on where
		kill()
	}
	defer start()()
	s.wait("all mails in the ledger", func() bool {
		b := []byte(ledger())
		for _, id := range ids {
			if !bytes.Contains(b, []byte("<"+id+">\n")) {
				return false
			}
		}
		return true
	})
	s.Logf("%d mails, %d deliveries", len(ids), strings.Count(ledger(), "\n"))
}
