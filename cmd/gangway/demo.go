package main

import (
	"github.com/spf13/cobra"

	"gangway/integration/demo"
)

func demoCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Show a conversation over every transport, on real servers started for it",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.Run(cmd.Context(), demo.Options{Once: once, Out: cmd.OutOrStdout()})
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "end after the conversation")
	return cmd
}
