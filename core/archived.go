package core

import "time"

// Archived is an event of a conversation as it is kept: a Message, a Reaction or a Retraction.
type Archived struct {
	ID    MessageID // its own name in the conversation; of a Reaction or Retraction not that of the message it is about
	At    time.Time // when it was said
	Event Event     // its Ref says whose conversation, and which

	// Set by the archive on a Message that has been taken back: the ID of the Retraction, and when. What the message
	// said is gone then; who said it and its names are there.
	Retracted   MessageID
	RetractedAt time.Time
}
