package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gangway/config"
	"gangway/core"
)

func userCommand(load loader) *cobra.Command {
	cmd := group("user", "List people and their accounts; let them in, shut them out, move and erase them")
	var standing string
	list := listFlags(&cobra.Command{
		Use: "list [JID]", Short: "List people with their accounts", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				var rows []userRow
				if err := call(cmd.Context(), "user.list", userOrder{User: strings.Join(args, ""), Standing: standing}, &rows); err != nil {
					return err
				}
				return printList(cmd, rows, "USER\tNETWORK\tREALM\tADDRESS\tSTATE\tSINCE\tSTANDING\tNOTE", func(r userRow) []any {
					return []any{r.User, r.Network, r.Realm, r.Address, r.State, r.Since.Format(time.DateTime), r.Standing, r.Note}
				})
			})
		},
	})
	list.Flags().StringVar(&standing, "standing", "", "only who is pending, registered or suspended")
	order := linkOrder{}
	var secret bool
	link := &cobra.Command{
		Use: "link JID TRANSPORT ADDRESS", Short: "Give a user an account: an alias, a number, a nick",
		Long: "Give a user an account on a transport of the configuration, whoever is allowed to register.\n" +
			"ADDRESS is the user's own address there: an e-mail alias, a phone number, an IRC nick.",
		Example: "  gangway user link alice@example.org sms +15550100001",
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			order.User, order.Network, order.Address = args[0], args[1], args[2]
			if secret {
				b, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 64<<10))
				if err != nil {
					return err
				}
				order.Secret = strings.TrimRight(string(b), "\r\n")
			}
			return withDesk(cmd.Context(), load, func(call caller) error {
				var row userRow
				if err := call(cmd.Context(), "user.link", order, &row); err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s is %s on %s\n", row.User, oneLine(row.Address), row.Network)
				return nil
			})
		},
	}
	link.Flags().StringVar(&order.Realm, "realm", "", "which `network` of the kind, such as irc.libera.chat")
	link.Flags().StringVar(&order.Name, "name", "", "the user's display `name`")
	link.Flags().BoolVar(&order.Now, "now", false, "also an address that was somebody else's until lately: what is still on its way to them\nreaches the new one")
	link.Flags().BoolVar(&secret, "secret", false, "read the account's password from standard input")
	unlink := &cobra.Command{
		Use: "unlink JID TRANSPORT", Short: "Remove a user's accounts on a transport, with everything kept for them", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				return call(cmd.Context(), "user.unlink", userOrder{User: args[0], Network: args[1]}, nil)
			})
		},
	}
	cmd.AddCommand(list, link, unlink)
	cmd.AddCommand(personCommands(load)...)
	return cmd
}

func contactCommand(load loader) *cobra.Command {
	cmd := group("contact", "List, add and remove users' contacts")
	list := listFlags(&cobra.Command{
		Use: "list JID [TRANSPORT]", Short: "List a user's contacts", Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				var rows []contactRow
				o := contactOrder{User: args[0], Network: strings.Join(args[1:], "")}
				if err := call(cmd.Context(), "contact.list", o, &rows); err != nil {
					return err
				}
				return printList(cmd, rows, "NETWORK\tADDRESS\tJID\tNAME\tALIAS", func(r contactRow) []any {
					return []any{r.Network, r.Address, r.JID, r.Name, r.Alias}
				})
			})
		},
	})
	order := contactOrder{}
	add := &cobra.Command{
		Use: "add JID TRANSPORT ADDRESS", Short: "Add or change a contact; prints its JID", Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			order.User, order.Network, order.Address = args[0], args[1], args[2]
			return withDesk(cmd.Context(), load, func(call caller) error {
				var row contactRow
				if err := call(cmd.Context(), "contact.add", order, &row); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), row.JID)
				return nil
			})
		},
	}
	add.Flags().StringVar(&order.Name, "name", "", "what the contact is called")
	add.Flags().StringVar(&order.Alias, "alias", "", "what the user calls it")
	remove := &cobra.Command{
		Use: "remove JID TRANSPORT ADDRESS", Short: "Remove a contact", Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				return call(cmd.Context(), "contact.remove", contactOrder{User: args[0], Network: args[1], Address: args[2]}, nil)
			})
		},
	}
	cmd.AddCommand(list, add, remove)
	return cmd
}

func queueCommand(load loader) *cobra.Command {
	cmd := group("queue", "Read, retry and drop what is queued and what could not be delivered")
	var f queueFilter
	list := listFlags(&cobra.Command{
		Use: "list", Short: "List what is queued, or with --dead what was given up", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				var rows []letterRow
				if err := call(cmd.Context(), "queue.list", f, &rows); err != nil {
					return err
				}
				if n := len(rows); n > 0 && n == min(f.Limit, 1000) {
					fmt.Fprintf(cmd.ErrOrStderr(), "there may be more: add --after %d\n", rows[n-1].Seq)
				}
				return printList(cmd, rows, "SEQ\tQUEUED\tUSER\tNETWORK\tDIRECTION\tWHAT\tATTEMPTS\tERROR", func(r letterRow) []any {
					return []any{r.Seq, r.Queued.Format(time.DateTime), r.User, r.Network, r.Direction, r.What, r.Attempts, r.Error}
				})
			})
		},
	})
	list.Flags().BoolVar(&f.Dead, "dead", false, "what was given up")
	list.Flags().StringVar(&f.User, "user", "", "only of this `JID`")
	list.Flags().StringVar(&f.Network, "transport", "", "only of this transport")
	list.Flags().Int64Var(&f.After, "after", 0, "those behind this SEQ")
	list.Flags().IntVar(&f.Limit, "limit", 100, "at most so many (1000)")
	one := func(use, short, op string) *cobra.Command {
		return &cobra.Command{
			Use: use + " SEQ", Short: short, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				seq, err := strconv.ParseInt(args[0], 10, 64)
				if err != nil {
					return core.E(core.Invalid, "queue", fmt.Sprintf("%q is no SEQ of `gangway queue list`.", args[0]))
				}
				return withDesk(cmd.Context(), load, func(call caller) error {
					return call(cmd.Context(), op, letterOrder{Seq: seq}, nil)
				})
			},
		}
	}
	cmd.AddCommand(list, one("retry", "Try one that was given up again", "queue.retry"), one("drop", "Forget one", "queue.drop"))
	return cmd
}

func statusCommand(load loader) *cobra.Command {
	return listFlags(&cobra.Command{
		Use: "status", Short: "Show links, sessions and queues; exit code 1 if something is wrong", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				var rows []statusRow
				if err := call(cmd.Context(), "status", struct{}{}, &rows); err != nil {
					return err
				}
				err := printList(cmd, rows, "PART\tSTATE", func(r statusRow) []any { return []any{r.Part, r.Text} })
				for _, r := range rows {
					if !r.OK && err == nil {
						err = failed{fmt.Errorf("%s: %s", r.Part, r.Text)}
					}
				}
				return err
			})
		},
	})
}

func reloadCommand(load loader) *cobra.Command {
	return &cobra.Command{
		Use: "reload", Short: "Have the running gateway read its configuration again", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDesk(cmd.Context(), load, func(call caller) error {
				var c config.Changes
				if err := call(cmd.Context(), "reload", struct{}{}, &c); err != nil {
					return err
				}
				for _, key := range c.Reload {
					fmt.Fprintln(cmd.OutOrStdout(), "in force now:", key)
				}
				for _, key := range c.Restart {
					fmt.Fprintln(cmd.OutOrStdout(), "after a restart:", key)
				}
				if c.Empty() {
					fmt.Fprintln(cmd.OutOrStdout(), "nothing has changed")
				}
				return nil
			})
		},
	}
}
