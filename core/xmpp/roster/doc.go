// Package roster is the presence of the gateway and of its contacts: it accepts
// subscriptions, answers probes, and says how the connection to the network is.
//
// Presence is sent only when it changed and only to whom it concerns: the
// gateway's own to each registered user at start and stop and when one of their
// accounts is in trouble or out of it; a contact's when somebody subscribes or
// probes, or the network says something new.
//
// The package has no goroutines. A mutex guards what each user was last told.
package roster
