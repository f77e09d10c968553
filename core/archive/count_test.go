package archive

import "testing"

// TestCountIsBounded: a page does not wait for a million events to be counted; who asks for the number does.
func TestCountIsBounded(t *testing.T) {
	r := newRig(t, Config{})
	r.ten()
	r.counted = 9
	for _, c := range []struct {
		q    Query
		want int
	}{
		{Query{Page: Page{Max: 2}}, -1},
		{Query{Page: Page{Max: 2, Last: true}}, -1},
		{Query{Author: "dave", Page: Page{Max: 2}}, 5},
		{Query{AfterID: "a1", Page: Page{Max: 2}}, 9},
		{Query{}, 10},
		{Query{Author: "dave"}, 5},
	} {
		p, err := r.Page(t.Context(), lobby, c.q)
		if err != nil || p.Count != c.want {
			t.Errorf("%+v: %d, %v", c.q, p.Count, err)
		}
	}
}
