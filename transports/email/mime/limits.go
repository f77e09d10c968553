package mime

// Limits bound what one message may cost. What is over a limit is left undecoded, never an error.
type Limits struct {
	Depth       int // multiparts inside one another; a deeper one is kept as a file
	Parts       int // parts in all; the rest of the message stays in the last one
	HeaderBytes int // of one header block; the rest of the block is skipped
	HeaderLines int // of one header block, folded lines included
	Words       int // encoded-words (RFC 2047) in the message; further ones stay as written
	Addresses   int // in one field
	Params      int // of one field
	Decoded     int // bytes of content decoded in all
	Text        int // bytes of one part that are decoded to find its text
}

// DefaultLimits are far above what real mail has.
func DefaultLimits() Limits {
	return Limits{
		Depth: 20, Parts: 200, HeaderBytes: 256 << 10, HeaderLines: 1000, Words: 1000, Addresses: 1000, Params: 100,
		Decoded: 64 << 20, Text: 2 << 20,
	}
}

// maxDefects bounds Message.Defects.
const maxDefects = 50
