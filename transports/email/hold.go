package email

import (
	"fmt"
	"time"

	"gangway/core"
)

// holdSettings say for how long what a user writes is held, so that several lines become one mail.
type holdSettings struct {
	Hold time.Duration `toml:"hold"` // after the last line, for who has chosen nothing; 0: each line is a mail
}

const (
	usualHold = 15 * time.Second
	mostHold  = time.Minute // after the first line, and what may be chosen
)

// Bounds of the lines that become one mail.
const (
	heldLines = 20
	heldText  = 64 << 10
)

func defaultHold() holdSettings { return holdSettings{Hold: usualHold} }

func (t *transport) configureHold() error {
	if h := t.settings.Hold; h < 0 || h > mostHold || h%time.Second != 0 {
		return fmt.Errorf("hold must be whole seconds, from 0s (each line is a mail of its own) to %s, not %s", mostHold, h)
	}
	return nil
}

// Hold implements core.Holder. Files take a third more room in a mail than they have bytes.
func (t *transport) Hold() core.Hold {
	return core.Hold{
		Quiet: t.settings.Hold, Most: mostHold, Lines: heldLines, Text: heldText, Files: t.settings.MaxSize / 2,
		Opens: func(m *core.Message) bool { return subjectLine.MatchString(m.Text) },
	}
}

// delays are when a sender hears that a mail is still on its way: long after a greylist, and when the day is half over.
func delays() []time.Duration { return []time.Duration{time.Hour, 4 * time.Hour} }
