package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gangway/config"
	"gangway/core"
	"gangway/mapping"
	"gangway/transports/irc/biboumi"
)

func importCommand(load loader) *cobra.Command {
	cmd := group("import", "Take over the users of another gateway")
	var dry, newer bool
	var transport string
	c := &cobra.Command{
		Use: "biboumi FILE", Short: "Take over the users of biboumi from its SQLite database",
		Long: "Take over the users of biboumi: what they chose for servers and channels, persistent channels, contacts and the\n" +
			"history. FILE is its SQLite database, db_name in biboumi.cfg, which is not changed. Stop biboumi first, and give\n" +
			"Gangway its domain: rooms, contacts and bookmarks keep their addresses.\n\n" +
			"It may be done again: what is here already stays as it is, and nothing comes twice. A gateway that runs takes the\n" +
			"users over while it does; persistent channels are entered when it starts next, or when their users enter them.",
		Example: "  gangway import biboumi --dry-run /var/lib/biboumi/biboumi.sqlite",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			if transport, err = ircTransport(cfg, transport); err != nil {
				return err
			}
			if err := notOurs(cfg, args[0]); err != nil {
				return err
			}
			db, err := biboumi.Open(cmd.Context(), args[0], newer)
			if err != nil {
				return core.E(core.Invalid, "import", importStep(args[0], err))
			}
			defer func() { _ = db.Close() }() // it was only read
			return withDesk(cmd.Context(), load, func(call caller) error {
				im := &importer{
					file: args[0], db: db, call: call, network: transport, dry: dry, out: cmd.OutOrStdout(), archive: cfg.Archive,
					progress: newProgress(cmd.ErrOrStderr()),
				}
				return im.run(cmd.Context())
			})
		},
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "only say what would be done")
	c.Flags().BoolVar(&newer, "newer", false, "take a later biboumi's database too: what is not known is left out")
	c.Flags().StringVar(&transport, "transport", "", "which `name` of an IRC transport, if there are several")
	cmd.AddCommand(c)
	return cmd
}

// ircTransport is the name of the transport that users come to.
func ircTransport(cfg *config.Config, wanted string) (string, error) {
	names := named(cfg, "irc")
	switch {
	case wanted == "" && len(names) == 1:
		return names[0], nil
	case slices.Contains(names, wanted):
		return wanted, nil
	case len(names) == 0:
		return "", core.E(core.Invalid, "import", "There is no IRC in the configuration. Add a table [transport.irc].")
	}
	return "", core.E(core.Invalid, "import", "Say which of the IRC transports: --transport "+strings.Join(names, ", --transport ")+".")
}

// notOurs refuses Gangway's own database, which nobody but the store may open: closing it would drop the store's locks.
func notOurs(cfg *config.Config, file string) error {
	own, err := os.Stat(strings.TrimPrefix(cfg.Store.URL.Reveal(), "sqlite:"))
	if err != nil {
		return nil //nolint:nilerr // there is none yet
	}
	if other, err := os.Stat(file); err == nil && os.SameFile(own, other) {
		return core.E(core.Invalid, "import", "That is Gangway's own database. Name biboumi's: db_name in biboumi.cfg.")
	}
	return nil
}

// importStep says why a file cannot be taken, and what to do about it.
func importStep(file string, err error) string {
	next := "Name biboumi's database: db_name in biboumi.cfg."
	switch {
	case errors.Is(err, biboumi.ErrNewer):
		next = "Add --newer to leave that out."
	case errors.Is(err, biboumi.ErrLocked):
		next = "Stop biboumi, and try again."
	case errors.Is(err, biboumi.ErrUnfinished):
		next = "Start biboumi once more, and stop it: it puts that in order."
	case errors.Is(err, biboumi.ErrDamaged):
		next = "Take a backup of it, or have \"sqlite3 FILE .recover\" make another of what is left."
	case errors.Is(err, biboumi.ErrPostgres):
		next = "Copy its tables to SQLite, with the columns that biboumi makes there, and name that file."
	}
	return fmt.Sprintf("%s: %v. %s", file, err, next)
}

// importer takes users over, one at a time: no more of the database is held than one user's choices and a page of history.
type importer struct {
	file     string
	db       *biboumi.DB
	call     caller
	network  string
	dry      bool
	out      io.Writer
	archive  config.Archive
	progress *progress

	users, accounts, there, rooms, contacts int
	lines, old                              int64 // lines that are new; that are older than history is kept
	refused                                 int
}

func (im *importer) run(ctx context.Context) error {
	total, err := im.db.Lines(ctx)
	if err != nil {
		return im.unread(err)
	}
	owners, err := im.db.Owners(ctx)
	if err != nil {
		return im.unread(err)
	}
	im.progress.begin(total)
	for _, owner := range owners {
		if err := im.user(ctx, owner); err != nil {
			im.progress.end()
			return fmt.Errorf("%s: %w (what came before is here; the import may be done again)", owner, im.unread(err))
		}
	}
	im.progress.end()
	would := ""
	if im.dry {
		would = " would come"
	}
	fmt.Fprintf(im.out, "%d users: %d accounts, %d persistent rooms, %d contacts and %d lines of history%s; %d accounts were here already\n",
		im.users, im.accounts, im.rooms, im.contacts, im.lines, would, im.there)
	if im.old > 0 {
		fmt.Fprintf(im.out, "%d lines are older, or more, than [archive] keeps\n", im.old)
	}
	if unknown := im.db.Unknown(); len(unknown) > 0 {
		fmt.Fprintln(im.out, "left out, since it is not known here:", oneLine(strings.Join(unknown, ", ")))
	}
	if im.refused > 0 {
		return core.E(core.Denied, "import", fmt.Sprintf("%d accounts could not be taken over, as said above.", im.refused))
	}
	return nil
}

// unread says what to do where the database could not be read to its end; other errors stay as they are.
func (im *importer) unread(err error) error {
	for _, known := range []error{biboumi.ErrLocked, biboumi.ErrUnfinished, biboumi.ErrDamaged, biboumi.ErrNotBiboumi} {
		if errors.Is(err, known) {
			return core.E(core.Invalid, "import", importStep(im.file, err))
		}
	}
	return err
}

// user takes over everything of a user and says what was left.
func (im *importer) user(ctx context.Context, owner string) error {
	im.users++
	global, err := im.db.Global(ctx, owner)
	if err != nil {
		return err
	}
	accounts, err := im.db.Accounts(ctx, owner)
	if err != nil {
		return err
	}
	local, err := im.db.Contacts(ctx, owner)
	if err != nil {
		return err
	}
	im.progress.say(im.out, "%s", oneLine(owner))
	contacts, err := im.contactsOf(ctx, local, accounts)
	if err != nil {
		return err
	}
	for _, server := range slices.Sorted(maps.Keys(contacts)) { // those of whom nothing else is known
		if !slices.ContainsFunc(accounts, func(a *biboumi.Account) bool { return a.Server == server }) {
			accounts = append(accounts, &biboumi.Account{Owner: owner, Server: server})
		}
	}
	for _, text := range global.Left() {
		im.left(text)
	}
	for _, a := range accounts {
		if err := im.account(ctx, a, contacts[a.Server]); err != nil {
			return err
		}
	}
	if answers := global.Choices(); len(accounts) > 0 {
		return im.chosen(ctx, choiceOrder{User: owner, Network: im.network, Answers: answers})
	}
	return nil
}

// chosen takes over what somebody chose, as far as they have not chosen here.
func (im *importer) chosen(ctx context.Context, o choiceOrder) error {
	if len(o.Answers) == 0 {
		return nil
	}
	o.DryRun = im.dry
	where := cmp.Or(strings.Trim(o.Room+"%"+o.Realm, "%"), "everywhere")
	var got importedChoices
	err := im.call(ctx, "import.choices", o, &got)
	if err != nil && isTheirs(err) {
		im.left(where + ": " + explain(err))
		err = nil
	}
	if len(got.Set) > 0 {
		im.progress.say(im.out, "  %s: chosen: %s", oneLine(where), strings.Join(got.Set, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(got.Wrong)) {
		im.left(where + ": " + name + ": " + got.Wrong[name])
	}
	return err
}

// left tells something that has no place here.
func (im *importer) left(text string) {
	im.progress.say(im.out, "  not carried over: %s", oneLine(text))
}

// contactsOf sorts the addresses on a contact list by server. The gateway itself has no "@", and is nobody's contact
// here; channels are bookmarks, not contacts.
func (im *importer) contactsOf(ctx context.Context, local []string, accounts []*biboumi.Account) (map[string][]string, error) {
	order := targetOrder{Network: im.network}
	for _, jid := range local {
		if name, _, ok := strings.Cut(jid, "@"); ok && name != "" {
			order.Texts = append(order.Texts, mapping.Unescape(name))
		}
	}
	var targets []importedTarget
	if len(order.Texts) == 0 {
		return nil, nil
	}
	if err := im.call(ctx, "import.targets", order, &targets); err != nil {
		return nil, err
	}
	const fixed = " If biboumi had a fixed_irc_server, set fixed_network to it first."
	servers := map[string][]string{}
	for i, t := range targets {
		known := slices.ContainsFunc(accounts, func(a *biboumi.Account) bool { return a.Server == t.Realm })
		switch {
		case t.Wrong != "" && !strings.Contains(order.Texts[i], "%"):
			im.left("the contact " + order.Texts[i] + ": " + t.Wrong + fixed)
		case t.Wrong != "":
			im.left("the contact " + order.Texts[i] + ": " + t.Wrong)
		case t.Address == "" && !known && !strings.Contains(t.Realm, "."):
			im.left("the contact " + order.Texts[i] + ": it names no network." + fixed)
		case t.Room || t.Address == "":
			servers[t.Realm] = append([]string{}, servers[t.Realm]...)
		default:
			servers[t.Realm] = append(servers[t.Realm], t.Address)
		}
	}
	return servers, nil
}

// account takes over one user on one server.
func (im *importer) account(ctx context.Context, a *biboumi.Account, contacts []string) error {
	answers, left := a.Answers()
	order := importOrder{User: a.Owner, Network: im.network, Realm: a.Server, Answers: answers, DryRun: im.dry}
	var got importedAccount
	if err := im.call(ctx, "import.account", order, &got); err != nil {
		if !isTheirs(err) {
			return err
		}
		im.refused++
		im.progress.say(im.out, "  %s: not taken over: %s", oneLine(a.Server), oneLine(explain(err)))
		for _, l := range a.Logged {
			im.progress.add(l.Lines)
		}
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(got.Wrong)) {
		left = append(left, name+": "+got.Wrong[name])
	}
	what := "comes"
	switch {
	case got.New:
		im.accounts++
	case got.Kept:
		im.there++
		what = "is here already, and stays as it is"
	default:
		im.there++
		what = "is here already"
	}
	if len(got.Set) > 0 {
		what += " with " + strings.Join(got.Set, ", ")
	}
	im.progress.say(im.out, "  %s: %s", oneLine(a.Server), what)
	for _, text := range left {
		im.left(a.Server + ": " + text)
	}
	for _, c := range a.Choices() {
		if err := im.chosen(ctx, choiceOrder{User: a.Owner, Network: im.network, Realm: got.Realm, Room: c.Channel, Answers: c.Answers}); err != nil {
			return err
		}
	}
	if err := im.keep(ctx, a, got, contacts); err != nil {
		return err
	}
	for _, l := range a.Logged {
		if err := im.history(ctx, a, got, l); err != nil {
			return err
		}
	}
	return nil
}

// isTheirs says whether an error is about this user, and not about the gateway.
func isTheirs(err error) bool {
	switch core.KindOf(err) {
	case core.Invalid, core.Denied, core.NotFound, core.OverLimit, core.TooLarge:
		return true
	}
	return false
}

// keep takes over persistent rooms and contacts.
func (im *importer) keep(ctx context.Context, a *biboumi.Account, got importedAccount, contacts []string) error {
	each := func(o keepOrder, name, what string) error {
		o.User, o.Network, o.Realm, o.Nick, o.DryRun = a.Owner, im.network, got.Realm, a.Nick(), im.dry
		var n kept
		err := im.call(ctx, "import.keep", o, &n)
		if err != nil && isTheirs(err) {
			im.left(a.Server + ": " + name + ": " + explain(err))
			err = nil
		}
		if n != (kept{}) {
			im.progress.say(im.out, "  %s: %s %s", oneLine(a.Server), what, oneLine(name))
		}
		im.rooms, im.contacts = im.rooms+n.Rooms, im.contacts+n.Contacts
		return err
	}
	for _, room := range a.Persistent() {
		if err := each(keepOrder{Rooms: []string{room}}, room, "stays in"); err != nil {
			return err
		}
	}
	for _, nick := range contacts {
		if err := each(keepOrder{Contacts: []string{nick}}, nick, "has the contact"); err != nil {
			return err
		}
	}
	return nil
}
