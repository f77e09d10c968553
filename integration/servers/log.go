package servers

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const tailBytes = 3000

// tail is the end of each of the server's logs, for an error that a person reads.
func (p *Process) tail() string {
	var b strings.Builder
	for _, name := range p.Logs() {
		text, err := Tail(name)
		if err != nil || text == "" {
			continue
		}
		fmt.Fprintf(&b, "--- %s\n%s\n", filepath.Base(name), strings.TrimRight(text, "\n"))
	}
	return b.String()
}

// Tail returns the last whole lines of a log file, about 3,000 bytes at most.
func Tail(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	from := max(info.Size()-tailBytes, 0)
	text, err := io.ReadAll(io.NewSectionReader(f, from, tailBytes))
	if err != nil {
		return "", err
	}
	if from > 0 {
		if _, after, ok := strings.Cut(string(text), "\n"); ok {
			return after, nil
		}
	}
	return string(text), nil
}
