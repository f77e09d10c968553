package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	const events = `{"Action":"output","Package":"p","Test":"TestGood","Output":"quiet\n"}
{"Action":"pass","Package":"p","Test":"TestGood","Elapsed":2.5}
{"Action":"output","Package":"p","Test":"TestBad","Output":"what was wrong\n"}
{"Action":"fail","Package":"p","Test":"TestBad","Elapsed":3}
{"Action":"pass","Package":"p","Test":"TestQuick","Elapsed":0.1}
go: a word of its own
{"Action":"output","Package":"p","Output":"FAIL p 6s\n"}
{"Action":"fail","Package":"p","Elapsed":6}
`
	for _, c := range []struct {
		name, events, want string
		failed             bool
	}{
		{"a failure", events, "what was wrong\ngo: a word of its own\nFAIL p 6s\n\nseconds  test\n    3.0  TestBad\n    2.5  TestGood\n", true},
		{"all well", `{"Action":"output","Package":"p","Output":"ok p\n"}` + "\n" + `{"Action":"pass","Package":"p"}`, "ok p\n\nseconds  test\n", false},
		{"cut off", `{"Action":"output","Package":"p","Test":"TestHangs","Output":"still here\n"}`, "still here\n\nseconds  test\n", true},
	} {
		var out strings.Builder
		failed, err := report(strings.NewReader(c.events), &out)
		if err != nil || failed != c.failed || out.String() != c.want {
			t.Errorf("%s: %v, %v\n%s", c.name, failed, err, out.String())
		}
	}
}
