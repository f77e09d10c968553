// Command durations reads what `go test -json` prints and shows it as `go test` would, packages with failures in full,
// and at the end how long each test took. It fails when a test did.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// least is the seconds below which a test is not worth a line.
const least = 1.0

// event is a line of go test -json (see go doc test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

type test struct {
	name    string
	elapsed float64
}

func main() {
	failed, err := report(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "durations:", err)
	}
	if failed || err != nil {
		os.Exit(1)
	}
}

// report copies the output of what failed, and of packages as a whole, and ends with the table.
func report(r io.Reader, w io.Writer) (failed bool, err error) {
	output := map[string][]string{} // of a package's tests that still run, or have failed
	var tests []test
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(w, lines.Text()) // not an event: the go command itself speaks
			continue
		}
		key := e.Package + "\x00" + e.Test
		switch {
		case e.Action == "output" || e.Action == "build-output":
			output[key] = append(output[key], e.Output)
		case e.Action == "fail" || e.Action == "build-fail" || e.Test == "" && (e.Action == "pass" || e.Action == "skip"):
			failed = failed || strings.HasSuffix(e.Action, "fail")
			fmt.Fprint(w, strings.Join(output[key], ""))
			delete(output, key)
		case e.Action == "pass" || e.Action == "skip":
			delete(output, key)
		}
		if e.Test != "" && e.Elapsed >= least && (e.Action == "pass" || e.Action == "fail") {
			tests = append(tests, test{e.Test, e.Elapsed})
		}
	}
	for key, rest := range output { // cut off, by a panic or a timeout
		fmt.Fprint(w, strings.Join(rest, ""))
		failed = failed || strings.Contains(key, "\x00Test")
	}
	slices.SortStableFunc(tests, func(a, b test) int { return cmp.Compare(b.elapsed, a.elapsed) })
	fmt.Fprintln(w, "\nseconds  test")
	for _, t := range tests {
		fmt.Fprintf(w, "%7.1f  %s\n", t.elapsed, t.name)
	}
	return failed, lines.Err()
}
