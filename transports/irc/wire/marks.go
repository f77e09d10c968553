package wire

// The characters that format IRC text, as https://modern.ircdocs.horse/formatting has them.
const (
	CTCPMark      = '\x01'
	BoldMark      = '\x02'
	ColourMark    = '\x03'
	HexMark       = '\x04'
	ResetMark     = '\x0f'
	MonospaceMark = '\x11'
	ReverseMark   = '\x16'
	ItalicMark    = '\x1d'
	StrikeMark    = '\x1e'
	UnderlineMark = '\x1f'
)
