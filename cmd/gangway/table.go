package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// printList prints rows for people, or, with --json, as one JSON array. The columns are stable.
func printList[T any](cmd *cobra.Command, rows []T, head string, row func(T) []any) error {
	asJSON, err := cmd.Flags().GetBool("json")
	if err != nil {
		return err
	}
	if asJSON {
		if rows == nil {
			rows = []T{}
		}
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(rows)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for _, r := range rows {
		cells := row(r)
		text := make([]string, len(cells))
		for i, c := range cells {
			text[i] = oneLine(fmt.Sprint(c))
		}
		fmt.Fprintln(w, strings.Join(text, "\t"))
	}
	return w.Flush()
}

// oneLine keeps what came from a network from moving the terminal's cursor.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e' {
			return '·'
		}
		return r
	}, s)
}

func listFlags(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().Bool("json", false, "print a JSON array")
	return cmd
}
