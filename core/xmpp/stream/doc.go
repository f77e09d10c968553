// Package stream frames, decodes and encodes the stanzas of an XEP-0114
// component stream. It is the hot path of the gateway.
//
// A [Reader] cuts the byte stream into stanzas and parses each into a compact
// tree, a [Stanza]. What is wrong inside one stanza (a duplicate attribute, an
// unbound prefix, too many bytes) is a [*StanzaError] about that stanza alone,
// and the next call reads the next stanza; only broken framing is a
// [*StreamError]. Documents that XMPP forbids (RFC 6120 section 11.1: comments,
// processing instructions, DTDs, entities beyond the five) never get through.
//
// An [Encoder] appends whole stanzas to a buffer. Every value passes its
// escaping, so nothing a legacy network sends can make the stream ill-formed,
// and a stanza that cannot be finished leaves no byte behind.
package stream

// Namespaces that the stream itself is made of.
const (
	NSComponent = "jabber:component:accept"             // XEP-0114, the default namespace of the stream
	NSClient    = "jabber:client"                       // RFC 6120, stanzas inside <forwarded/> and <privilege/>
	NSStream    = "http://etherx.jabber.org/streams"    // RFC 6120 section 4.8.1
	NSStreams   = "urn:ietf:params:xml:ns:xmpp-streams" // conditions of a stream error
	NSStanzas   = "urn:ietf:params:xml:ns:xmpp-stanzas" // conditions of a stanza error
	NSXML       = "http://www.w3.org/XML/1998/namespace"
)

// Limits bound what one peer can make a Reader do or keep. A zero field takes
// its value from [DefaultLimits].
type Limits struct {
	Stanza   int // bytes of one stanza as written on the wire
	Depth    int // elements inside each other, the stanza itself counted
	Attrs    int // attributes of one element, namespace declarations counted
	Elements int // elements and runs of text in one stanza
	Prefixes int // prefixed namespace declarations in scope at once
	Skip     int // bytes of an oversized stanza that are skipped before the stream is given up
}

// DefaultLimits are those of the servers: Prosody and ejabberd send at most
// 512 KiB, and no client nests deeper than a handful of elements.
func DefaultLimits() Limits {
	return Limits{
		Stanza:   512 << 10,
		Depth:    64,
		Attrs:    256,
		Elements: 32 << 10,
		Prefixes: 64,
		Skip:     64 << 20,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct {
		have *int
		want int
	}{
		{&l.Stanza, d.Stanza}, {&l.Depth, d.Depth}, {&l.Attrs, d.Attrs},
		{&l.Elements, d.Elements}, {&l.Prefixes, d.Prefixes}, {&l.Skip, d.Skip},
	} {
		if *f.have <= 0 {
			*f.have = f.want
		}
	}
	return l
}

// CloseTag ends our side of a stream.
const CloseTag = "</stream:stream>"

// OpenComponent returns the opening tag of a component's stream (XEP-0114
// section 3).
func OpenComponent(domain string) []byte {
	b := []byte("<?xml version='1.0'?><stream:stream xmlns='" + NSComponent + "' xmlns:stream='" + NSStream + "' to='")
	b = appendEscaped(b, domain, true)
	return append(b, "'>"...)
}
