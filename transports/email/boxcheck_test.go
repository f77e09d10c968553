package email

import (
	"strings"
	"testing"

	"gangway/core"
)

func TestCheckBoxes(t *testing.T) {
	find := func(keys map[string]any) core.Finding {
		t.Helper()
		for _, f := range start(t, keys, nil).Check(t.Context()) {
			if f.Name == "mailboxes" {
				return f
			}
		}
		return core.Finding{}
	}
	if f := find(nil); f.Name != "" {
		t.Errorf("%+v", f)
	}
	if f := find(map[string]any{"mailboxes": []string{"mail.example"}, "mailboxes_per_user": 2}); f.Err != nil || !strings.Contains(f.Text, "at mail.example, at most 2") {
		t.Errorf("%+v", f)
	}
	if f := find(map[string]any{"mailboxes": []string{"*"}}); !f.Warn || !strings.Contains(f.Err.Error(), "microsoft") {
		t.Errorf("%+v", f)
	}
	both := map[string]oauthSettings{"google": {ClientID: "a"}, "microsoft": {ClientID: "b"}}
	if f := find(map[string]any{"mailboxes": []string{"*"}, "oauth": both}); f.Err != nil {
		t.Errorf("%+v", f)
	}
}
