// Package roster is the presence of the gateway and of its contacts, and the
// contact lists of its users: it accepts subscriptions, answers probes, says how
// the connection to the network is, and fills each user's list with whom the
// user has on the network.
//
// Presence is sent only when it changed and only to whom it concerns: what every
// user was shown last is remembered, and who is known to be offline is sent
// nothing. The gateway's own goes to each registered user at start and stop and
// when one of their accounts is in trouble or out of it; a contact's when
// somebody subscribes or probes, when a user is found online after a start, or
// when the network says something new. What concerns many is paced, and what
// follows quickly upon something else is joined with it.
//
// A list is filled in the best way that there is for its user: by the host
// server's privilege (XEP-0356), else by an offer to a client that understands
// one (XEP-0144), else by subscription requests, one after the other.
//
// Goroutines: Run has one for each domain, which serves users whose lists or
// whose view of their contacts are to be brought up to date, by a few workers,
// never two for the same user. A mutex per domain guards what users were shown.
package roster
