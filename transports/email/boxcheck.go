package email

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gangway/core"
)

// checkBoxes says which mailboxes elsewhere can be linked. What stands in the settings was looked at when they were
// read; nobody's server is asked.
func (t *transport) checkBoxes() core.Finding {
	f := core.Finding{Name: "mailboxes"}
	where := "of any provider"
	if !slices.Contains(t.settings.Mailboxes, "*") {
		where = "at " + strings.Join(t.settings.Mailboxes, ", ")
	}
	f.Text = fmt.Sprintf("users can link mailboxes %s, at most %d each", where, t.boxes.most)
	if !slices.Contains(t.settings.Mailboxes, "*") {
		return f
	}
	var missing []string
	for _, name := range []string{"google", "microsoft"} {
		if t.boxes.providers[name] == nil {
			missing = append(missing, name)
		}
	}
	if slices.Contains(missing, "microsoft") { // it takes no passwords at all
		f.Warn, f.Err = true, errors.New("no tokens for "+strings.Join(missing, " and "))
		f.Text += "; set [transport.email.oauth.microsoft] to have mailboxes of Microsoft's among them"
	}
	return f
}
