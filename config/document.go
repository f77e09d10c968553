package config

import (
	"bytes"
	"errors"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// document is a parsed file: its values, and the line that each of its keys stands on.
type document struct {
	file  string
	root  map[string]any // string, int64, float64, bool, times, []any, map[string]any, and *resolved
	lines map[string]int // by pathKey
}

// readDocument parses a file. go-toml has the last word on what is TOML; a second pass finds the lines.
func readDocument(file string, data []byte) (*document, error) {
	doc := &document{file: file, lines: make(map[string]int)}
	if err := toml.Unmarshal(data, &doc.root); err != nil {
		return nil, syntaxError(file, err)
	}
	ix := indexer{doc: doc, newlines: newlines(data), counts: make(map[string]int)}
	var p unstable.Parser
	p.Reset(data)
	for p.NextExpression() {
		ix.expression(p.Expression())
	}
	return doc, nil
}

func syntaxError(file string, err error) error {
	e := &Error{File: file, Why: "is not valid TOML: " + strings.TrimPrefix(err.Error(), "toml: ")}
	var d *toml.DecodeError
	if errors.As(err, &d) {
		e.Line, _ = d.Position()
		e.Key = strings.Join(d.Key(), ".")
	}
	return e
}

// pathKey makes a map key of a path; a NUL cannot stand in a TOML key unescaped, and an odd one only costs a line.
func pathKey(path []string) string { return strings.Join(path, "\x00") }

// line returns the line of a key, or of the nearest table around it; 0 if the file has neither.
func (doc *document) line(path []string) int {
	for ; len(path) > 0; path = path[:len(path)-1] {
		if n, ok := doc.lines[pathKey(path)]; ok {
			return n
		}
	}
	return 0
}

// errorf makes an error about a key. Without a document, as for a Transport that no file made, it has no place.
func (doc *document) errorf(path []string, why, next string) *Error {
	if doc == nil {
		return &Error{File: "configuration", Key: dotted(path), Why: why, Next: next}
	}
	return &Error{File: doc.file, Line: doc.line(path), Key: dotted(path), Why: why, Next: next}
}

// dotted writes a path as one would in the file.
func dotted(path []string) string {
	var b strings.Builder
	for i, part := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(quoteKey(part))
	}
	return b.String()
}

func quoteKey(part string) string {
	bare := part != "" && strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
	if bare {
		return part
	}
	return strconv.Quote(part)
}

func newlines(data []byte) []int {
	var at []int
	for i := 0; ; {
		n := bytes.IndexByte(data[i:], '\n')
		if n < 0 {
			return at
		}
		i += n + 1
		at = append(at, i)
	}
}

// indexer fills document.lines from the syntax tree.
type indexer struct {
	doc      *document
	newlines []int          // offsets of the line starts, the first excepted
	counts   map[string]int // elements so far of each array of tables
	table    []string       // of the header above
}

func (ix *indexer) expression(e *unstable.Node) {
	switch e.Kind {
	case unstable.Table:
		ix.table = ix.header(e)
	case unstable.ArrayTable:
		path := ix.header(e)
		n := ix.counts[pathKey(path)]
		ix.counts[pathKey(path)] = n + 1
		ix.table = slices.Concat(path, []string{strconv.Itoa(n)})
		ix.mark(ix.table, lastKey(e))
	case unstable.KeyValue:
		ix.keyValue(ix.table, e)
	}
}

// header returns the path of a table's header: where a part names an array of tables, its last element is meant.
func (ix *indexer) header(e *unstable.Node) []string {
	var path []string
	for it := e.Key(); it.Next(); {
		if n := ix.counts[pathKey(path)]; n > 0 {
			path = append(path, strconv.Itoa(n-1))
		}
		path = append(path, string(it.Node().Data))
		ix.mark(path, it.Node())
	}
	if n := ix.counts[pathKey(path)]; n > 0 && e.Kind == unstable.Table {
		path = append(path, strconv.Itoa(n-1))
	}
	return slices.Clone(path)
}

func lastKey(e *unstable.Node) (last *unstable.Node) {
	for it := e.Key(); it.Next(); {
		last = it.Node()
	}
	return last
}

func (ix *indexer) keyValue(table []string, e *unstable.Node) {
	path := slices.Clone(table)
	var last *unstable.Node
	for it := e.Key(); it.Next(); {
		last = it.Node()
		path = append(path, string(last.Data))
		ix.mark(path, last)
	}
	ix.value(path, e.Value(), last)
}

// value marks what is inside a value. Scalars have no place of their own in the tree: they get their key's.
func (ix *indexer) value(path []string, v, key *unstable.Node) {
	switch v.Kind {
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			ix.keyValue(path, it.Node())
		}
	case unstable.Array:
		i := 0
		for it := v.Children(); it.Next(); i++ {
			element := append(slices.Clone(path), strconv.Itoa(i))
			place := key
			if it.Node().Raw.Length > 0 {
				place = it.Node()
			}
			ix.mark(element, place)
			ix.value(element, it.Node(), place)
		}
	}
}

// mark notes the line of a path, unless an earlier one is known.
func (ix *indexer) mark(path []string, n *unstable.Node) {
	k := pathKey(path)
	if _, known := ix.doc.lines[k]; known {
		return
	}
	offset := int(n.Raw.Offset)
	ix.doc.lines[k] = sort.Search(len(ix.newlines), func(i int) bool { return ix.newlines[i] > offset }) + 1
}
