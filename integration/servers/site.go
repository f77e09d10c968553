package servers

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Site is another place on the network: a network namespace, with a hub between it and this machine. The line from the
// hub can be cut: no packet comes through any more, nothing is reset, and neither end loses its carrier. A side entrance
// stays, for those who watch. Everything that makes up a site goes away with the process that made it, however that
// ends.
type Site struct {
	// Addr and Addr6 are the site's addresses on the line that can be cut, Side on the other, Home and Home6 this
	// machine's on the first.
	Addr, Addr6, Side, Home, Home6 netip.Addr
	// Users is a prefix that the site takes to be routed to this machine, which takes all its addresses for its own.
	Users netip.Prefix

	name    string // of this machine's end of the line, and with an s of the side's
	hub, ns namespace
}

// namespace is a network namespace, which lives as long as somebody holds it: this process, or another one within.
type namespace struct{ *os.File }

// NewSite makes one; that needs the right to administer the network, which a container may lack. The caller closes it.
func NewSite() (*Site, error) {
	s, err := newSite()
	if err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	if err := s.build(); err != nil {
		return nil, errors.Join(fmt.Errorf("network namespace: %w", err), s.Close())
	}
	return s, nil
}

// newSite makes the empty namespaces and chooses addresses: IPv4 of RFC 2544's, which nobody uses, and IPv6 of RFC
// 4193's.
func newSite() (*Site, error) {
	n := rand.Uint32N(1 << 13) //nolint:gosec // not a secret
	high, low := byte(n>>5), byte(n<<3)
	at := func(i byte) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, high, low + i}) }
	net6 := func(subnet, host byte) netip.Addr {
		return netip.AddrFrom16([16]byte{0: 0xfd, 1: 0x18, 2: high, 3: low, 7: subnet, 15: host})
	}
	s := &Site{
		Home: at(1), Addr: at(2), Side: at(6), Home6: net6(1, 1), Addr6: net6(1, 2),
		Users: netip.PrefixFrom(net6(2, 0), 64), name: fmt.Sprintf("gwl%x", n),
	}
	var err error
	if s.hub, err = newNamespace(); err != nil {
		return nil, err
	}
	if s.ns, err = newNamespace(); err != nil {
		return nil, errors.Join(err, s.hub.Close())
	}
	return s, nil
}

func newNamespace() (n namespace, err error) {
	err = inThread(func() (err error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		n.File, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	return n, err
}

// inThread runs fn in an operating system's thread of its own, which ends afterwards: the runtime ends one whose
// goroutine ends while it is locked to it.
func inThread(fn func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- fn()
	}()
	return <-done
}

// enter moves the calling thread, which must be locked and never be unlocked again, into the namespace.
func (n namespace) enter() error {
	return os.NewSyscallError("setns", unix.Setns(int(n.Fd()), unix.CLONE_NEWNET))
}

// The commands of ip(8) that build a site, in each of the three places. Neighbours are told, so that a line that is cut
// shows as silence, and not as an address that nobody has.
const (
	siteHere = `link add LINE type veth peer name here netns HUB
link set LINE address 02:67:77:00:00:01 up
address add HOME/30 dev LINE
address add HOME6/64 dev LINE nodad
neighbour add ADDR lladdr 02:67:77:00:00:02 dev LINE nud permanent
neighbour add ADDR6 lladdr 02:67:77:00:00:02 dev LINE nud permanent
route add local USERS dev LINE
link add LINEs type veth peer name side netns SITE
link set LINEs up
address add SIDEHOME/30 dev LINEs
`
	siteHub = `link add hub type bridge
link set hub up
link add there type veth peer name line address 02:67:77:00:00:02 netns SITE
link set here master hub up
link set there master hub up
`
	siteThere = `link set lo up
link set line up
link set side up
address add ADDR/30 dev line
address add ADDR6/64 dev line nodad
address add SIDE/30 dev side
neighbour add HOME lladdr 02:67:77:00:00:01 dev line nud permanent
neighbour add HOME6 lladdr 02:67:77:00:00:01 dev line nud permanent
route add USERS via HOME6 dev line
`
)

// build makes the lines.
func (s *Site) build() error {
	words := strings.NewReplacer(
		"LINE", s.name, "HUB", "/proc/self/fd/3", "SITE", "/proc/self/fd/4", "USERS", s.Users.String(),
		"SIDEHOME", s.Side.Prev().String(), "HOME6", s.Home6.String(), "ADDR6", s.Addr6.String(),
		"HOME", s.Home.String(), "ADDR", s.Addr.String(), "SIDE", s.Side.String(),
	)
	if err := s.ip(words.Replace(siteHere)); err != nil {
		return err
	}
	if err := s.within(s.hub, words.Replace(siteHub)); err != nil {
		return err
	}
	return s.within(s.ns, words.Replace(siteThere))
}

// ip runs commands of ip(8), in the namespace of the calling thread.
func (s *Site) ip(commands string) error {
	cmd := exec.Command("ip", "-batch", "-") //nolint:noctx // it waits for nobody
	cmd.Stdin = strings.NewReader(commands)
	cmd.ExtraFiles = []*os.File{s.hub.File, s.ns.File}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}

// within runs commands in another namespace.
func (s *Site) within(n namespace, commands string) error {
	return inThread(func() error {
		if err := n.enter(); err != nil {
			return err
		}
		return s.ip(commands)
	})
}

// Pull cuts the line.
func (s *Site) Pull() error { return s.within(s.hub, "link set there nomaster\n") }

// Plug mends it.
func (s *Site) Plug() error { return s.within(s.hub, "link set there master hub\n") }

// Close takes everything down, once nothing runs there any more.
func (s *Site) Close() error { return errors.Join(s.hub.Close(), s.ns.Close()) }
