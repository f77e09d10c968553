package twilio

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

// FaultKind is a way for a request to go wrong.
type FaultKind string

// The faults. "Carried out" means that the request has its effect: a message is accepted and will be paid for.
const (
	RateLimited  FaultKind = "rate limited" // 429, code 20429 and Retry-After; not carried out
	ServerError  FaultKind = "server error" // 5xx (Fault.Status, else 500) with Twilio's JSON
	HTMLError    FaultKind = "html error"   // a proxy's HTML page (Fault.Status, else 502)
	Hang         FaultKind = "hang"         // no answer until the client gives up
	Drop         FaultKind = "drop"         // the connection is reset
	Truncated    FaultKind = "truncated"    // carried out; the answer breaks off in the middle
	SlowBody     FaultKind = "slow body"    // carried out; the answer comes one byte per Fault.Wait (else 10 ms)
	Redirect     FaultKind = "redirect"     // 307 to Fault.Location; not carried out
	Unauthorized FaultKind = "unauthorized" // 401; not carried out
	Huge         FaultKind = "huge"         // 200 with Fault.Size bytes (else 1 GiB)
	WrongType    FaultKind = "wrong type"   // carried out; the answer says it is Fault.Type (else text/html)
)

// Fault is one thing that goes wrong.
type Fault struct {
	Kind  FaultKind
	After bool // ServerError, HTMLError, Hang and Drop happen after the request was carried out, not before
	For   Match

	RetryAfter time.Duration // RateLimited, and ServerError if not 0; rounded up to seconds
	Status     int
	Location   string
	Wait       time.Duration
	Size       int64
	Type       string
}

// accepts reports whether the request is carried out.
func (f *Fault) accepts() bool {
	switch f.Kind {
	case Truncated, SlowBody, WrongType:
		return true
	case ServerError, HTMLError, Hang, Drop:
		return f.After
	default:
		return false
	}
}

type queuedFault struct {
	op Op
	Fault
}

type chaos struct {
	op     Op
	p      float64
	faults []Fault
}

// Fail makes the next requests for op go wrong, one for each fault. A fault with For waits for a CreateOp request that
// it covers.
func (s *Server) Fail(op Op, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.faults = append(s.faults, queuedFault{op, f})
	}
}

// FailRandomly makes each request for op go wrong with probability p, with one of the faults. Scripted faults go first.
func (s *Server) FailRandomly(op Op, p float64, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chaos = append(s.chaos, chaos{op, p, faults})
}

// ClearFaults ends what Fail and FailRandomly began.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.chaos = nil, nil
}

// PendingFaults returns how many faults set by Fail no request has met yet.
func (s *Server) PendingFaults() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.faults)
}

func (s *Server) nextFault(c *call) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := Message{From: c.form.Get("From"), To: c.form.Get("To"), Body: c.form.Get("Body")}
	for i, q := range s.faults {
		if (q.op == Any || q.op == c.op) && q.For.covers(&m) {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			return &q.Fault
		}
	}
	for _, e := range s.chaos {
		if (e.op == Any || e.op == c.op) && len(e.faults) > 0 && s.rand.Float64() < e.p {
			f := e.faults[s.rand.IntN(len(e.faults))]
			return &f
		}
	}
	return nil
}

// spoil answers with a fault; a is the honest answer of a request that was carried out.
func (s *Server) spoil(w http.ResponseWriter, c *call, f *Fault, a answer) {
	switch f.Kind {
	case RateLimited:
		e := refusal(20429)
		e.retryAfter = max(f.RetryAfter, time.Second)
		e.reply(w)
	case ServerError:
		e := refusal(20500)
		if e.Status = orElse(f.Status, http.StatusInternalServerError); e.Status == http.StatusServiceUnavailable {
			e = refusal(20503)
		}
		e.retryAfter = f.RetryAfter
		e.reply(w)
	case HTMLError:
		page := "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
		html := answer{status: orElse(f.Status, http.StatusBadGateway), contentType: "text/html", body: []byte(page)}
		html.send(w)
	case Hang:
		<-c.Context().Done()
	case Drop:
		drop(w)
	case Truncated:
		truncate(w, a)
	case SlowBody:
		slow(w, c, a, orElse(f.Wait, 10*time.Millisecond))
	case Redirect:
		a := answer{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {f.Location}}}
		a.send(w)
	case Unauthorized:
		refusal(20003).reply(w)
	case Huge:
		huge(w, orElse(f.Type, "image/jpeg"), orElse(f.Size, 1<<30))
	case WrongType:
		a.contentType = orElse(f.Type, "text/html")
		a.send(w)
	}
}

func (e *apiError) reply(w http.ResponseWriter) {
	a := e.answer()
	a.send(w)
}

func orElse[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// drop resets the connection without an answer.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // not a real connection: the next best
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// truncate promises the whole answer and closes the connection after half of it.
func truncate(w http.ResponseWriter, a answer) {
	half := a.body[:len(a.body)/2]
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(half)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // net/http closes the connection and logs nothing
}

func slow(w http.ResponseWriter, c *call, a answer, wait time.Duration) {
	w.Header().Set("Content-Type", a.contentType)
	w.WriteHeader(a.status)
	for i := range a.body {
		if _, err := w.Write(a.body[i : i+1]); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		if !pause(c.Context(), wait) {
			return
		}
	}
}
