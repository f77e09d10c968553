package transporttest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"gangway/core"
)

// Blobs keeps files in memory, for tests. The zero value is ready. It is safe for concurrent use.
type Blobs struct {
	// Limit is the largest file that is taken, in bytes; 0: 1 MiB.
	Limit int64
	// Refusal, if set, is what Put and Get answer.
	Refusal error

	mu    sync.Mutex
	files map[string]*file
}

type file struct {
	core.Attachment
	content []byte
}

func (b *Blobs) limit(asked int64) int64 {
	most := b.Limit
	if most == 0 {
		most = 1 << 20
	}
	if asked > 0 {
		most = min(most, asked)
	}
	return most
}

// Put implements core.Blobs.
func (b *Blobs) Put(_ context.Context, _ core.Account, f core.Attachment, content io.Reader) (core.Attachment, error) {
	if b.Refusal != nil {
		return core.Attachment{}, b.Refusal
	}
	data, err := io.ReadAll(io.LimitReader(content, b.limit(0)+1))
	if err != nil {
		return core.Attachment{}, core.Wrap(core.Unavailable, "transporttest: put blob", err)
	}
	if int64(len(data)) > b.limit(0) {
		return core.Attachment{}, core.E(core.TooLarge, "transporttest: put blob", "The file is too large.")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f.URL, f.Size = fmt.Sprintf("https://files.test/%d/%s", len(b.files)+1, f.Name), int64(len(data))
	b.keep(f, data)
	return f, nil
}

// Offer makes a file known under its URL, as if a user had uploaded it.
func (b *Blobs) Offer(f core.Attachment, content []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep(f, content)
}

func (b *Blobs) keep(f core.Attachment, content []byte) {
	if b.files == nil {
		b.files = map[string]*file{}
	}
	b.files[f.URL] = &file{f, content}
}

// Get implements core.Blobs.
func (b *Blobs) Get(_ context.Context, f core.Attachment, limit int64) (*core.Blob, error) {
	if b.Refusal != nil {
		return nil, b.Refusal
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := b.files[f.URL]
	if kept == nil {
		return nil, core.E(core.NotFound, "transporttest: get blob", "The file is gone.")
	}
	if int64(len(kept.content)) > b.limit(limit) {
		return nil, core.E(core.TooLarge, "transporttest: get blob", "The file is too large.")
	}
	found := kept.Attachment
	found.Size = int64(len(kept.content))
	return &core.Blob{Attachment: found, Body: io.NopCloser(bytes.NewReader(kept.content))}, nil
}

// Content returns what was put under a URL, or nil.
func (b *Blobs) Content(url string) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if f := b.files[url]; f != nil {
		return f.content
	}
	return nil
}
