package mime

import "bytes"

// The few types of BER (X.690) on the way to what a CMS SignedData (RFC 5652 section 5.1) holds.
const (
	berOctets      = 0x04
	berOID         = 0x06
	berSequence    = 0x30
	berConstructed = 0x20
	berContext0    = 0xa0
	maxBER         = 20 // levels
)

// signedContent returns the content of a SignedData; nil if it has none, or is something else.
func signedContent(b []byte) []byte {
	signedData := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}
	info, _, ok := berOf(b, berSequence)
	if !ok {
		return nil
	}
	oid, info, ok := berOf(info, berOID)
	if !ok || !bytes.Equal(oid, signedData) {
		return nil
	}
	explicit, _, ok := berOf(info, berContext0)
	if !ok {
		return nil
	}
	data, _, ok := berOf(explicit, berSequence)
	if !ok {
		return nil
	}
	for range 2 { // the version, the digests
		if data, ok = berSkip(data, 0); !ok {
			return nil
		}
	}
	encap, _, ok := berOf(data, berSequence)
	if !ok {
		return nil
	}
	if encap, ok = berSkip(encap, 0); !ok { // the type of the content
		return nil
	}
	if explicit, _, ok = berOf(encap, berContext0); !ok {
		return nil
	}
	return berString(explicit, 0)
}

// berOf reads an element of a type. Where it does not say its length its content goes on to the end of b.
func berOf(b []byte, tag byte) (content, rest []byte, ok bool) {
	got, content, rest, ok := berElement(b)
	return content, rest, ok && got == tag
}

func berElement(b []byte) (tag byte, content, rest []byte, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return 0, nil, nil, false
	}
	tag, n := b[0], int(b[1])
	b = b[2:]
	switch {
	case n == 0x80:
		return tag, b, nil, tag&berConstructed != 0
	case n > 0x80:
		digits := n & 0x7f
		if digits > 4 || digits > len(b) {
			return 0, nil, nil, false
		}
		n = 0
		for _, c := range b[:digits] {
			n = n<<8 | int(c)
		}
		b = b[digits:]
	}
	if n < 0 || n > len(b) {
		return 0, nil, nil, false
	}
	return tag, b[:n], b[n:], true
}

// berSkip passes over one element.
func berSkip(b []byte, depth int) (rest []byte, ok bool) {
	if depth > maxBER || len(b) < 2 {
		return nil, false
	}
	_, content, rest, ok := berElement(b)
	if !ok || b[1] != 0x80 {
		return rest, ok
	}
	for !bytes.HasPrefix(content, []byte{0, 0}) {
		if content, ok = berSkip(content, depth+1); !ok {
			return nil, false
		}
	}
	return content[2:], true
}

// berString joins the pieces of an octet string; nil if it is none.
func berString(b []byte, depth int) []byte {
	tag, content, _, ok := berElement(b)
	switch {
	case !ok || depth > maxBER:
		return nil
	case tag == berOctets:
		return content
	case tag != berOctets|berConstructed:
		return nil
	}
	var all []byte
	for len(content) > 0 && !bytes.HasPrefix(content, []byte{0, 0}) {
		piece := berString(content, depth+1)
		if piece == nil {
			break
		}
		all = append(all, piece...)
		if content, ok = berSkip(content, 0); !ok {
			break
		}
	}
	return all
}
