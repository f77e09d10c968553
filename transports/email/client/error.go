package client

import (
	"errors"
	"fmt"

	"github.com/emersion/go-smtp"
)

// Stage is where in the dialogue something went wrong.
type Stage uint8

// The stages, in their order.
const (
	Connect Stage = iota // up to the greeting and EHLO
	Secure               // TLS: none offered, none that is good enough, or not with who should be there
	Auth
	Mail
	Rcpt
	Data
	Dot    // after the last byte, without an answer: nobody knows whether the mail was taken
	Report // in a report about the mail, later
)

// Error is an error with its stage. If Err is, or wraps, a *smtp.SMTPError, the server has spoken.
type Error struct {
	Stage Stage
	MTA   string // the server; may be empty
	Err   error
}

// Error returns the text for the log.
func (e *Error) Error() string {
	if e.MTA != "" {
		return e.MTA + ": " + e.Err.Error()
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// TooLargeError is that a server has said how much it takes, and that the mail is more. It wraps a *smtp.SMTPError.
type TooLargeError struct{ Limit int }

// Error returns the text for the log.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the server takes up to %d bytes", e.Limit)
}

// Unwrap returns what the server would have said.
func (e *TooLargeError) Unwrap() error {
	return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}}
}

// At gives err a stage; nil stays nil, and what has a stage keeps it.
func At(s Stage, err error) error {
	var e *Error
	if err == nil {
		return nil
	}
	if errors.As(err, &e) {
		s = e.Stage
	}
	return &Error{Stage: s, Err: err}
}

// StageOf is the stage of an error; Connect if it has none.
func StageOf(err error) Stage {
	var e *Error
	if errors.As(err, &e) {
		return e.Stage
	}
	return Connect
}

// Named gives an error the name of the server.
func Named(mta string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Stage: StageOf(err), MTA: mta, Err: err}
}

// MTAOf is the server that an error comes from; empty if that is not known.
func MTAOf(err error) string {
	var e *Error
	for errors.As(err, &e) {
		if e.MTA != "" {
			return e.MTA
		}
		err = e.Err
	}
	return ""
}

// IsHandshake says whether there is a server, but no TLS with it.
func IsHandshake(err error) bool {
	var e *handshakeError
	return errors.As(err, &e)
}
