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
