package demo

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"gangway/integration/world"
)

// gangway runs a command of the program, as an administrator does, and returns what it prints.
func gangway(ctx context.Context, binary, config string, args ...string) (string, error) {
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, append(args, "-c", config)...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("gangway %s: %w\n%s", strings.Join(args, " "), err, said.String())
	}
	return out.String(), nil
}

// exampleIP is where the demo's mail server would be if it were one of the Internet's (RFC 5737).
const exampleIP = "192.0.2.25"

// records has keys made, with which mail is signed from the first one on, and asks for the DNS records that the mail
// domain needs. Nobody publishes them here.
func (p *play) records(ctx context.Context) (time.Duration, error) {
	at := time.Now()
	if _, err := gangway(ctx, p.binary, p.world.Config, "email", "dkim", "rotate"); err != nil {
		return 0, err
	}
	zone, err := gangway(ctx, p.binary, p.world.Config, "email", "dns", "--ip", exampleIP)
	if err != nil {
		return 0, err
	}
	took := time.Since(at)
	p.out.note("[gangway email dkim rotate makes keys, gangway email dns prints the records to publish]", "", took)
	for line := range strings.Lines(zone) {
		if strings.HasPrefix(line, ";") || strings.TrimSpace(line) == "" {
			continue
		}
		p.out.write(margin + p.out.paint(dim, cut(printable(strings.Join(strings.Fields(line), " ")))) + "\n")
	}
	for _, want := range []string{" MX ", "v=spf1", "v=DKIM1; k=rsa", "v=DKIM1; k=ed25519", "v=DMARC1", "v=STSv1"} {
		if !strings.Contains(zone, want) {
			return took, fmt.Errorf("it says nothing of %q for %s:\n%s", want, world.Mail, zone)
		}
	}
	return took, nil
}

// cut is a line that fits beside the margin.
func cut(line string) string {
	const most = 80 - len(margin)
	if len(line) <= most {
		return line
	}
	return line[:most-3] + "..."
}
