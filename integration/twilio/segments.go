package twilio

import "strings"

// Encoding is the alphabet a text is sent in.
type Encoding string

// The two alphabets of SMS (3GPP TS 23.038).
const (
	GSM7 Encoding = "GSM-7"
	UCS2 Encoding = "UCS-2"
)

// The GSM-7 default alphabet, and its extension whose characters take an escape and so count as two.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

// Segments returns how many SMS a text takes and in which alphabet: 160 septets alone or 153 in each part, 70 UTF-16
// units alone or 67 in each part. An escape or surrogate pair never straddles two parts. An empty text takes one.
func Segments(body string) (int, Encoding) {
	enc := GSM7
	for _, r := range body {
		if gsmUnits(r) == 0 {
			enc = UCS2
			break
		}
	}
	units, single, part := gsmUnits, 160, 153
	if enc == UCS2 {
		units, single, part = ucsUnits, 70, 67
	}
	total, parts, room := 0, 1, part
	for _, r := range body {
		n := units(r)
		total += n
		if room < n {
			parts++
			room = part
		}
		room -= n
	}
	if total <= single {
		return 1, enc
	}
	return parts, enc
}

// gsmUnits is 0 for what GSM-7 cannot say.
func gsmUnits(r rune) int {
	switch {
	case strings.ContainsRune(gsmBasic, r):
		return 1
	case strings.ContainsRune(gsmExtension, r):
		return 2
	default:
		return 0
	}
}

func ucsUnits(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// bodyUnits counts what the 1600 limit counts: UTF-16 units.
func bodyUnits(body string) int {
	n := 0
	for _, r := range body {
		n += ucsUnits(r)
	}
	return n
}
