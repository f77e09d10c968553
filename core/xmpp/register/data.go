package register

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"

	"gangway/core"
)

// exportName is the name of the file that an export is.
const exportName = "gangway-export.jsonl"

// maxDocument is how much of an export a chat can be sent.
const maxDocument = maxPiece * maxPieces

// export gives the user everything that is kept about them: as a file where the
// gateway has a place for those, else as text.
func (c commands) export(ctx context.Context, r Request) (core.Step, error) {
	step := c.done("This is everything that is kept about you here, on all networks, but for passwords. " +
		"Each line is a record in JSON; the last one says that it is whole.")
	if file := c.put(ctx, r.User); file != nil {
		step.File = file
		return step, nil
	}
	var text bounded
	err := c.Data.Export(ctx, r.User, &text)
	if errors.Is(err, errTooMuch) {
		return core.Step{}, core.E(core.TooLarge, "register: export",
			"There is more kept about you than can be sent here. Please ask the administrator for a file of it.")
	}
	if err != nil {
		return core.Step{}, err
	}
	step.Document = text.text.String()
	return step, nil
}

// bounded is a text that does not grow beyond maxDocument.
type bounded struct{ text strings.Builder }

var errTooMuch = errors.New("more than a chat can be sent")

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > maxDocument {
		return 0, errTooMuch
	}
	return b.text.Write(p)
}

// put makes a file of an export, as it is written; nil if that cannot be done.
func (c commands) put(ctx context.Context, user core.UserID) *core.Attachment {
	if c.Blobs == nil {
		return nil
	}
	accounts, err := c.Accounts.AccountsOf(ctx, user)
	if err != nil || len(accounts) == 0 {
		return nil
	}
	account := accounts[0]
	for _, a := range accounts {
		if a.Network == c.network() {
			account = a
			break
		}
	}
	content, w := io.Pipe()
	var written sync.WaitGroup
	written.Go(func() { w.CloseWithError(c.Data.Export(ctx, user, w)) })
	file, err := c.Blobs.Put(ctx, account, core.Attachment{Name: exportName, Type: "application/jsonl"}, content)
	_ = content.Close() // what is not read is not written either
	written.Wait()
	if err != nil {
		c.Logger.Info("export not put into a file", "account", account.ID, "err", err)
		return nil
	}
	return &file
}

// erase asks twice and then forgets everything about the user, on all networks.
func (c commands) erase(ctx context.Context, r Request) (core.Step, error) {
	switch r.Answers["confirm"] {
	case "true":
	case "":
		step := c.ask("This deletes everything that is kept about you here, on all networks: accounts, contacts, preferences, the "+
			"history of rooms, files, and messages that wait to be sent. Addresses and numbers that were yours go to others in time. It cannot be undone.",
			core.Field{Name: "confirm", Label: "Delete everything?", Type: core.BoolField, Required: true})
		step.More = true
		return step, nil
	default:
		return c.done("Nothing was changed."), nil
	}
	word, ok := r.Answers["word"]
	if !ok {
		return c.ask("To be sure: please write the word erase.", core.Field{Name: "word", Label: "The word", Required: true}), nil
	}
	if !strings.EqualFold(strings.Trim(strings.TrimSpace(word), `"'.`), "erase") {
		return c.done("That was not the word. Nothing was changed."), nil
	}
	if err := c.Data.Erase(ctx, r.User); err != nil {
		return core.Step{}, err
	}
	return c.done("Nothing is kept about you any more."), nil
}
