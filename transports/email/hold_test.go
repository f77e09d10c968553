package email

import (
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/transporttest"
)

func TestHold(t *testing.T) {
	made := func(keys map[string]any) (core.Transport, error) {
		all := map[string]any{"domain": domain, "relay": "smtp://127.0.0.1:1"}
		for k, v := range keys {
			all[k] = v
		}
		return Driver().New(transporttest.NewHost(t, alice), decoder(all))
	}
	for _, c := range []struct {
		keys map[string]any
		want time.Duration
	}{{nil, 15 * time.Second}, {map[string]any{"hold": time.Duration(0)}, 0}, {map[string]any{"hold": time.Minute}, time.Minute}} {
		tr, err := made(c.keys)
		if err != nil {
			t.Errorf("%v: %v", c.keys, err)
			continue
		}
		if h := core.TransportCapsOf(tr).Holder.Hold(); h.Quiet != c.want || h.Most != time.Minute || h.Lines != 20 {
			t.Errorf("%v: %+v", c.keys, h)
		}
	}
	for _, hold := range []time.Duration{2 * time.Minute, -time.Second, 1500 * time.Millisecond} {
		if _, err := made(map[string]any{"hold": hold}); err == nil || !strings.Contains(err.Error(), "hold must be whole seconds") {
			t.Errorf("%s: %v", hold, err)
		}
	}
}

// Who replaces a mail by its correction would lose the lines that it is not about.
func TestCorrectionOfAPart(t *testing.T) {
	c := startChat(t, nil)
	c.hear(delta, "hi")
	m, _ := c.say(func(*core.Message) {})
	e := note("at noon")
	e.Replaces, e.OfPart = core.IDs{ID: core.NewID(), Remote: m.Remote}, true
	if _, err := c.s.(core.Editor).Edit(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	got := c.sent()
	if text := got.Body(1000).Text; got.Root.Header.Has(editField) || !strings.HasSuffix(text, ": at noon") {
		t.Errorf("%v %q", got.Root.Header, text)
	}
}
