//go:build integration

package contract_test

import (
	"math/rand/v2"
	"net/url"
	"testing"

	"gangway/integration/twilio"
)

func TestSegmentsAgreeWithTwilio(t *testing.T) {
	texts := randomTexts(1000)
	counts, err := tools.Segments(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	encodings := map[twilio.Encoding]int{}
	for i, want := range counts {
		n, enc := twilio.Segments(texts[i])
		encodings[enc]++
		if n != want.Segments || enc != want.Encoding {
			t.Errorf("Segments(%q) = %d %s, Twilio says %d %s", texts[i], n, enc, want.Segments, want.Encoding)
		}
	}
	t.Logf("%v", encodings)

	// With smart encoding, through the API: the message has to stay within 1600 characters.
	s := start(t, twilio.Config{})
	for i, text := range texts[:200] {
		if text == "" {
			continue
		}
		sid := call(t, s, "POST", "/Messages.json", url.Values{"From": {ours}, "To": {peer}, "Body": {text}, "SmartEncoded": {"true"}})
		if m, ok := s.Message(sid); !ok || m.Segments != counts[i].Smart {
			t.Errorf("smart encoding of %q: %d segments, Twilio says %d", text, m.Segments, counts[i].Smart)
		}
	}
}

// randomTexts mixes alphabets. It has no characters that join with their neighbours: Twilio's calculator keeps those
// together, which is an advice and not what the network does.
func randomTexts(n int) []string {
	alphabets := [][]rune{
		[]rune("abcdefghij klmno.,!?@£$¥èéùì0123456789"),
		[]rune("abc^{}\\[~]|€\f"),
		[]rune("аби щя"),
		[]rune("a😀🎉"),
		[]rune("“quoted” – it’s… ¼ﾀ"),
	}
	r := rand.New(rand.NewPCG(7, 7))
	texts := make([]string, n)
	for i := range texts {
		alphabet := alphabets[r.IntN(len(alphabets))]
		length := r.IntN(320)
		if i%3 == 0 { // around the limits
			length = []int{70, 67, 134, 160, 153, 306}[r.IntN(6)] - 2 + r.IntN(5)
		}
		for range length {
			texts[i] += string(alphabet[r.IntN(len(alphabet))])
		}
	}
	return texts
}
