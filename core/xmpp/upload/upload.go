// Package upload asks the host server's upload service (XEP-0363) for places for
// files. It implements media.Slots.
//
// The service is looked for among the items of the host server, once in a while.
// A slot is asked for in the user's own name where the server lets us (XEP-0356),
// so that the user's quota counts and the user may remove the file; else in the
// name of the component, which the service must then be open to.
//
// The package has no goroutines that outlive a call.
package upload

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/media"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// NS is the namespace of XEP-0363, and the feature of a service.
const NS = "urn:xmpp:http:upload:0"

// Config says where to look.
type Config struct {
	Host   string       // the host server's own domain; empty: there is no service
	Logger *slog.Logger // may be nil
}

// Privileged sends requests in a user's name; see privilege.Entity.
type Privileged interface {
	MayIQ(user core.UserID, ns, typ string) bool
	IQ(ctx context.Context, user core.UserID, to, typ, ns string, payload func(*stream.Encoder)) (*stream.Stanza, error)
}

// Service is the host server's upload service. Its methods may be called from
// many goroutines.
type Service struct {
	cfg   Config
	log   *slog.Logger
	links map[string]link // by network
	first string          // the network that was added first
	now   func() time.Time

	mu    sync.Mutex // held while looking, so that one looks for all
	found found
}

type link struct {
	xmpp.Sender
	as Privileged
}

var _ media.Slots = (*Service)(nil)

// New makes a Service without links. It starts nothing.
func New(cfg Config) *Service {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Service{cfg: cfg, log: log, links: map[string]link{}, now: time.Now}
}

// Over makes the service reachable over the link of a network. as may be nil. All
// calls come before the first of another method.
func (s *Service) Over(network string, l xmpp.Sender, as Privileged) {
	if len(s.links) == 0 {
		s.first = network
	}
	s.links[network] = link{l, as}
}

// link returns the link of a network, or any.
func (s *Service) link(network string) (link, error) {
	l, ok := s.links[network]
	if !ok {
		l, ok = s.links[s.first]
	}
	if !ok || s.cfg.Host == "" {
		return link{}, none()
	}
	return l, nil
}

func none() *core.Error {
	return core.E(core.Unsupported, "upload: find", "The host server has no upload service.")
}

// Find implements media.Slots.
func (s *Service) Find(ctx context.Context) (string, error) {
	l, err := s.link(s.first)
	if err != nil {
		return "", err
	}
	f, err := s.service(ctx, l)
	return f.jid, err
}

// Slot implements media.Slots.
func (s *Service) Slot(ctx context.Context, a core.Account, f core.Attachment) (media.Slot, error) {
	l, err := s.link(a.Network)
	if err != nil {
		return media.Slot{}, err
	}
	service, err := s.service(ctx, l)
	if err != nil {
		return media.Slot{}, err
	}
	if service.most > 0 && f.Size > service.most {
		return media.Slot{}, tooLarge()
	}
	st, err := s.ask(ctx, l, a, service.jid, func(enc *stream.Encoder) {
		enc.Empty("request", NS, "filename", f.Name, "size", strconv.FormatInt(f.Size, 10), "content-type", f.Type)
	})
	if err != nil {
		return media.Slot{}, s.refused(err)
	}
	defer st.Release()
	return read(st)
}

// ask sends the request as the user, if that is granted, else as the component.
func (s *Service) ask(ctx context.Context, l link, a core.Account, to string, request func(*stream.Encoder)) (*stream.Stanza, error) {
	if l.as != nil && l.as.MayIQ(a.User, NS, "get") {
		st, err := l.as.IQ(ctx, a.User, to, "get", NS, request)
		if err == nil || ctx.Err() != nil {
			return st, err
		}
		s.log.Debug("no slot in the user's name", "account", a.ID, "err", err)
	}
	return l.IQ(ctx, to, "get", request)
}

// read takes the slot out of an answer.
func read(st *stream.Stanza) (media.Slot, error) {
	el := st.Child(NS, "slot")
	put := el.Child(NS, "put")
	slot := media.Slot{Put: clone(put.Attr("url")), Get: clone(el.Child(NS, "get").Attr("url")), Header: map[string]string{}}
	if slot.Put == "" || slot.Get == "" {
		return media.Slot{}, core.Wrap(core.Unavailable, "upload: slot", errors.New("a slot without addresses"))
	}
	for h := range put.Children() {
		if h.Is(NS, "header") && len(slot.Header) < 10 {
			slot.Header[clone(h.Attr("name"))] = clone(h.Text())
		}
	}
	return slot, nil
}

// refused says what a refusal means, and has the service looked for again if it
// is not where it was.
func (s *Service) refused(err error) error {
	var e *xmpp.Error
	if !errors.As(err, &e) {
		return err
	}
	const op = "upload: slot"
	switch {
	case e.App.Local == "file-too-large":
		return tooLarge()
	case e.App.Local == "retry", e.Condition == "resource-constraint":
		return core.Wrap(core.OverLimit, op, err)
	case e.Condition == "item-not-found", e.Condition == "service-unavailable", e.Condition == "feature-not-implemented",
		e.Condition == "remote-server-not-found", e.Condition == "remote-server-timeout":
		s.forget()
		return core.Wrap(core.Unavailable, op, err)
	case e.Type == "wait":
		return core.Wrap(core.Unavailable, op, err)
	}
	return &core.Error{Kind: core.Denied, Op: op, Text: "The host server's upload service does not take files from this gateway.", Err: err}
}

func tooLarge() *core.Error {
	return core.E(core.TooLarge, "upload: slot", "The file is too large for the server's upload service.")
}
