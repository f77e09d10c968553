package servers

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Postgrey is a greylist, which a Postfix asks about each recipient: check_policy_service inet:Addr.
type Postgrey struct {
	*Process
	port int
}

// PostgreyConfig says what a greylist shall be like.
type PostgreyConfig struct {
	Dir   string        // its own; made when absent
	Delay time.Duration // how long who is unknown is put off, in whole seconds; Debian's is 5 minutes
}

// NewPostgrey prepares its directory; it starts nothing.
func NewPostgrey(conf PostgreyConfig) (*Postgrey, error) {
	h, err := newHome(conf.Dir, "postgrey")
	if err != nil {
		return nil, fmt.Errorf("postgrey: %w", err)
	}
	s := &Postgrey{}
	if err := freePorts(&s.port); err != nil {
		return nil, err
	}
	if err := h.mkdir("db"); err != nil {
		return nil, fmt.Errorf("postgrey: %w", err)
	}
	s.Process = h.process("postgrey", "/usr/sbin/postgrey", "--inet="+s.Addr(), "--dbdir="+h.path("db"),
		"--delay="+strconv.Itoa(int(conf.Delay.Seconds())), "--auto-whitelist-clients=0", "--hostname=mx.test",
		"--whitelist-clients=/dev/null", "--whitelist-recipients=/dev/null", "--syslog-facility=daemon")
	s.ready = s.answers
	return s, nil
}

// Addr is where it is asked.
func (s *Postgrey) Addr() string { return loopback(s.port) }

// answers asks about somebody whom nobody else will ask about.
func (s *Postgrey) answers(ctx context.Context) error {
	conn, err := dial(ctx, s.Addr())
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=SMTP\nsender=probe@probe.test\n"+
		"recipient=probe@probe.test\nclient_address=192.0.2.1\nclient_name=unknown\ninstance=probe\n\n")
	if err != nil {
		return err
	}
	answer := make([]byte, 512)
	n, err := conn.Read(answer)
	if err != nil || !strings.HasPrefix(string(answer[:n]), "action=") {
		return fmt.Errorf("postgrey answers %q: %w", answer[:n], err)
	}
	return nil
}
