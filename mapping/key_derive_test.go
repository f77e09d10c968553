package mapping

import (
	"bytes"
	"testing"
)

func TestDerivedKeysDiffer(t *testing.T) {
	k := newKey([keySize]byte{1})
	one := k.Derive("one")
	if len(one) != 32 || !bytes.Equal(one, k.Derive("one")) {
		t.Fatalf("derived %x", one)
	}
	raw := k.raw()
	for _, other := range [][]byte{k.Derive("two"), newKey([keySize]byte{2}).Derive("one"), raw[:]} {
		if bytes.Equal(one, other) {
			t.Errorf("%x is derived twice", one)
		}
	}
}
