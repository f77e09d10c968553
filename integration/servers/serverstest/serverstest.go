// Package serverstest gives tests the real servers of package servers: started in a directory of the test, stopped
// when it ends, their logs in the test's output when it failed.
package serverstest

import (
	"os"
	"testing"

	"gangway/integration/servers"
)

// Dir is a directory for servers that goes away with the test. Its name is short, unlike t.TempDir's, because unix
// socket paths are bounded, and other users may pass through it.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // the servers' users pass through it
		t.Fatal(err)
	}
	return dir
}

// Start starts a server and stops it when the test ends; make is servers.NewX.
//
//	prosody := serverstest.Start(t, servers.NewProsody, servers.HostConfig{Dir: serverstest.Dir(t)})
func Start[C any, S servers.Server](t testing.TB, make func(C) (S, error), conf C) S {
	t.Helper()
	s, err := make(conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			LogTails(t, s)
		}
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// DNS starts a name server that ends with the test.
func DNS(t testing.TB, records ...string) *servers.DNS {
	t.Helper()
	s, err := servers.StartDNS(records...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// LogTails puts the ends of a server's logs into the test's output.
func LogTails(t testing.TB, s servers.Server) {
	t.Helper()
	for _, name := range s.Logs() {
		if text, err := servers.Tail(name); err == nil && text != "" {
			t.Logf("--- %s of %s\n%s", name, s.Name(), text)
		}
	}
}
