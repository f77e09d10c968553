package servers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// lowestPort keeps away from the ports of services that a machine may have by default.
const lowestPort = 10000

// defaultEphemeral is Linux's first ephemeral port, for when /proc does not tell.
const defaultEphemeral = 32768

// FreePort returns a loopback TCP port that nobody listens on and that no other call, in this process or in another
// one on this machine, is given as long as this process lives.
//
// The port lies below the kernel's ephemeral range: a server that is down for a moment must not lose its port to some
// outgoing connection, nor a client that redials it end up connected to itself.
func FreePort() (int, error) {
	span := firstEphemeral() - lowestPort
	if span <= 0 {
		return 0, errors.New("free port: the kernel's ephemeral port range leaves none above " + strconv.Itoa(lowestPort))
	}
	start := rand.IntN(span) //nolint:gosec // a starting point, not a secret
	for i := range span {
		port := lowestPort + (start+i)%span
		if !listenable(port) {
			continue
		}
		switch err := reserve(port); {
		case err == nil:
			return port, nil
		case errors.Is(err, syscall.EADDRINUSE):
		default:
			return 0, fmt.Errorf("free port: reserve %d: %w", port, err)
		}
	}
	return 0, errors.New("free port: all are taken")
}

// FreeAddr is FreePort as "127.0.0.1:port".
func FreeAddr() (string, error) {
	port, err := FreePort()
	if err != nil {
		return "", err
	}
	return loopback(port), nil
}

// freePorts fills each of ports with a FreePort.
func freePorts(ports ...*int) error {
	for _, p := range ports {
		port, err := FreePort()
		if err != nil {
			return err
		}
		*p = port
	}
	return nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func listenable(port int) bool {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", loopback(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// reserve takes a port's name among the abstract unix sockets: the kernel gives it to one process only and takes it
// back when that process ends, however it ends. The descriptor is never closed on purpose, and never inherited.
func reserve(port int) error {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	err = syscall.Bind(fd, &syscall.SockaddrUnix{Name: fmt.Sprintf("@gangway-port-%d", port)})
	if err != nil {
		_ = syscall.Close(fd)
		return os.NewSyscallError("bind", err)
	}
	return nil
}

func firstEphemeral() int {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return defaultEphemeral
	}
	fields := strings.Fields(string(text))
	if len(fields) != 2 {
		return defaultEphemeral
	}
	first, err := strconv.Atoi(fields[0])
	if err != nil {
		return defaultEphemeral
	}
	return first
}
