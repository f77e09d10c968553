package mapping

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// A sealed value is: 1 byte of version, 4 of the key's id, 12 of nonce, the ciphertext, 16 of tag. The additional data
// is the account's id, the field's name and the key's id, each with its length in front: a value that is moved to
// another row or another field does not open.
const (
	sealVersion = 1
	keyIDSize   = 4
	nonceSize   = 12
	sealHeader  = 1 + keyIDSize + nonceSize
)

// errUnsealed says that a value does not open: another key, another row, or damage.
var errUnsealed = errors.New("a sealed value does not open: it was sealed with another key, or is damaged")

// Sealer seals secrets with one key and opens what that key, or one before it, has sealed. It is never printed.
type Sealer struct {
	current string
	aead    func(keyID string) cipher.AEAD // a function, into which fmt cannot look; nil for a key that is not known
}

// NewSealer makes a Sealer of the key in use, and of those used before it whose values have not all been sealed
// again; see Map.Reseal.
func NewSealer(current Key, old ...Key) *Sealer {
	aeads := make(map[string]cipher.AEAD)
	for _, k := range append([]Key{current}, old...) {
		raw := k.raw()
		block, err := aes.NewCipher(raw[:])
		if err != nil {
			panic(err) // the size is right by type
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			panic(err) // AES has the block size that GCM needs
		}
		aeads[k.ID()] = aead
	}
	return &Sealer{current: current.ID(), aead: func(id string) cipher.AEAD { return aeads[id] }}
}

// seal returns nil for nil: there is no secret.
func (s *Sealer) seal(account, field string, plain []byte) []byte {
	if plain == nil {
		return nil
	}
	id, err := hex.DecodeString(s.current)
	if err != nil {
		panic(err) // Key.ID makes hex
	}
	out := make([]byte, 0, sealHeader+len(plain)+16)
	out = append(append(out, sealVersion), id...)
	out = out[:sealHeader]
	nonce := out[1+keyIDSize:]
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the program instead
	return s.aead(s.current).Seal(out, nonce, plain, additional(account, field, s.current))
}

// open returns nil for nil, and never nil for what seal was given.
func (s *Sealer) open(account, field string, sealed []byte) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	id, ok := sealedBy(sealed)
	if !ok {
		return nil, errUnsealed
	}
	aead := s.aead(id)
	if aead == nil {
		return nil, fmt.Errorf("%w (key %s is not at hand)", errUnsealed, id)
	}
	plain, err := aead.Open([]byte{}, sealed[1+keyIDSize:sealHeader], sealed[sealHeader:], additional(account, field, id))
	if err != nil {
		return nil, errUnsealed
	}
	return plain, nil
}

// sealedBy returns the id of the key that sealed a value.
func sealedBy(sealed []byte) (keyID string, ok bool) {
	if len(sealed) < sealHeader || sealed[0] != sealVersion {
		return "", false
	}
	return hex.EncodeToString(sealed[1 : 1+keyIDSize]), true
}

func additional(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}
