// Package contract checks the Twilio stand-in against what Twilio itself publishes on the npm registry: the OpenAPI
// document of its API, its Node library and its segment calculator. It needs node (18 or newer) and npm; the packages
// are pinned in package.json and package-lock.json and kept in the user's cache directory between runs.
package contract

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"gangway/integration/twilio"
)

//go:embed package.json package-lock.json *.mjs
var files embed.FS

// Tools are the installed packages.
type Tools struct {
	dir  string // with node_modules and the OpenAPI document
	work string // with the scripts of this run, removed by Close
}

// Operation says what an exchange is in terms of the document.
type Operation struct {
	ID         string      `json:"operation"` // operationId; empty if the document does not describe it
	Violations []Violation `json:"violations"`
}

// Violation is one way in which an exchange breaks the contract.
type Violation struct {
	Where string `json:"where"` // request or response
	At    string `json:"at"`    // the property or parameter
	Text  string `json:"text"`
}

func (v Violation) String() string { return v.Where + " " + v.At + ": " + v.Text }

// Check validates exchanges against the OpenAPI document; the result has one Operation for each, in order.
func (t *Tools) Check(ctx context.Context, exchanges []twilio.Exchange) ([]Operation, error) {
	var report []Operation
	in, err := t.write("exchanges.json", exchanges)
	if err != nil {
		return nil, fmt.Errorf("check exchanges: %w", err)
	}
	if err := t.node(ctx, &report, "validate.mjs", filepath.Join(t.dir, openAPIFile), in); err != nil {
		return nil, fmt.Errorf("check exchanges: %w", err)
	}
	if len(report) != len(exchanges) {
		return nil, fmt.Errorf("check exchanges: %d reports for %d exchanges", len(report), len(exchanges))
	}
	return report, nil
}

// Vector is a webhook request as a receiver sees it, signed and judged by Twilio's Node library.
type Vector struct {
	Kind      string         `json:"kind"`
	Token     string         `json:"token"`
	URL       string         `json:"url"`
	Params    map[string]any `json:"params"` // string, or a list of strings; nil if Body counts
	Body      string         `json:"body"`
	Signature string         `json:"signature"` // as received; may be forged
	Valid     bool           `json:"valid"`     // the library's verdict
	Expected  string         `json:"expected"`  // the library's signature of exactly this input
}

// Vectors returns count signature vectors, always the same ones for a seed.
func (t *Tools) Vectors(ctx context.Context, count, seed int) ([]Vector, error) {
	var vectors []Vector
	if err := t.node(ctx, &vectors, "vectors.mjs", strconv.Itoa(count), strconv.Itoa(seed)); err != nil {
		return nil, fmt.Errorf("make signature vectors: %w", err)
	}
	return vectors, nil
}

// Count is what Twilio's segment calculator says of a text.
type Count struct {
	Segments int             `json:"segments"`
	Encoding twilio.Encoding `json:"encoding"`
	Smart    int             `json:"smart"` // segments with smart encoding
}

// Segments counts the segments of texts.
func (t *Tools) Segments(ctx context.Context, texts []string) ([]Count, error) {
	var counts []Count
	in, err := t.write("texts.json", texts)
	if err != nil {
		return nil, fmt.Errorf("count segments: %w", err)
	}
	if err := t.node(ctx, &counts, "segments.mjs", in); err != nil {
		return nil, fmt.Errorf("count segments: %w", err)
	}
	return counts, nil
}

// Client drives s with Twilio's Node library (client.mjs) and decodes what it printed into result.
func (t *Tools) Client(ctx context.Context, s *twilio.Server, from, to string, result any) error {
	if err := t.node(ctx, result, "client.mjs", s.URL(), s.AccountSID(), s.AuthToken(), from, to); err != nil {
		return fmt.Errorf("drive with twilio-node: %w", err)
	}
	return nil
}

// Close removes the files of this run; the packages stay.
func (t *Tools) Close() error { return os.RemoveAll(t.work) }

func (t *Tools) write(name string, v any) (string, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	path := filepath.Join(t.work, name)
	return path, os.WriteFile(path, data, 0o600)
}

// node runs a script and decodes its output.
func (t *Tools) node(ctx context.Context, result any, script string, args ...string) error {
	cmd := exec.CommandContext(ctx, "node", append([]string{filepath.Join(t.work, script)}, args...)...)
	out, err := output(cmd)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, result); err != nil {
		return fmt.Errorf("decode output of %s: %w", script, err)
	}
	return nil
}

// output runs cmd and returns what it printed; the error has what it complained of.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("%w: install node and npm (Debian: apt-get install nodejs npm)", err)
		}
		return nil, fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, stderr.Bytes())
	}
	return stdout.Bytes(), nil
}
