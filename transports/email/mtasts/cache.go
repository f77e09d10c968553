package mtasts

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"gangway/core"
)

const (
	fresh     = 24 * time.Hour  // after which a policy is looked for again
	patience  = 5 * time.Minute // between two attempts that fail (RFC 8461 section 3.3)
	maxFailed = 1000            // domains whose failed attempts are remembered
)

// Resolver is what is asked of the DNS; *net.Resolver does. Names end with a dot.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// Cache knows the policies of domains. It is safe for concurrent use.
type Cache struct {
	Resolver Resolver
	Fetch    Fetcher
	Notes    core.Notes // where policies are kept
	Logger   *slog.Logger
	Now      func() time.Time

	mu     sync.Mutex
	failed map[string]time.Time // domains, and when to try again
}

// kept is a policy as it is kept.
type kept struct {
	Policy
	ID      string    `json:"id"` // of the record that it was fetched for
	Fetched time.Time `json:"fetched"`
}

func (k *kept) good(now time.Time) bool { return k != nil && now.Before(k.Fetched.Add(k.MaxAge)) }

func (k *kept) fresh(now time.Time) bool { return k.good(now) && now.Before(k.Fetched.Add(fresh)) }

// Policy returns what a domain in A-labels asks for; false if that is nothing. A policy that cannot be looked for, or
// fetched, leaves the last one in force until its own end. An error means that what is kept could not be read: it may
// be a policy that has to be heeded.
func (c *Cache) Policy(ctx context.Context, domain string) (Policy, bool, error) {
	now := c.Now()
	known, err := c.load(ctx, domain)
	if err != nil {
		return Policy{}, false, err
	}
	id := ""
	if records, err := c.Resolver.LookupTXT(ctx, "_mta-sts."+domain+"."); err == nil {
		id = recordID(records)
	}
	switch {
	case id == "" && !known.good(now):
		return Policy{}, false, nil
	case known.fresh(now) && (id == "" || id == known.ID), !c.mayTry(domain, now):
	default:
		known = c.renew(ctx, domain, id, known)
	}
	if !known.good(now) || known.Mode == None {
		return Policy{}, false, nil
	}
	return known.Policy, true, nil
}

// renew fetches the policy; what is known stays if that fails.
func (c *Cache) renew(ctx context.Context, domain, id string, known *kept) *kept {
	text, err := c.Fetch(ctx, domain)
	var p Policy
	if err == nil {
		p, err = Parse(text)
	}
	if err != nil {
		c.tryAgain(domain, c.Now().Add(patience))
		c.Logger.Info("policy of MTA-STS not fetched", "domain", domain, "err", err)
		return known
	}
	if id == "" { // the record is away, or hidden: the policy counts on
		id = known.ID
	}
	k := &kept{Policy: p, ID: id, Fetched: c.Now()}
	if err := c.save(ctx, domain, k); err != nil {
		c.Logger.Warn("policy of MTA-STS not kept", "domain", domain, "err", err)
	}
	return k
}

func noteKey(domain string) string { return "mta-sts " + core.Digest(domain) }

func (c *Cache) load(ctx context.Context, domain string) (*kept, error) {
	b, err := c.Notes.Get(ctx, noteKey(domain))
	if err != nil {
		if core.KindOf(err) == core.NotFound {
			return nil, nil
		}
		return nil, core.Wrap(core.Unavailable, "mta-sts: policy", err)
	}
	k := new(kept)
	if err := json.Unmarshal(b, k); err != nil {
		c.Logger.Error("policy of MTA-STS is kept in a form that is not known", "domain", domain, "err", err)
		return nil, nil
	}
	return k, nil
}

func (c *Cache) save(ctx context.Context, domain string, k *kept) error {
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if k.MaxAge <= 0 {
		return c.Notes.Delete(ctx, noteKey(domain))
	}
	return c.Notes.Put(ctx, noteKey(domain), b, k.MaxAge)
}

// mayTry says whether it is time for another attempt after one that failed.
func (c *Cache) mayTry(domain string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !now.Before(c.failed[domain])
}

func (c *Cache) tryAgain(domain string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil || len(c.failed) >= maxFailed {
		c.failed = map[string]time.Time{}
	}
	c.failed[domain] = at
}
