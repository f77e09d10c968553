package core

// Narrower is a session that cannot do, on the network that it speaks with now, all that its type can.
type Narrower interface {
	// Narrow takes out of c what is lacking. It is also called on the nil pointer that a Driver has as its Session, where
	// nothing is: there it is asked what sessions can do at their best.
	Narrow(c *Caps)
}
