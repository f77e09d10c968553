package sms

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gangway/core"
)

const (
	maxForm = 256 << 10
	maxKeys = 500
	// empty is the answer that says nothing to the sender of a message. Other providers of the same API need exactly
	// this long form.
	empty = `<?xml version="1.0" encoding="UTF-8"?><Response></Response>`
)

// ServeHTTP takes the provider's webhooks: /inbound and /status/<our message id>. Nothing is answered with 2xx
// before it is safe.
func (t *transport) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, err := t.verify(w, r)
	if err != nil {
		t.refuse(w, r, err)
		return
	}
	id, isStatus := strings.CutPrefix(r.URL.Path, "/status/")
	switch {
	case isStatus:
		err = t.status(r, core.MessageID(id), form)
	case r.URL.Path == "/inbound":
		err = t.inbound(r, form)
	default:
		err = core.E(core.NotFound, "sms: webhook", "no such webhook")
	}
	if err != nil {
		t.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, empty) // a provider that hung up asks again, and is recognised
}

// refuse answers without detail: the provider needs only the code, and nobody else is owed anything.
func (t *transport) refuse(w http.ResponseWriter, r *http.Request, err error) {
	code := httpStatus(core.KindOf(err))
	t.host.Logger().Warn("webhook refused", "status", code, "path", path(r), "err", err)
	http.Error(w, http.StatusText(code), code)
}

// path is a request's path for the log: bounded, and quoted by the logger.
func path(r *http.Request) string { return r.URL.Path[:min(len(r.URL.Path), 80)] }

func httpStatus(k core.Kind) int {
	switch k {
	case core.Invalid:
		return http.StatusBadRequest
	case core.NotFound, core.Unenrolled:
		return http.StatusNotFound
	case core.Denied:
		return http.StatusForbidden
	case core.Unsupported:
		return http.StatusMethodNotAllowed
	case core.TooLarge:
		return http.StatusRequestEntityTooLarge
	case core.OverLimit:
		return http.StatusTooManyRequests
	case core.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// verify reads a webhook's form, which must be signed, whole, and about our account.
func (t *transport) verify(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method != http.MethodPost {
		return nil, core.E(core.Unsupported, "sms: webhook", "only POST")
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, core.E(core.Invalid, "sms: webhook", "not a form")
	}
	if strings.Contains(r.URL.RawQuery, "bodySHA256") {
		return nil, core.E(core.Invalid, "sms: webhook", "not signed as a form")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		if errors.As(err, new(*http.MaxBytesError)) {
			return nil, core.E(core.TooLarge, "sms: webhook", "form too large")
		}
		return nil, core.Wrap(core.Invalid, "sms: webhook", err)
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil || len(form) > maxKeys {
		return nil, core.E(core.Invalid, "sms: webhook", "broken form")
	}
	link := t.host.WebhookURL() + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		link += "?" + r.URL.RawQuery
	}
	if !signed(r.Header.Get("X-Twilio-Signature"), link, form, t.set.Token, t.set.NextToken) {
		return nil, core.E(core.Denied, "sms: webhook", "signature does not fit")
	}
	if form.Get("AccountSid") != t.set.Account || !messageSID.MatchString(form.Get("MessageSid")) {
		return nil, core.E(core.Denied, "sms: webhook", "another account's")
	}
	return form, nil
}

// status turns a status callback into a receipt.
func (t *transport) status(r *http.Request, id core.MessageID, form url.Values) error {
	if !slices.Contains(t.numbers, form.Get("From")) {
		return core.E(core.Denied, "sms: status", "not from one of our numbers")
	}
	receipt := &core.Receipt{IDs: core.IDs{ID: id, Remote: core.RemoteID(form.Get("MessageSid"))}}
	switch status := form.Get("MessageStatus"); status {
	case "queued", "accepted", "scheduled", "sending":
		receipt.State = core.Accepted
	case "sent":
		receipt.State = core.Sent
	case "delivered":
		receipt.State = core.Delivered
	case "read":
		receipt.State = core.Read
	case "failed", "undelivered", "canceled":
		code, _ := strconv.Atoi(form.Get("ErrorCode")) // absent or not a number: judged by the status
		receipt.State, receipt.Err = core.Failed, refusal("sms: status", code, status, nil)
	default: // a status that Twilio has added
		t.host.Logger().Info("unknown message status", "status", status[:min(len(status), 40)], "message", id)
		return nil
	}
	return t.host.Deliver(r.Context(), receipt)
}

// inbound delivers a received message to whoever has the number.
func (t *transport) inbound(r *http.Request, form url.Values) error {
	media, _ := strconv.Atoi(form.Get("NumMedia")) // absent: 0
	return t.receive(r.Context(), received{
		sid: form.Get("MessageSid"), from: form.Get("From"), to: form.Get("To"), body: form.Get("Body"),
		types: mediaTypes(form, media), at: time.Now(),
	})
}

func mediaTypes(form url.Values, n int) []string {
	var types []string
	for i := range min(n, 10) {
		types = append(types, form.Get("MediaContentType"+strconv.Itoa(i)))
	}
	return types
}
