package media

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"

	"gangway/core"
)

const (
	spoolPrefix = "spool-" // of files that are being received; no digest begins so
	headLen     = 512      // bytes that tell a file's type
)

// spooled is a received file, whole, on disk, and not yet anybody's.
type spooled struct {
	m      *Media
	name   string // in the folder
	file   *os.File
	digest string // SHA-256, in hex
	size   int64
	head   []byte // the first bytes
	kept   bool   // it has another name now
}

// spool writes what a reader has to disk: how long it is and what it is must be known before anybody takes it.
func (m *Media) spool(ctx context.Context, content io.Reader) (*spooled, error) {
	s := &spooled{m: m, name: spoolPrefix + rand.Text()}
	var err error
	s.file, err = m.root.OpenFile(s.name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, core.Wrap(core.Unavailable, "media: spool", err)
	}
	if err := s.fill(ctx, content); err != nil {
		s.discard()
		return nil, err
	}
	return s, nil
}

func (s *spooled) fill(ctx context.Context, content io.Reader) error {
	limit := s.m.bound.Load().MaxSize
	hash := sha256.New()
	head := &headWriter{}
	n, err := io.Copy(io.MultiWriter(s.file, hash, head), io.LimitReader(contextReader{ctx, content}, limit+1))
	switch {
	case err != nil:
		return core.Wrap(core.Unavailable, "media: spool", err)
	case n > limit:
		return s.m.tooLarge()
	}
	s.size, s.head, s.digest = n, head.b, hex.EncodeToString(hash.Sum(nil))
	return nil
}

// content reads the file from its start.
func (s *spooled) content() io.Reader { return io.NewSectionReader(s.file, 0, s.size) }

// discard closes the file, and removes it unless it was kept.
func (s *spooled) discard() {
	err := s.file.Close()
	if !s.kept {
		err = errors.Join(err, s.m.root.Remove(s.name))
	}
	if err != nil {
		s.m.log.Warn("spooled file not removed", "err", err)
	}
}

// headWriter keeps the first bytes written to it.
type headWriter struct{ b []byte }

func (h *headWriter) Write(p []byte) (int, error) {
	h.b = append(h.b, p[:min(len(p), headLen-len(h.b))]...)
	return len(p), nil
}

// contextReader ends when its context does.
type contextReader struct {
	ctx context.Context //nolint:containedctx // lives as long as one copy
	r   io.Reader
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
