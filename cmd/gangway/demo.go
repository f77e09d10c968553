package main

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"gangway/integration/demo"
)

func demoCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Show a conversation over every transport, on real servers started for it",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP) // a terminal that closes must leave nothing behind
			defer stop()
			return demo.Run(ctx, demo.Options{Once: once, Out: cmd.OutOrStdout()})
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "end after the conversation")
	return cmd
}
