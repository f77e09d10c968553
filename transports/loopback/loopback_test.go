package loopback_test

import (
	"context"
	"errors"
	"testing"

	"gangway/core"
	"gangway/core/transporttest"
	"gangway/transports/loopback"
)

func TestConformance(t *testing.T) {
	transporttest.Run(t, func(t *testing.T) transporttest.Fixture {
		far := &far{}
		driver := loopback.Driver()
		make := driver.New
		driver.New = func(h core.Host, d core.Decoder) (core.Transport, error) {
			tr, err := make(far.on(h), d)
			far.transport = tr
			return tr, err
		}
		return transporttest.Fixture{
			Driver: driver, Settings: func(any) error { return nil }, Far: far,
			Account: core.Account{ID: "a1", User: "alice@example.test", Network: "loopback", Own: "alice"},
			Peer:    "bob",
			Forms: []transporttest.Form{
				{Text: "echo", Want: core.Target{Address: "echo"}},
				{Text: "BoB-2", Want: core.Target{Address: "bob-2"}},
			},
			Bad: []string{"two words", "a@b", "é"},
		}
	})
}

// far plays bob: an account of the same network, seen through the transport's own host.
type far struct {
	core.Host
	transport core.Transport
	got       chan transporttest.Got
}

var bob = core.Account{ID: "b1", User: "bob@example.test", Network: "loopback", Own: "bob"}

func (f *far) on(h core.Host) core.Host {
	f.Host, f.got = h, make(chan transporttest.Got, 100)
	h.(*transporttest.Host).Add(bob)
	return f
}

// Deliver takes what is for bob out of the transport's hands.
func (f *far) Deliver(ctx context.Context, e core.Event) error {
	m, ok := e.(*core.Message)
	if !ok || m.Account != bob.ID {
		return f.Host.Deliver(ctx, e)
	}
	f.got <- transporttest.Got{Name: string(m.Remote), Text: m.Text}
	return nil
}

func (f *far) Next(ctx context.Context) (transporttest.Got, error) {
	select {
	case got := <-f.got:
		return got, nil
	case <-ctx.Done():
		return transporttest.Got{}, ctx.Err()
	}
}

func (f *far) Say(ctx context.Context, id, text string) error {
	s, err := f.transport.Open(bob)
	if err != nil {
		return err
	}
	_, err = s.Send(ctx, &core.Message{
		Ref: core.Ref{Account: bob.ID, Peer: "alice"}, IDs: core.IDs{ID: core.MessageID(id)}, Text: text,
	})
	return err
}

func TestEchoAnswers(t *testing.T) {
	alice := core.Account{ID: "a1", Network: "loopback", Own: "alice"}
	host := transporttest.NewHost(t, alice)
	tr, err := loopback.Driver().New(host, func(any) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	s, err := tr.Open(alice)
	if err != nil {
		t.Fatal(err)
	}
	m := &core.Message{Ref: core.Ref{Account: "a1", Peer: loopback.Echo}, IDs: core.IDs{ID: "m1"}, Text: "hello"}
	taken, err := s.Send(t.Context(), m)
	if err != nil || taken.State != core.Delivered {
		t.Fatalf("Send = %+v, %v", taken, err)
	}
	if got := host.WaitMessage("hello"); got.Ref != m.Ref {
		t.Errorf("came back as %+v", got.Ref)
	}
	m.Peer = "nobody"
	var e *core.Error
	if _, err := s.Send(t.Context(), m); !errors.As(err, &e) || e.Kind != core.NotFound {
		t.Errorf("Send to nobody = %v", err)
	}
}

func TestEnrol(t *testing.T) {
	tr, err := loopback.Driver().New(transporttest.NewHost(t), func(any) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	enroller := core.TransportCapsOf(tr).Enroller
	step, err := enroller.Enroll(t.Context(), "Alice@example.test", nil, nil)
	if err != nil || step.Done || step.Fields[0].Value != "alice" {
		t.Fatalf("first step = %+v, %v", step, err)
	}
	step, err = enroller.Enroll(t.Context(), "alice@example.test", nil, map[string]string{"address": "no way"})
	if err != nil || step.Done || step.Text == "" {
		t.Fatalf("step after a bad answer = %+v, %v", step, err)
	}
	step, err = enroller.Enroll(t.Context(), "alice@example.test", nil, map[string]string{"address": "Alice"})
	if err != nil || !step.Done || step.Link == nil || step.Link.Own != "alice" {
		t.Fatalf("last step = %+v, %v", step, err)
	}
}
