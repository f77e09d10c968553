package core

// Step is one turn of a registration or a command. It is rendered three ways: as a XEP-0077 or XEP-0050 form, and
// as a plain chat conversation.
type Step struct {
	Title  string
	Text   string // what the user reads; with Done: the result
	Fields []Field
	More   bool // not Done: another step surely follows
	Done   bool
	// Link is with Done the account to link; User, Network and ID are the gateway's to set. Before, it may name by its
	// Realm which account is asked about: if the user has it, the step is asked for again with that as the current one.
	Link *Account

	Document string      // with Done: a text for the user to keep, of any length
	File     *Attachment // with Done: the same as a file that the user can fetch
}

// FieldType says how a field is asked for.
type FieldType uint8

// The types, as XEP-0004 section 3.3 has them.
const (
	TextField   FieldType = iota // text-single
	SecretField                  // text-private: never echoed, never logged
	ChoiceField                  // list-single
	BoolField                    // boolean: "true" or "false"
	LongField                    // text-multi: lines end with \n
	PersonField                  // jid-single: the address of a person on the edge
	NoteField                    // fixed: Value is read, not answered
)

// Field is one question.
type Field struct {
	Name     string // a word: the XEP-0004 var
	Label    string
	Type     FieldType
	Value    string // the proposal or the present value
	Options  []Option
	Required bool
}

// Option is one possible answer of a ChoiceField.
type Option struct{ Value, Label string }
