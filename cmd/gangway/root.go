package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"gangway/config"
	"gangway/core"
)

const longHelp = `Gangway lets people reach e-mail, SMS and IRC from any XMPP client.

It is a component of an XMPP server such as Prosody or ejabberd: one domain for each network. What it is to do stands
in one file, gangway.toml. Start with "gangway check".

Exit codes: 0 all is well; 1 something failed, and stderr says what; 2 the command line or the configuration makes no
sense.`

// root is the command line.
func root() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:           "gangway",
		Short:         "E-mail, SMS and IRC for any XMPP client",
		Long:          longHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.PersistentFlags().StringVarP(&path, "config", "c", "/etc/gangway/gangway.toml", "the configuration `file`")
	load := func() (*config.Config, error) { return config.Load(path) }
	cmd.AddCommand(
		runCommand(load), checkCommand(load), userCommand(load), inviteCommand(load), announceCommand(load), contactCommand(load), queueCommand(load),
		statusCommand(load), reloadCommand(load), importCommand(load), emailCommand(load), demoCommand(), versionCommand(),
	)
	return cmd
}

// loader reads the configuration that the command line names.
type loader func() (*config.Config, error)

// group is a command that only has others below it. It shows its help, and refuses what it does not know.
func group(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintln(cmd.OutOrStdout(), "gangway", versionText())
			return nil
		},
	}
}

func versionText() string {
	if version == "dev" {
		if info, ok := debug.ReadBuildInfo(); ok {
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" && len(s.Value) >= 12 {
					return "dev-" + s.Value[:12]
				}
			}
		}
	}
	return version
}

// failed is an error whose report is on the screen already.
type failed struct{ error }

func (f failed) Unwrap() error { return f.error }

// exitCode reports an error and says what the program ends with.
func exitCode(err error, stderr io.Writer) int {
	var seen failed
	var bad *config.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &seen) && errors.As(err, &bad):
		return 2
	case errors.As(err, &seen):
		return 1
	case errors.As(err, &bad), isUsage(err):
		fmt.Fprintf(stderr, "gangway: %v\n", err)
		return 2
	}
	fmt.Fprintf(stderr, "gangway: %s\n", explain(err))
	return 1
}

// isUsage recognises cobra's complaints about the command line, which have no type of their own.
func isUsage(err error) bool {
	for _, s := range []string{"unknown command", "unknown flag", "unknown shorthand", "accepts ", "requires ", "flag needs", "invalid argument"} {
		if strings.HasPrefix(err.Error(), s) {
			return true
		}
	}
	return false
}

// explain shows the sentence meant for people first, and the cause behind it.
func explain(err error) string {
	var e *core.Error
	if !errors.As(err, &e) || e.Text == "" {
		return err.Error()
	}
	if e.Err == nil {
		return e.Text
	}
	return fmt.Sprintf("%s (%v)", strings.TrimSuffix(e.Text, "."), e.Err)
}
