package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/irc/biboumi"
)

const (
	historyPage  = 500
	historyBytes = 256 << 10 // of one order
	longestLine  = 64 << 10
)

// history takes over what was said in a channel, as far as it would be kept.
func (im *importer) history(ctx context.Context, a *biboumi.Account, got importedAccount, l biboumi.Logged) error {
	after := int64(0)
	if !im.archive.Enabled {
		im.left(fmt.Sprintf("the history of %s, %d lines: [archive] keeps none", l.Channel, l.Lines))
		im.progress.add(l.Lines)
		return nil
	}
	if l.Lines > int64(im.archive.Limit) {
		var err error
		if after, err = im.db.Before(ctx, a.Owner, l, im.archive.Limit); err != nil {
			return err
		}
		im.old += l.Lines - int64(im.archive.Limit)
		im.progress.add(l.Lines - int64(im.archive.Limit))
	}
	oldest := time.Now().Add(-im.archive.Keep)
	order := historyOrder{User: a.Owner, Network: im.network, Realm: got.Realm, Room: l.Channel, Nick: a.Nick(), DryRun: im.dry}
	before := im.lines
	defer func() {
		if n := im.lines - before; n > 0 {
			im.progress.say(im.out, "  %s: %d lines of the history of %s", oneLine(a.Server), n, oneLine(l.Channel))
		}
	}()
	for {
		lines, err := im.db.History(ctx, a.Owner, l, after, historyPage)
		if err != nil || len(lines) == 0 {
			return err
		}
		size := 0
		for _, line := range lines {
			after = line.Row
			if line.At.Before(oldest) {
				im.old++
				continue
			}
			order.Lines = append(order.Lines, historyLineOf(line))
			if size += len(line.Body); size > historyBytes {
				if err := im.tell(ctx, &order); err != nil {
					return err
				}
				size = 0
			}
		}
		if err := im.tell(ctx, &order); err != nil {
			return err
		}
		im.progress.add(int64(len(lines)))
	}
}

// historyLineOf is a line as the archive has it. biboumi's id is what clients know it by.
func historyLineOf(line biboumi.Line) historyLine {
	id := core.MessageID(line.UUID)
	if id == "" {
		id = core.MessageID(fmt.Sprintf("biboumi-%d", line.Row))
	}
	text := line.Body
	if len(text) > longestLine {
		text = text[:longestLine]
	}
	return historyLine{ID: id, At: line.At, By: line.Nick, Text: strings.ToValidUTF8(text, "\ufffd")}
}

// tell passes lines on, and empties the order.
func (im *importer) tell(ctx context.Context, order *historyOrder) error {
	lines := order.Lines
	order.Lines = nil
	if len(lines) == 0 {
		return nil
	}
	var fresh int
	o := *order
	o.Lines = lines
	err := im.call(ctx, "import.history", o, &fresh)
	if err != nil && isTheirs(err) {
		im.left(fmt.Sprintf("%d lines of %s: %s", len(lines), order.Room, explain(err)))
		return nil
	}
	im.lines += int64(fresh)
	return err
}
