package twilio

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"time"
)

// Statuses of a message, as the API spells them.
const (
	Accepted    = "accepted"
	Scheduled   = "scheduled"
	Queued      = "queued"
	Sending     = "sending"
	Sent        = "sent"
	Delivered   = "delivered"
	Undelivered = "undelivered"
	Failed      = "failed"
	Canceled    = "canceled"
	Read        = "read"
	Received    = "received"
)

// Directions of a message.
const (
	DirectionInbound = "inbound"
	DirectionAPI     = "outbound-api"
	DirectionReply   = "outbound-reply" // TwiML, and Twilio's own answers to STOP, START and HELP
)

// Message is what the server knows of one message. It is a copy: it does not change.
type Message struct {
	SID            string
	From, To       string // From is empty until a Messaging Service has chosen a number
	Body           string
	Status         string
	ErrorCode      int // 0: none
	Direction      string
	Service        string // Messaging Service SID, or empty
	Segments       int
	Media          []string // SIDs (ME...)
	StatusCallback string
	Form           url.Values // what the client posted; nil for others
	Created        time.Time
	Updated        time.Time
	Sent           time.Time // zero until sent; inbound: when the webhook was called
	Price          string    // empty until known
	Deleted        bool      // by the client; the money is spent all the same
}

// Final reports whether the status will not change again by itself.
func (m *Message) Final() bool {
	switch m.Status {
	case Delivered, Undelivered, Failed, Canceled, Read, Received:
		return true
	default:
		return false
	}
}

// record is a Message and what only the server needs. Server.mu guards it.
type record struct {
	Message
	script Script
	sendAt time.Time
	cancel context.CancelFunc // ends the wait of a scheduled message; nil for others
	form   url.Values         // of the inbound webhook, as it was signed
	hook   string             // its URL
}

// snapshot needs Server.mu.
func (r *record) snapshot() Message {
	m := r.Message
	m.Media = append([]string(nil), r.Media...)
	return m
}

func newSID(prefix string) string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + hex.EncodeToString(b[:])
}

// messageJSON is the Message resource, with the field names and the nulls of the API.
type messageJSON struct {
	Body         *string           `json:"body"`
	NumSegments  string            `json:"num_segments"`
	Direction    string            `json:"direction"`
	From         *string           `json:"from"`
	To           string            `json:"to"`
	DateUpdated  *string           `json:"date_updated"`
	Price        *string           `json:"price"`
	ErrorMessage *string           `json:"error_message"`
	URI          string            `json:"uri"`
	AccountSID   string            `json:"account_sid"`
	NumMedia     string            `json:"num_media"`
	Status       string            `json:"status"`
	ServiceSID   *string           `json:"messaging_service_sid"`
	SID          string            `json:"sid"`
	DateSent     *string           `json:"date_sent"`
	DateCreated  *string           `json:"date_created"`
	ErrorCode    *int              `json:"error_code"`
	PriceUnit    *string           `json:"price_unit"`
	APIVersion   string            `json:"api_version"`
	Subresources map[string]string `json:"subresource_uris"`
}

const apiVersion = "2010-04-01"

func (s *Server) accountPath() string { return "/" + apiVersion + "/Accounts/" + s.cfg.AccountSID }

func (s *Server) resource(m *Message) *messageJSON {
	path := s.accountPath() + "/Messages/" + m.SID
	currency := "USD"
	j := &messageJSON{
		Body: &m.Body, Direction: m.Direction, To: m.To, Status: m.Status, SID: m.SID,
		From:        nullable(m.From),
		ServiceSID:  nullable(m.Service),
		Price:       nullable(m.Price),
		PriceUnit:   &currency,
		NumSegments: strconv.Itoa(m.Segments),
		NumMedia:    strconv.Itoa(len(m.Media)),
		AccountSID:  s.cfg.AccountSID,
		APIVersion:  apiVersion,
		DateCreated: date(m.Created), DateUpdated: date(m.Updated), DateSent: date(m.Sent),
		URI: path + ".json",
		Subresources: map[string]string{
			"media":    path + "/Media.json",
			"feedback": path + "/Feedback.json",
		},
	}
	if m.ErrorCode != 0 {
		text := statusText(m.ErrorCode)
		j.ErrorCode, j.ErrorMessage = &m.ErrorCode, &text
	}
	return j
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// date is RFC 2822 in GMT; null for the zero time.
func date(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	d := t.UTC().Format(time.RFC1123Z)
	return &d
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own structs of strings and ints: cannot fail
	}
	return b
}
