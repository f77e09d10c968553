package dkim

import (
	"sync"
	"time"
)

// Ring is the keys of a domain for a program that runs: it notices within a minute that others sign now. It is safe for
// concurrent use.
type Ring struct {
	keys Keys
	now  func() time.Time

	mu   sync.Mutex
	read time.Time
	sign []Key
}

const reread = time.Minute

// NewRing makes a ring. It reads nothing yet.
func NewRing(k Keys, now func() time.Time) *Ring { return &Ring{keys: k, now: now} }

// Sign signs a mail with the keys that sign now; without any it is returned as it is. Where the keys cannot be read any
// more, those of before go on; where they never could be, that is an error: unsigned mail from a domain whose mail is
// signed goes to where nobody looks.
func (r *Ring) Sign(mail []byte) ([]byte, error) {
	keys, err := r.current()
	if err != nil {
		return nil, err
	}
	return Sign(mail, r.keys.Domain, keys)
}

func (r *Ring) current() ([]Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if !r.read.IsZero() && now.Sub(r.read) < reread {
		return r.sign, nil
	}
	keys, err := r.keys.Signing()
	if err != nil && len(r.sign) == 0 {
		return nil, err
	}
	if err == nil {
		r.sign = keys
	}
	r.read = now
	return r.sign, nil
}
