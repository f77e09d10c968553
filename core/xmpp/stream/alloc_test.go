//go:build !race

package stream

import (
	"io"
	"strings"
	"testing"
)

// Under the race detector a sync.Pool forgets on purpose.

func TestOrdinaryStanzaCostsOneAllocation(t *testing.T) {
	src := &loop{data: []byte(chatStanza)}
	rd := open(t, io.MultiReader(strings.NewReader(testHeader), src), Limits{})
	n := testing.AllocsPerRun(1000, func() {
		st, err := rd.Next()
		if err != nil {
			t.Fatal(err)
		}
		st.Release()
	})
	if n > 1 {
		t.Errorf("%v allocations", n)
	}
}
