package twilio

import (
	"strings"
	"testing"
	"unicode/utf16"
)

func TestSegments(t *testing.T) {
	rep := strings.Repeat
	tests := []struct {
		name, body string
		want       int
		enc        Encoding
	}{
		{"empty", "", 1, GSM7},
		{"160 septets", rep("a", 160), 1, GSM7},
		{"161 septets", rep("a", 161), 2, GSM7},
		{"two full parts", rep("a", 306), 2, GSM7},
		{"one more", rep("a", 307), 3, GSM7},
		{"extension counts two", rep("€", 80), 1, GSM7},
		{"81 extensions", rep("€", 81), 2, GSM7},
		{"escape does not straddle", rep("a", 152) + "€" + rep("a", 152), 3, GSM7},
		{"escape fits", rep("a", 151) + "€" + rep("a", 153), 2, GSM7},
		{"form feed is an extension", "\f", 1, GSM7},
		{"all national letters", "ÄÖÑÜ§¿äöñüàΔΦΓΛΩΠΨΣΘΞ", 1, GSM7},
		{"backtick is not GSM", "`", 1, UCS2},
		{"tab is not GSM", "\t", 1, UCS2},
		{"70 units", rep("щ", 70), 1, UCS2},
		{"71 units", rep("щ", 71), 2, UCS2},
		{"134 units", rep("щ", 134), 2, UCS2},
		{"135 units", rep("щ", 135), 3, UCS2},
		{"35 emoji", rep("😀", 35), 1, UCS2},
		{"36 emoji: 33 in each part", rep("😀", 36), 2, UCS2},
		{"surrogate pair does not straddle", rep("😀", 67), 3, UCS2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, enc := Segments(tt.body)
			if n != tt.want || enc != tt.enc {
				t.Errorf("Segments = %d %s, want %d %s", n, enc, tt.want, tt.enc)
			}
		})
	}
}

func TestSmartEncode(t *testing.T) {
	for in, want := range map[string]string{
		"“quoted” – it’s…":  `"quoted" - it's...`,
		"ＦＵＬＬ":              "FULL",
		"¼ of €5, naïve, щ": "1/4 of €5, naïve, щ",
	} {
		if got := smartEncode(in); got != want {
			t.Errorf("smartEncode(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzSegments(f *testing.F) {
	for _, seed := range []string{"", "hello", "€€€", "😀 щ", "\xff\xfe", strings.Repeat("😀", 70), strings.Repeat("[", 200)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		n, enc := Segments(body)
		units, single, part := 0, 160, 153
		for _, r := range body {
			units += gsmUnits(r)
		}
		if enc == UCS2 {
			units, single, part = len(utf16.Encode([]rune(body))), 70, 67
		}
		// A part wastes at most one unit, before a pair that does not fit.
		low, high := (units+part-1)/part, units/(part-1)+1
		if units <= single {
			low, high = 1, 1
		}
		if n < low || n > high {
			t.Errorf("Segments = %d %s for %d units, want %d to %d", n, enc, units, low, high)
		}
		if again := smartEncode(smartEncode(body)); again != smartEncode(body) {
			t.Errorf("smartEncode is not idempotent: %q", again)
		}
	})
}
