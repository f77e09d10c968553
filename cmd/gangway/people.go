package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gangway/core"
	"gangway/mapping"
)

// personCommands are those of "gangway user" that are about a person, not an account.
func personCommands(load loader) []*cobra.Command {
	order := personOrder{}
	standing := func(cmd *cobra.Command, op string) error {
		return withDesk(cmd.Context(), load, func(call caller) error {
			var p core.Person
			if err := call(cmd.Context(), op, order, &p); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is %s\n", p.User, p.Standing)
			return err
		})
	}
	one := func(name, short, op string) *cobra.Command {
		return &cobra.Command{
			Use: name + " JID", Short: short, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				order.User = args[0]
				return standing(cmd, op)
			},
		}
	}
	suspend := one("suspend", "Shut somebody out: sessions stop, messages are refused, nothing is removed", "user.suspend")
	suspend.Flags().StringVar(&order.Why, "why", "", "the `reason`, for them to read")
	return []*cobra.Command{
		one("approve", "Let somebody in, whether or not they have asked", "user.approve"),
		plain(load, "reject JID", "Forget somebody's request to be let in", "user.reject", 1),
		suspend,
		one("resume", "Let somebody in again who was suspended", "user.resume"),
		limitCommand(load),
		identCommand(load),
		plain(load, "move JID JID", "Give everything of a user to a new name of theirs", "user.move", 2),
		exportCommand(load),
		eraseCommand(load),
	}
}

// plain is a command whose arguments are users and which answers nothing.
func plain(load loader, use, short, op string, args int) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(args),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				return call(cmd.Context(), op, personOrder{User: args[0], To: strings.Join(args[1:], "")}, nil)
			})
		},
	}
}

func identCommand(load loader) *cobra.Command {
	return listFlags(&cobra.Command{
		Use: "ident WORD", Short: "Whom an IRC network knows by a word or an address, as a complaint has it: ~word@host", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				var rows []userRow
				if err := call(cmd.Context(), "user.ident", personOrder{User: args[0]}, &rows); err != nil {
					return err
				}
				return printList(cmd, rows, "USER\tNETWORK\tREALM", func(r userRow) []any { return []any{r.User, r.Network, r.Realm} })
			})
		},
	})
}

func limitCommand(load loader) *cobra.Command {
	return &cobra.Command{
		Use: "limit JID N", Short: "Let a user send N messages a minute; 0: as many as the configuration says", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(args[1])
			if err != nil {
				return core.E(core.Invalid, "limit", fmt.Sprintf("%q is no number of messages.", args[1]))
			}
			return withDesk(cmd.Context(), load, func(call caller) error {
				return call(cmd.Context(), "user.limit", personOrder{User: args[0], Messages: n}, nil)
			})
		},
	}
}

func exportCommand(load loader) *cobra.Command {
	return &cobra.Command{
		Use: "export JID", Short: "Write everything that is kept about a user, but for secrets, as JSON lines", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				return call(cmd.Context(), "user.export", personOrder{User: args[0]}, cmd.OutOrStdout())
			})
		},
	}
}

func eraseCommand(load loader) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "erase JID", Short: "Forget everything of a user; that they are suspended is remembered", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return core.E(core.Invalid, "erase", "This cannot be undone. Add --yes if you mean it.")
			}
			return withDesk(cmd.Context(), load, func(call caller) error {
				return call(cmd.Context(), "user.erase", personOrder{User: args[0]}, nil)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "really")
	return cmd
}

func inviteCommand(load loader) *cobra.Command {
	cmd := group("invite", "Make, list and revoke invitations")
	order := inviteOrder{}
	create := listFlags(&cobra.Command{
		Use: "create", Short: "Make an invitation and print its token, which cannot be shown again", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				var made invited
				if err := call(cmd.Context(), "invite.create", order, &made); err != nil {
					return err
				}
				if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(made)
				}
				_, err := fmt.Fprintln(cmd.OutOrStdout(), made.Token)
				return err
			})
		},
	})
	create.Flags().StringVar(&order.Network, "transport", "", "good for this transport only")
	create.Flags().IntVar(&order.Uses, "uses", 1, "how many people it lets in")
	create.Flags().DurationVar(&order.For, "for", 7*24*time.Hour, "how long it is good; 0: for ever")
	create.Flags().StringVar(&order.By, "by", "", "the `JID` of who invites")
	create.Flags().StringVar(&order.Note, "note", "", "what it is for")
	list := listFlags(&cobra.Command{
		Use: "list", Short: "List the invitations that are still good", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				var rows []mapping.Invite
				if err := call(cmd.Context(), "invite.list", struct{}{}, &rows); err != nil {
					return err
				}
				return printList(cmd, rows, "ID\tUSES\tTRANSPORT\tEXPIRES\tBY\tNOTE", func(i mapping.Invite) []any {
					expires := "never"
					if !i.Expires.IsZero() {
						expires = i.Expires.Format(time.DateTime)
					}
					return []any{i.ID, i.Uses, i.Network, expires, i.By, i.Note}
				})
			})
		},
	})
	revoke := &cobra.Command{
		Use: "revoke ID", Short: "Make an invitation worthless; whom it has let in stays", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				return call(cmd.Context(), "invite.revoke", inviteOrder{ID: args[0]}, nil)
			})
		},
	}
	cmd.AddCommand(create, list, revoke)
	return cmd
}

func announceCommand(load loader) *cobra.Command {
	return &cobra.Command{
		Use: "announce TRANSPORT TEXT", Short: "Say something to every user of a transport, 200 of them a second; kept until the gateway runs", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				var told int
				if err := call(cmd.Context(), "announce", announceOrder{Network: args[0], Text: args[1]}, &told); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d %s told\n", told, map[bool]string{true: "user will be", false: "users will be"}[told == 1])
				return err
			})
		},
	}
}
