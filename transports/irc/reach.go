package irc

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // pins that users of other gateways have
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"

	"gangway/core"
)

// What a user may choose about how a network is reached; keys of core.Account.Options.
const (
	optionAddress     = "address"     // another host than the network is called by
	optionPorts       = "ports"       // parted by spaces
	optionFingerprint = "fingerprint" // of the network's certificate, in hex: SHA-256, SHA-512 or SHA-1
	optionBurst       = "burst"       // lines that go at once, at most as many as the administrator has it
)

const maxPorts = 5

// securePorts are those at which networks speak TLS.
func securePorts() []uint16 { return []uint16{994, 6670, 6679, 6697, 7000, 7070, 9999} }

var errPin = errors.New("this is not the certificate that the user trusts")

// chosen is the network as a user has chosen to reach it. What the administrator has written about a network stands: of
// that only what makes it stricter can be chosen.
func (n *network) chosen(options map[string]string) *network {
	own := *n
	if n.guarded {
		if host := options[optionAddress]; validHost(host) {
			own.host = host
			own.tls = n.tls.Clone()
			own.tls.ServerName = host
			own.address = net.JoinHostPort(host, securePort)
		}
		if ports, err := portsOf(options[optionPorts]); err == nil {
			own.ports = ports
		}
	}
	if pin, err := pinOf(options[optionFingerprint]); err == nil {
		own.pin = pin
	}
	if burst, err := strconv.Atoi(options[optionBurst]); err == nil && burst >= 1 {
		own.burst = min(burst, n.burst)
	}
	return &own
}

// portsOf reads ports, parted by blanks, commas or semicolons.
func portsOf(text string) (ports []string, err error) {
	for port := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" ,;", r) }) {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || !slices.Contains(securePorts(), uint16(n)) || len(ports) == maxPorts {
			return nil, core.E(core.Invalid, "irc: ports", "The ports of IRC with TLS are 6697, 6670, 6679, 7000, 7070, 9999 and 994; name at most five.")
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// pinOf reads a fingerprint, with or without colons.
func pinOf(text string) ([]byte, error) {
	pin, err := hex.DecodeString(strings.ReplaceAll(strings.ReplaceAll(text, ":", ""), " ", ""))
	switch len(pin) {
	case 0, sha1.Size, sha256.Size, sha512.Size:
	default:
		err = hex.ErrLength
	}
	if err != nil {
		return nil, core.E(core.Invalid, "irc: fingerprint", "A fingerprint is the SHA-256 of a certificate in hexadecimal digits.")
	}
	return pin, nil
}

// trusting is a configuration of TLS in which the pin, if there is one, is all that counts: a certificate that the user
// knows is good whoever made it, and any other is not.
func (n *network) trusting(config *tls.Config) *tls.Config {
	if len(n.pin) == 0 {
		return config
	}
	pin := n.pin
	own := config.Clone()
	own.InsecureSkipVerify = true // VerifyConnection does it
	own.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 || !bytes.Equal(digest(state.PeerCertificates[0].Raw, len(pin)), pin) {
			return errPin
		}
		return nil
	}
	return own
}

// digest is the SHA-1, SHA-256 or SHA-512 of a certificate, by its size.
func digest(der []byte, size int) []byte {
	switch size {
	case sha1.Size:
		sum := sha1.Sum(der) //nolint:gosec // a second certificate of the same SHA-1 cannot be made
		return sum[:]
	case sha512.Size:
		sum := sha512.Sum512(der)
		return sum[:]
	}
	sum := sha256.Sum256(der)
	return sum[:]
}

// reach connects to a network, at the first of its ports that answers.
func (s *session) reach(ctx context.Context, n *network) (conn net.Conn, err error) {
	if len(n.ports) == 0 {
		return s.t.dial(ctx, n)
	}
	for _, port := range n.ports {
		one := *n
		one.address = net.JoinHostPort(n.host, port)
		conn, err = s.t.dial(ctx, &one)
		if err == nil || ctx.Err() != nil {
			return conn, err
		}
	}
	return nil, err
}
