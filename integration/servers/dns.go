package servers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"
)

// DNS is a name server within this process, for all the world that a test has: it knows what it is told, and says of
// everything else that it does not exist. It listens on port 53 of a loopback address of its own, because resolvers
// know of no other port.
type DNS struct {
	addr    string
	servers [2]*dns.Server
	serving sync.WaitGroup
	asked   atomic.Int64

	mu      sync.Mutex
	records map[string][]dns.RR // by name, in lower case
}

// StartDNS starts one with these records, each a line of a zone file with an absolute name. The caller closes it.
func StartDNS(records ...string) (*DNS, error) {
	s := &DNS{records: map[string][]dns.RR{}}
	if err := s.Add(records...); err != nil {
		return nil, err
	}
	udp, tcp, err := listenDNS()
	if err != nil {
		return nil, fmt.Errorf("dns: %w", err)
	}
	s.addr = tcp.Addr().String()
	s.servers = [2]*dns.Server{{PacketConn: udp, Handler: s}, {Listener: tcp, Handler: s}}
	for _, server := range s.servers {
		up := make(chan struct{})
		server.NotifyStartedFunc = func() { close(up) }
		s.serving.Go(func() { _ = server.ActivateAndServe() }) // an error is its end
		<-up
	}
	return s, nil
}

// listenDNS finds an address of 127.0.0.0/8 whose port 53 is free.
func listenDNS() (net.PacketConn, net.Listener, error) {
	var errs []error
	for range 20 {
		//nolint:gosec // no secret
		host := fmt.Sprintf("127.%d.%d.%d:53", 64+rand.IntN(128), rand.IntN(256), 1+rand.IntN(254))
		udp, err := net.ListenPacket("udp4", host) //nolint:noctx // it does not wait
		if err != nil {
			errs = append(errs, err)
			continue
		}
		tcp, err := net.Listen("tcp4", host) //nolint:noctx // likewise
		if err == nil {
			return udp, tcp, nil
		}
		errs = append(errs, err, udp.Close())
	}
	return nil, nil, errors.Join(errs...)
}

// Addr is host:port; the port is 53.
func (s *DNS) Addr() string { return s.addr }

// Asked is how many questions there were.
func (s *DNS) Asked() int64 { return s.asked.Load() }

// Add tells it more. What it knew of the same names stays.
func (s *DNS) Add(records ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range records {
		rr, err := dns.NewRR(line)
		if err != nil || rr == nil {
			return fmt.Errorf("dns: record %q: %w", line, err)
		}
		name := strings.ToLower(rr.Header().Name)
		s.records[name] = append(s.records[name], rr)
	}
	return nil
}

// Set is Add, but what it knew of the same names is forgotten.
func (s *DNS) Set(records ...string) error {
	s.mu.Lock()
	for _, line := range records {
		if name, _, ok := strings.Cut(line, " "); ok {
			delete(s.records, strings.ToLower(name))
		}
	}
	s.mu.Unlock()
	return s.Add(records...)
}

// ServeDNS answers one question.
func (s *DNS) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	s.asked.Add(1)
	a := new(dns.Msg).SetReply(q)
	a.Authoritative, a.RecursionAvailable = true, true
	if len(q.Question) == 1 {
		s.answer(a, q.Question[0])
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		size := dns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		a.Truncate(size)
	}
	_ = w.WriteMsg(a) // who asked has gone
}

func (s *DNS) answer(a *dns.Msg, q dns.Question) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.ToLower(q.Name)
	for range 8 { // aliases of aliases
		known := s.records[name]
		var alias *dns.CNAME
		for _, rr := range known {
			if rr.Header().Rrtype == q.Qtype {
				a.Answer = append(a.Answer, rr)
			} else if c, ok := rr.(*dns.CNAME); ok {
				alias = c
			}
		}
		if len(known) == 0 && !s.above(name) {
			a.Rcode = dns.RcodeNameError
		}
		if alias == nil || len(a.Answer) > 0 && a.Answer[len(a.Answer)-1].Header().Rrtype == q.Qtype {
			return
		}
		a.Answer = append(a.Answer, alias)
		name = strings.ToLower(alias.Target)
	}
}

// above says whether there is a name below this one, which then exists, too (RFC 8020).
func (s *DNS) above(name string) bool {
	for other := range s.records {
		if strings.HasSuffix(other, "."+name) {
			return true
		}
	}
	return false
}

// WriteResolvConf writes a resolv.conf(5) that names this server.
func (s *DNS) WriteResolvConf(file string) error {
	host, _, err := net.SplitHostPort(s.addr)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte("nameserver "+host+"\noptions timeout:2 attempts:2\n"), 0o644) //nolint:gosec // all may read it
}

// Close stops it.
func (s *DNS) Close() error {
	errs := []error{s.servers[0].Shutdown(), s.servers[1].Shutdown()}
	s.serving.Wait()
	return errors.Join(errs...)
}
