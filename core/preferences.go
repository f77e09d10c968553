package core

// Preferences are what a user chose for a network. The zero value is what holds for who has chosen nothing.
type Preferences struct {
	HideTyping bool `json:"hide_typing,omitempty"` // correspondents are not told that the user is writing
	HideRead   bool `json:"hide_read,omitempty"`   // correspondents are not told what the user has read
	NoReceipts bool `json:"no_receipts,omitempty"` // no delivery reports are asked for
	// ResendEdits lets a correction that the network cannot make go out as a message of its own, marked "* ". Otherwise
	// it is refused.
	ResendEdits bool `json:"resend_edits,omitempty"`
	// Language is a BCP 47 tag: of a message that the user's client writes in several languages, this one is sent.
	// Empty: the one in the language of the stanza. What the gateway says itself is in English.
	Language string `json:"language,omitempty"`
	// Account is the one to write from where there was no conversation yet, of several that reach the same correspondents.
	// Empty: the oldest.
	Account AccountID `json:"account,omitempty"`
	// Own are the answers to the transport's own questions, by Field.Name (see Chooser), and to the settings that may
	// differ from place to place, by the name and the place: see Choice.
	Own map[string]string `json:"own,omitempty"`
}
