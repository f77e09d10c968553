package email

import (
	"errors"

	"github.com/emersion/go-smtp"

	"gangway/core"
)

func refusal(code int, enhanced smtp.EnhancedCode, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

// reply is the only way out of the SMTP session. What go-smtp gets is nil or a bare *smtp.SMTPError with a fixed text:
// anything else, even wrapped, would become a permanent 554 that shows our insides.
func reply(err error) error {
	if err == nil {
		return nil
	}
	var s *smtp.SMTPError
	if errors.As(err, &s) {
		return s
	}
	var e *core.Error
	if !errors.As(err, &e) {
		return refusal(451, smtp.EnhancedCode{4, 3, 0}, "Local error, please try again later")
	}
	switch e.Kind {
	case core.Invalid:
		return refusal(550, smtp.EnhancedCode{5, 6, 0}, "The message is not acceptable")
	case core.NotFound, core.Unenrolled:
		return noMailbox()
	case core.Denied:
		return refusal(550, smtp.EnhancedCode{5, 7, 1}, "The recipient does not accept this message")
	case core.Unsupported:
		return refusal(554, smtp.EnhancedCode{5, 3, 3}, "The message cannot be delivered here")
	case core.TooLarge:
		return tooLarge()
	case core.OverLimit:
		return refusal(452, smtp.EnhancedCode{4, 3, 1}, "Too much at the moment, please try again later")
	case core.Internal, core.Unavailable, core.Uncertain:
	}
	return refusal(451, smtp.EnhancedCode{4, 3, 0}, "Local error, please try again later")
}

func noMailbox() *smtp.SMTPError {
	return refusal(550, smtp.EnhancedCode{5, 1, 1}, "There is no such mailbox here")
}

func tooLarge() *smtp.SMTPError {
	return refusal(552, smtp.EnhancedCode{5, 3, 4}, "The message is larger than is accepted here")
}

func isTemporary(err error) bool {
	var s *smtp.SMTPError
	return errors.As(err, &s) && s.Temporary()
}
