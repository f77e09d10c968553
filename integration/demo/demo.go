// Package demo shows Gangway's main job on real servers: a conversation in each direction over each transport.
package demo

import (
	"context"
	"io"
)

// Options say how the demo ends and where it is written.
type Options struct {
	Once bool
	Out  io.Writer
}

// Run plays the conversation.
func Run(context.Context, Options) error { return nil }
