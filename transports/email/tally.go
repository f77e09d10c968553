package email

import (
	"cmp"
	"crypto/tls"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/transports/email/client"
)

// tally counts what becomes of mails on their way out. It is safe for concurrent use.
type tally struct {
	mu sync.Mutex
	n  map[tallied]int64
}

// tallied is an outcome, and how the connection was encrypted.
type tallied struct{ result, how string }

// note counts one attempt. version is that of TLS; 0: there was none, or no connection.
func (t *tally) note(err error, version uint16) {
	k := tallied{result: resultOf(err)}
	switch {
	case version != 0:
		k.how = tls.VersionName(version)
	case err == nil || client.StageOf(err) >= client.Mail && !ownStatus(err):
		k.how = "plain"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[tallied]int64{}
	}
	t.n[k]++
}

// ownStatus says that no server was asked: what is wrong was found in the DNS, or in the address.
func ownStatus(err error) bool {
	var answer *smtp.SMTPError
	return errors.As(err, &answer) && answer.Code == 0
}

func resultOf(err error) string {
	var answer *smtp.SMTPError
	switch {
	case err == nil:
		return "taken"
	case client.StageOf(err) == client.Dot:
		return "unknown"
	case !errors.As(err, &answer):
		return "away"
	case statusOf(answer).temporary() || client.StageOf(err) < client.Mail:
		return "deferred"
	}
	return "refused"
}

// Counts are the attempts to hand a mail over, by their outcome.
func (t *transport) Counts() []core.Count {
	t.out.mu.Lock()
	defer t.out.mu.Unlock()
	all := make([]core.Count, 0, len(t.out.n))
	for k, n := range t.out.n {
		all = append(all, core.Count{What: "mail out", Result: k.result, How: k.how, N: n})
	}
	slices.SortFunc(all, func(a, b core.Count) int { return cmp.Or(cmp.Compare(a.Result, b.Result), cmp.Compare(a.How, b.How)) })
	return all
}

// Lifetime is how long a mail is tried.
func (t *transport) Lifetime() time.Duration { return t.settings.Lifetime }
