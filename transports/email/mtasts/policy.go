package mtasts

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Mode is what a policy is for.
type Mode string

// The modes (RFC 8461 section 5).
const (
	Enforce Mode = "enforce" // who is not as the policy says gets no mail
	Testing Mode = "testing" // they do
	None    Mode = "none"    // there is no policy any more
)

const (
	maxMX  = 100
	maxAge = 31_557_600 * time.Second // RFC 8461 section 3.2
)

// Policy is what a domain has published.
type Policy struct {
	Mode   Mode          `json:"mode"`
	MX     []string      `json:"mx"` // in lower case; "*." stands for one label
	MaxAge time.Duration `json:"max_age"`
}

// Parse reads a policy (RFC 8461 section 3.2). It is strict: what is not understood might be meant to protect.
func Parse(text string) (Policy, error) {
	var p Policy
	seen := map[string]bool{}
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isWord(name, 32) {
			return Policy{}, fmt.Errorf("line %d is no field", n+1)
		}
		value = strings.Trim(value, " \t")
		if name != "mx" && seen[name] { // the first counts
			continue
		}
		seen[name] = true
		if err := p.set(name, value); err != nil {
			return Policy{}, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	switch {
	case !seen["version"]:
		return Policy{}, errors.New("no version")
	case p.Mode == "":
		return Policy{}, errors.New("no mode")
	case !seen["max_age"]:
		return Policy{}, errors.New("no max_age")
	case len(p.MX) == 0 && p.Mode != None:
		return Policy{}, errors.New("no mx")
	}
	return p, nil
}

func (p *Policy) set(name, value string) error {
	switch name {
	case "version":
		if value != "STSv1" {
			return fmt.Errorf("version %q", value)
		}
	case "mode":
		p.Mode = Mode(value)
		if p.Mode != Enforce && p.Mode != Testing && p.Mode != None {
			return fmt.Errorf("mode %q", value)
		}
	case "max_age":
		if strings.Trim(value, "0123456789") != "" || len(value) > 10 {
			return fmt.Errorf("max_age %q", value)
		}
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("max_age %q", value)
		}
		p.MaxAge = min(time.Duration(seconds)*time.Second, maxAge)
	case "mx":
		value = strings.ToLower(value)
		if !isPattern(value) || len(p.MX) == maxMX {
			return fmt.Errorf("mx %q", value)
		}
		p.MX = append(p.MX, value)
	}
	return nil
}

// isPattern says whether s is a name of the DNS, in A-labels, perhaps after "*.".
func isPattern(s string) bool {
	s = strings.TrimPrefix(s, "*.")
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// Allows says whether a server is one that the domain names (RFC 8461 section 4.1).
func (p Policy) Allows(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, pattern := range p.MX {
		if pattern == host {
			return true
		}
		if parent, ok := strings.CutPrefix(pattern, "*."); ok {
			if label, rest, ok := strings.Cut(host, "."); ok && label != "" && rest == parent {
				return true
			}
		}
	}
	return false
}

// Enforced says whether servers that are not as the policy says get no mail.
func (p Policy) Enforced() bool { return p.Mode == Enforce }

// Name is what the log calls it.
func (p Policy) Name() string { return "mta-sts " + string(p.Mode) }
