// Command load measures parts of Gangway beside what they are to be compared with, in the same run, and prints the
// figures: go run ./integration/load NAME [flags].
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// measurement is a subcommand: it prints its figures to out.
type measurement struct {
	name, about string
	run         func(args []string, out io.Writer) error
}

func measurements() []measurement {
	return []measurement{
		{"idle", "the memory of an idle IRC session", idleLoad},
		{"irc", "the IRC gateway beside biboumi", ircLoad},
		{"link", "the component link beside mellium's session", linkLoad},
		{"mail", "the taking of mail beside Postfix", mailLoad},
		{"presence", "the stanzas that presence costs", presenceLoad},
		{"queue", "the durable queue beside append and fdatasync", queueLoad},
		{"render", "the reading of mail beside enmime", renderLoad},
	}
}

func main() {
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	for _, m := range measurements() {
		if m.name != name {
			continue
		}
		if err := m.run(os.Args[2:], os.Stdout); err != nil {
			fmt.Fprintf(os.Stderr, "load %s: %v\n", name, err)
			os.Exit(1)
		}
		return
	}
	var names strings.Builder
	for _, m := range measurements() {
		fmt.Fprintf(&names, "  %-8s %s\n", m.name, m.about)
	}
	fmt.Fprintf(os.Stderr, "usage: load NAME [flags], where NAME is one of\n%s", names.String())
	os.Exit(2)
}
