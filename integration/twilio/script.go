package twilio

import "time"

// Match says which outbound messages a script or a fault is for. Empty fields match everything.
type Match struct{ From, To, Body string }

func (m Match) covers(msg *Message) bool {
	return (m.From == "" || m.From == msg.From) && (m.To == "" || m.To == msg.To) && (m.Body == "" || m.Body == msg.Body)
}

// Step is one change of a message's status.
type Step struct {
	Status string
	Code   int           // error_code and ErrorCode; 0: none
	Wait   time.Duration // before the change
	Silent bool          // the API shows the change, but no callback tells of it
}

// Script is the fate of an outbound message. The zero Script delivers it: sent, then delivered, one callback each.
type Script struct {
	Reject int    // answer with this error code and accept nothing
	Steps  []Step // after the initial status; nil: sent, delivered (queued before them with a Messaging Service)

	Off       bool   // no callbacks
	Early     bool   // all steps and callbacks come before the client has its 201
	Duplicate bool   // every callback comes twice, with one idempotency token
	Reversed  bool   // callbacks come in the opposite order, after the last step
	Conflict  string // one more callback, after the others, with a status the API does not confirm
}

// Stay is a Script whose message keeps its initial status.
func Stay() Script { return Script{Steps: []Step{}} }

// FailWith is a Script that ends in status (Failed or Undelivered) with an error code; undelivered messages are sent
// first.
func FailWith(status string, code int) Script {
	last := Step{Status: status, Code: code}
	if status == Undelivered {
		return Script{Steps: []Step{{Status: Sent}, last}}
	}
	return Script{Steps: []Step{last}}
}

type scripted struct {
	match  Match
	script Script
}

// Script sets the fate of the messages that match covers and that are created from now on. Of several matches the
// last one set wins.
func (s *Server) Script(match Match, script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts = append(s.scripts, scripted{match, script})
}

// scriptFor needs mu.
func (s *Server) scriptFor(m *Message) Script {
	script := Script{}
	for _, e := range s.scripts {
		if e.match.covers(m) {
			script = e.script
		}
	}
	if script.Steps == nil {
		script.Steps = []Step{{Status: Sent}, {Status: Delivered}}
		if m.Service != "" {
			script.Steps = append([]Step{{Status: Queued}}, script.Steps...)
		}
	}
	return script
}
