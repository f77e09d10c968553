package sasl

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/xdg-go/scram"
)

func TestMechanisms(t *testing.T) {
	all := Login{Name: "al", Password: "x", Certificate: true}
	for offered, want := range map[string][]string{
		"":                               {External, Plain},
		"PLAIN":                          {Plain},
		"plain,external":                 {External, Plain},
		"SCRAM-SHA-256,EXTERNAL,PLAIN,X": {External, Scram, Plain},
		"ECDSA-NIST256P-CHALLENGE":       {},
	} {
		if got := all.Mechanisms(offered); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", offered, got, want)
		}
	}
	if got := (Login{Password: "x"}).Mechanisms("EXTERNAL,PLAIN"); !slices.Equal(got, []string{Plain}) {
		t.Errorf("without a certificate: %v", got)
	}
	if got := (Login{Certificate: true}).Mechanisms(""); !slices.Equal(got, []string{External}) {
		t.Errorf("without a password: %v", got)
	}
}

func TestPlainInPieces(t *testing.T) {
	for _, n := range []int{1, 295, 296, 297, 600} {
		e, err := Login{Name: "al", Password: strings.Repeat("p", n)}.Start(Plain)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Answer("+")
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range got {
			if len(p) > chunk || i < len(got)-1 && len(p) != chunk || i == len(got)-1 && len(p) == chunk {
				t.Errorf("%d bytes in pieces of %d", n, len(p))
			}
		}
		text, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.Join(got, ""), "+"))
		if err != nil || string(text) != "\x00al\x00"+strings.Repeat("p", n) {
			t.Errorf("%d bytes came as %q, %v", n, text, err)
		}
		if _, err := e.Answer("+"); err == nil {
			t.Error("the password is said twice")
		}
	}
}

func TestExternal(t *testing.T) {
	e, err := Login{Certificate: true}.Start(External)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.Answer("+"); err != nil || !slices.Equal(got, []string{"+"}) {
		t.Errorf("answered %q, %v", got, err)
	}
}

// server is the other side of SCRAM for one user.
func server(t *testing.T, iterations int) *scram.ServerConversation {
	t.Helper()
	client, err := scram.SHA256.NewClient("al", "pa55", "")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt", Iters: iterations})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := scram.SHA256.NewServer(func(string) (scram.StoredCredentials, error) { return stored, nil })
	if err != nil {
		t.Fatal(err)
	}
	return srv.NewConversation()
}

// speak lets an exchange answer a challenge, in pieces as the network sends it.
func speak(t *testing.T, e *Exchange, challenge string) (string, error) {
	t.Helper()
	var answer []string
	for _, p := range pieces(base64.StdEncoding.EncodeToString([]byte(challenge))) {
		got, err := e.Answer(p)
		if err != nil {
			return "", err
		}
		answer = append(answer, got...)
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.Join(answer, ""), "+"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), nil
}

func TestScram(t *testing.T) {
	for password, valid := range map[string]bool{"pa55": true, "wrong": false} {
		e, err := Login{Name: "al", Password: password}.Start(Scram)
		if err != nil {
			t.Fatal(err)
		}
		srv := server(t, 4096)
		challenge := ""
		for range 3 {
			response, err := speak(t, e, challenge)
			if err != nil {
				if valid {
					t.Fatalf("%s: %v", password, err)
				}
				break
			}
			if challenge, err = srv.Step(response); err != nil {
				break
			}
		}
		if srv.Valid() != valid {
			t.Errorf("%s: valid %v", password, srv.Valid())
		}
	}
}

func TestScramRefuses(t *testing.T) {
	for name, challenge := range map[string]string{
		"too much work":    "r=%,s=c2FsdA==,i=99999999",
		"more than counts": "r=%,s=c2FsdA==,i=99999999999999999999",
		"too little work":  "r=%,s=c2FsdA==,i=1",
		"another nonce":    "r=other,s=c2FsdA==,i=4096",
		"nonsense":         "\xff\x00",
	} {
		e, err := Login{Name: "al", Password: "x"}.Start(Scram)
		if err != nil {
			t.Fatal(err)
		}
		first, err := speak(t, e, "")
		if err != nil {
			t.Fatal(err)
		}
		_, nonce, _ := strings.Cut(first, ",r=")
		if _, err := speak(t, e, strings.ReplaceAll(challenge, "%", nonce+"more")); err == nil {
			t.Errorf("%s is answered", name)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(Scram, "+", "cj0=")
	f.Add(Plain, "+", "+")
	f.Add(External, "x", "=")
	f.Fuzz(func(t *testing.T, mechanism, one, two string) {
		e, err := Login{Name: "al", Password: "x", Certificate: true}.Start(mechanism)
		if err != nil {
			return
		}
		for _, piece := range []string{one, two} {
			got, err := e.Answer(piece)
			if err != nil {
				return
			}
			for _, p := range got {
				if p == "" || len(p) > chunk || strings.ContainsAny(p, " \r\n:") {
					t.Errorf("wrote %q", p)
				}
			}
		}
	})
}
