// Package twilio is a stand-in for Twilio's Messages API: the REST resources a client calls, the signed webhooks
// Twilio makes, and the ways both go wrong. Tests and the demo run against it instead of a paid account.
//
// What it keeps to, and where that is checked:
//
//   - Resources: create, fetch, list, update (redact, cancel), delete, and their media. Every exchange is validated
//     against Twilio's published OpenAPI document (package contract, build tag integration).
//   - Signatures: X-Twilio-Signature over the exact configured URL; compared with vectors made by Twilio's own npm
//     library and with twilio-go's RequestValidator.
//   - Webhooks: the documented timeouts, one retry on connection trouble, the overrides in the URL's fragment, and
//     the fallback URL for inbound messages.
//   - Opt-outs, segment counts, smart encoding and the error codes a sender meets.
//
// What it leaves out: XML answers, TwiML beyond Message and Body, redirects of webhooks, rate queues (30001 and 21611
// only by script), Conversations, and every channel but SMS and MMS.
//
// # Who owns what
//
// Server.mu guards all state. A request handler changes state under it and never posts a webhook while holding it.
// Every message that is on its way has one goroutine, started by Server.spawn and awaited by Run.
package twilio
