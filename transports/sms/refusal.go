package sms

import (
	"strconv"
	"time"

	"gangway/core"
)

// refusals are the provider's error codes in our words (Twilio's error dictionary). What is not listed is judged by
// the status it came with: Twilio adds codes without notice.
type meaning struct {
	kind  core.Kind
	text  string
	after time.Duration
}

func meaningOf(code int) (meaning, bool) {
	switch code {
	case 21211, 21201:
		return meaning{kind: core.Invalid, text: "That is no number that can get text messages."}, true
	case 21614, 30005, 30006:
		return meaning{kind: core.NotFound, text: "That number cannot get text messages: it does not exist or is a landline."}, true
	case 21612, 30011, 21910:
		return meaning{kind: core.Unsupported, text: "There is no way from your number to that one."}, true
	case 21408:
		return meaning{kind: core.Denied, text: "Messages to that country are not enabled here. Ask the administrator."}, true
	case 21610:
		return meaning{kind: core.Denied, text: "They asked not to get messages from this number. They can text START to get them again."}, true
	case 21617, 30019, 11751:
		return meaning{kind: core.TooLarge, text: "The message is too long for SMS (1600 characters). Send it in parts."}, true
	case 21602, 21619, 21620, 12300:
		return meaning{kind: core.Invalid, text: "The message is empty or of a kind that SMS cannot carry."}, true
	case 21603, 21606, 21212, 21659, 21660, 21657, 21703:
		return meaning{kind: core.Unsupported, text: "Your number cannot send messages at the moment. The administrator has to look at it."}, true
	case 20003, 20005, 30002, 30037:
		return meaning{kind: core.Unavailable, text: "The SMS provider does not accept this gateway's credentials.", after: 5 * time.Minute}, true
	case 20429:
		return meaning{kind: core.OverLimit, after: time.Second}, true
	case 21611, 30001, 30022, 30023, 30027, 30454, 63018, 63038:
		return meaning{kind: core.OverLimit, text: "Too many messages are waiting at the provider.", after: 5 * time.Minute}, true
	case 30003:
		return meaning{kind: core.Unavailable, text: "Their phone was off or out of reach."}, true
	case 30004, 30007, 30032, 30034, 30035, 30038, 30040, 30041:
		return meaning{kind: core.Denied, text: "A carrier blocked the message."}, true
	case 30036, 30410:
		return meaning{kind: core.Unavailable, text: "The message could not be delivered in time."}, true
	case 30450, 30453:
		return meaning{kind: core.Denied, text: "The provider has blocked messages to this range of numbers for a while, against fraud."}, true
	}
	return meaning{}, false
}

// refusal is the error for a code that came with a status: "failed" (nothing was sent) or "undelivered".
func refusal(op string, code int, status string, err error) *core.Error {
	m, ok := meaningOf(code)
	switch {
	case ok:
	case status == "undelivered":
		m = meaning{kind: core.Unavailable, text: "The carrier could not deliver the message."}
	case status == "canceled":
		m = meaning{kind: core.Denied, text: "The message was canceled at the provider."}
	default:
		m = meaning{kind: core.Unsupported, text: "The SMS provider refused the message."}
	}
	e := &core.Error{Kind: m.kind, Op: op, Text: m.text, After: m.after, Err: err}
	if code != 0 {
		e.Code = strconv.Itoa(code)
	}
	return e
}
