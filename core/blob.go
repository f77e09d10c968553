package core

import (
	"context"
	"io"
)

// Blobs carries files between XMPP and a network. URLs on either side stay on that side: what a network gets is the
// bytes, or a URL that the network itself can reach and that was made for it.
type Blobs interface {
	// Put keeps a file where the account's user can fetch it, and returns it with its URL. file.Name and file.Type may
	// be empty; file.Size is a promise if it is not 0. TooLarge if the content is larger than this gateway takes;
	// Unavailable if there is no place for it now. The reader is read at most once.
	Put(ctx context.Context, a Account, file Attachment, content io.Reader) (Attachment, error)
	// Get fetches what a user attached, at most limit bytes (0: what the gateway takes). The caller closes Body.
	// TooLarge if it is larger; Denied if the address is one that must not be reached from here; NotFound if it is gone.
	Get(ctx context.Context, file Attachment, limit int64) (*Blob, error)
}

// Blob is a file being read. Its Size is 0 if it is not known before the end.
type Blob struct {
	Attachment
	Body io.ReadCloser
}

// noBlobs stands where the gateway keeps no files.
type noBlobs struct{}

func (noBlobs) Put(context.Context, Account, Attachment, io.Reader) (Attachment, error) {
	return Attachment{}, E(Unsupported, "core: put blob", "This gateway keeps no files.")
}

func (noBlobs) Get(context.Context, Attachment, int64) (*Blob, error) {
	return nil, E(Unsupported, "core: get blob", "This gateway carries no files.")
}
