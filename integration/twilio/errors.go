package twilio

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// apiError is a refusal in Twilio's form.
type apiError struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info"`
	Status   int    `json:"status"`
	Detail   string `json:"detail,omitempty"`

	retryAfter time.Duration
}

// refusal returns Twilio's answer for an error code; args fill in its text. Codes it has no text for are 400.
func refusal(code int, args ...any) *apiError {
	status := http.StatusBadRequest
	var text string
	switch code {
	case 20001:
		text = "Invalid parameter: %s"
	case 20003:
		status, text = http.StatusUnauthorized, "Authenticate"
	case 20004:
		status, text = http.StatusMethodNotAllowed, "Method not allowed"
	case 20009:
		status, text = http.StatusUnprocessableEntity, "Cannot delete this resource before it is complete"
	case 20404:
		status, text = http.StatusNotFound, "The requested resource %s was not found"
	case 20429:
		status, text = http.StatusTooManyRequests, "Too Many Requests"
	case 20500:
		status, text = http.StatusInternalServerError, "An internal server error has occurred"
	case 20503:
		status, text = http.StatusServiceUnavailable, "Service unavailable"
	default:
		text = senderText(code)
	}
	if len(args) > 0 {
		text = fmt.Sprintf(text, args...)
	}
	return &apiError{
		Code: code, Message: text, Status: status,
		MoreInfo: "https://www.twilio.com/docs/errors/" + strconv.Itoa(code),
	}
}

// senderText words the refusals of one message (HTTP status 400).
func senderText(code int) string {
	switch code {
	case 21211:
		return "Invalid 'To' Phone Number: %s"
	case 21212:
		return "Invalid From Number (caller ID): %s"
	case 21266:
		return "'To' and 'From' number cannot be the same: %s"
	case 21408:
		return "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"
	case 21602:
		return "Message body is required."
	case 21603:
		return "A 'From' phone number is required."
	case 21604:
		return "A 'To' phone number is required."
	case 21606:
		return "The From phone number %s is not a valid, SMS-capable inbound phone number or short code for your account."
	case 21609:
		return "The 'StatusCallback' URL %s is not a valid URL."
	case 21610:
		return "Attempt to send to unsubscribed recipient"
	case 21611:
		return "This 'From' number has exceeded the maximum number of queued messages"
	case 21612:
		return "The 'To' phone number is not currently reachable using the 'From' phone number via SMS"
	case 21614:
		return "'To' number is not a valid mobile number"
	case 21617:
		return "The concatenated message body exceeds the 1600 character limit"
	case 21619:
		return "A text message body or media urls must be specified."
	case 21620:
		return "Invalid media URL(s)"
	case 21623:
		return "Number of media files exceeds allowed limit"
	case 21701:
		return "The Messaging Service does not exist: %s"
	case 21703:
		return "The Messaging Service does not have a phone number available to send a message"
	case 35118:
		return "MessagingServiceSid is required to schedule a message"
	default:
		return statusText(code)
	}
}

// statusText is the error_message of a message that failed after it was accepted.
func statusText(code int) string {
	switch code {
	case 30001:
		return "Queue overflow"
	case 30002:
		return "Account suspended"
	case 30003:
		return "Unreachable destination handset"
	case 30004:
		return "Message blocked"
	case 30005:
		return "Unknown destination handset"
	case 30006:
		return "Landline or unreachable carrier"
	case 30007:
		return "Message filtered"
	case 30008:
		return "Unknown error"
	case 30034:
		return "US A2P 10DLC - Message from an Unregistered Number"
	case 30036:
		return "Validity Period Expired"
	default:
		return "Error " + strconv.Itoa(code)
	}
}

func (e *apiError) answer() answer {
	body, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and ints: cannot fail
	}
	a := answer{status: e.Status, contentType: typeJSON, body: body, header: http.Header{}}
	if e.Status == http.StatusUnauthorized {
		a.header.Set("WWW-Authenticate", `Basic realm="Twilio API"`)
	}
	if e.retryAfter > 0 {
		seconds := (e.retryAfter + time.Second - 1) / time.Second
		a.header.Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	return a
}
