// Package mime reads e-mail as it is, not as it should be.
//
// Parse never fails: whatever cannot be understood is kept as text or as a file, and what was repaired is listed in
// Message.Defects. It runs once over the message and is bounded by Limits in every direction, because both Go
// parsers of MIME take quadratic time on nested messages. Nothing here knows the gateway, the network or a clock.
package mime
