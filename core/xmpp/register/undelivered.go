package register

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"gangway/core"
)

const (
	shownLetters = 20 // on one page
	shownText    = 60 // characters of each
)

// undelivered lists the user's dead letters, and retries or drops one or all.
func (c commands) undelivered(ctx context.Context, r Request) (core.Step, error) {
	page, action := leafed(r.Answers, "action")
	letters, further, err := c.letters(ctx, r.User, page)
	if err != nil {
		return core.Step{}, err
	}
	held, err := c.held(ctx, r.User)
	if err != nil {
		return core.Step{}, err
	}
	which := r.Answers["which"]
	switch {
	case len(letters) == 0 && which == "" && page == 0:
		return c.done(join(held, "No message waits to be tried again. What failed was answered with an error at the time.")), nil
	case len(letters) == 0 && which == "":
		return c.done("That was all."), nil
	case action == "":
		step := c.listLetters(letters, page, further)
		if page == 0 {
			step.Text = join(held, step.Text)
		}
		return step, nil
	case action != "retry" && action != "drop":
		return c.done("Nothing was changed."), nil
	case which == "":
		return c.chooseLetter(letters, action), nil
	}
	return c.settle(ctx, r.User, action, which, letters)
}

// letters are a page of the user's dead letters.
func (c commands) letters(ctx context.Context, user core.UserID, page int) (letters []Letter, further bool, err error) {
	after := int64(0)
	for ; ; page-- {
		letters, err = c.Letters.Undelivered(ctx, user, c.network(), after, shownLetters+1)
		if further = len(letters) > shownLetters; further {
			letters = letters[:shownLetters]
		}
		if err != nil || page == 0 || len(letters) == 0 {
			return letters, further, err
		}
		after = letters[len(letters)-1].Seq
	}
}

func (c commands) listLetters(letters []Letter, page int, further bool) core.Step {
	var b strings.Builder
	fmt.Fprintf(&b, "%d not delivered:", len(letters))
	if page > 0 || further {
		b.Reset()
		fmt.Fprintf(&b, "Not delivered, %d to %d:", page*shownLetters+1, page*shownLetters+len(letters))
	}
	for _, l := range letters {
		b.WriteString("\n" + letterLine(l))
		if l.Err != nil {
			b.WriteString("\n   " + l.Err.Sentence())
		}
	}
	if further {
		b.WriteString("\n... and more.")
	}
	return core.Step{Title: c.title(), More: true, Text: b.String(), Fields: []core.Field{{
		Name: onPage("action", page), Label: "What shall be done?", Type: core.ChoiceField, Value: "nothing", Required: true,
		Options: leaf([]core.Option{{Value: "retry", Label: "retry"}, {Value: "drop", Label: "drop"}, {Value: "nothing", Label: "nothing"}}, further),
	}}}
}

func letterLine(l Letter) string {
	way := "to"
	if l.Incoming {
		way = "from"
	}
	return fmt.Sprintf("%s, %s %s: %s", l.Queued.UTC().Format("2 Jan 15:04 UTC"), way, l.Peer, shorten(l.Text))
}

// shorten makes one short line of a text.
func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= shownText {
		return s
	}
	return string([]rune(s)[:shownText-1]) + "…"
}

func (c commands) chooseLetter(letters []Letter, action string) core.Step {
	options := make([]core.Option, 0, len(letters)+1)
	for _, l := range letters {
		options = append(options, core.Option{Value: strconv.FormatInt(l.Seq, 10), Label: letterLine(l)})
	}
	if len(letters) > 1 {
		options = append(options, core.Option{Value: "all", Label: "all of these"})
	}
	return core.Step{Title: c.title(), Text: "Which one shall be " + past(action) + "?", Fields: []core.Field{{
		Name: "which", Label: "Message", Type: core.ChoiceField, Options: options, Required: true,
	}}}
}

func past(action string) string {
	if action == "drop" {
		return "dropped"
	}
	return "retried"
}

// settle retries or drops. What has gone meanwhile is no error: that was wanted.
func (c commands) settle(ctx context.Context, user core.UserID, action, which string, letters []Letter) (core.Step, error) {
	do := c.Letters.Retry
	if action == "drop" {
		do = c.Letters.Drop
	}
	n := 0
	for _, l := range letters {
		if which != "all" && which != strconv.FormatInt(l.Seq, 10) {
			continue
		}
		err := do(ctx, user, c.network(), l.Seq)
		if err != nil && core.KindOf(err) != core.NotFound {
			return core.Step{}, err
		}
		if err == nil {
			n++
		}
	}
	if n == 0 {
		return c.done("That is not there any more."), nil
	}
	return c.done(fmt.Sprintf("%d %s.", n, past(action))), nil
}
