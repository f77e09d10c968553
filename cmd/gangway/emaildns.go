package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gangway/config"
	"gangway/core"
	"gangway/transports/email"
	"gangway/transports/email/dkim"
	"gangway/transports/email/dnsrecords"
)

// mailFlags say which mail domain a command is about, and what the configuration cannot know of it.
type mailFlags struct {
	transport, host, resolver string
	ips                       []string
}

func (f *mailFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.transport, "transport", "", "the `name` of the transport, if there are several for e-mail")
	c.Flags().StringVar(&f.resolver, "resolver", "", "`host:port` of the DNS server to ask (default: as configured)")
}

// published reads what is configured of the mail domain.
func (f *mailFlags) published(load loader) (*email.Published, error) {
	cfg, err := load()
	if err != nil {
		return nil, err
	}
	t, err := mailTransport(cfg, f.transport)
	if err != nil {
		return nil, err
	}
	p, err := email.PublishedBy(t.Decode, f.resolver)
	if err != nil {
		return nil, placed(t, fmt.Errorf("transport %s: %w", t.Name, err))
	}
	if f.host != "" {
		p.Domain.Host = strings.ToLower(strings.TrimSuffix(f.host, "."))
	}
	for _, s := range f.ips {
		ip, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("invalid argument %q for --ip", s)
		}
		p.Domain.IPs = append(p.Domain.IPs, ip.Unmap())
	}
	return p, p.LoadKeys()
}

// mailTransport finds the transport of e-mail.
func mailTransport(cfg *config.Config, name string) (*config.Transport, error) {
	var found *config.Transport
	for i := range cfg.Transports {
		t := &cfg.Transports[i]
		if t.Driver != "email" || name != "" && t.Name != name {
			continue
		}
		if found != nil {
			return nil, core.E(core.Invalid, "email", "There are several transports for e-mail. Say which one with --transport.")
		}
		found = t
	}
	if found == nil {
		return nil, core.E(core.NotFound, "email", "The configuration has no such transport for e-mail.")
	}
	return found, nil
}

func dnsCommand(load loader) *cobra.Command {
	var f mailFlags
	var check bool
	c := listFlags(&cobra.Command{
		Use: "dns", Short: "Print what the mail domain must have in the DNS, and look whether it is there",
		Long: "Print the records that the mail domain must have in the DNS, as lines of a zone file: MX, SPF, DKIM, DMARC, MTA-STS with\n" +
			"its policy, TLSRPT, and the names of the address that mail comes from. With --check look at each of them, and say\n" +
			"what is to be done about what is not there or will not do.\n\n" +
			"Exit codes: 0 all that mail needs is there (or nothing was looked at); 1 something that mail needs is missing, differs,\n" +
			"or could not be found out; 2 the command line or the configuration makes no sense.",
		Example: "  gangway email dns > records.zone\n  gangway email dns --check --host mx.example.org",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.published(load)
			if err != nil {
				return err
			}
			p.Locate(cmd.Context())
			if check {
				return checkDNS(cmd, p)
			}
			return printDNS(cmd, p)
		},
	})
	f.add(c)
	c.Flags().StringVar(&f.host, "host", "", "the `name` of the server that mail comes in to (default: hello, or the mail domain)")
	c.Flags().StringSliceVar(&f.ips, "ip", nil, "an `address` of that server (default: those that its name leads to)")
	c.Flags().BoolVar(&check, "check", false, "look at what is published")
	return c
}

// zoneRecord is a record as JSON has it.
type zoneRecord struct {
	dnsrecords.Record
	Zone string `json:"zone,omitempty"` // as a line of a zone file
}

func printDNS(cmd *cobra.Command, p *email.Published) error {
	out := cmd.OutOrStdout()
	if asJSON, err := cmd.Flags().GetBool("json"); err != nil || asJSON {
		rows := []zoneRecord{}
		for _, r := range p.Domain.Records() {
			rows = append(rows, zoneRecord{r, zoneLine(r)})
		}
		return printJSON(out, rows)
	}
	for _, r := range p.Domain.Records() {
		optional := ""
		if r.Optional {
			optional = "; optional"
		}
		fmt.Fprintf(out, "; %s%s\n%s\n\n", r.Why, optional, r.Zone())
	}
	for _, n := range notes(p) {
		fmt.Fprintf(out, "; %s\n", n)
	}
	return nil
}

// zoneLine is a record's line; empty if it is none that a zone file can have.
func zoneLine(r dnsrecords.Record) string {
	if line := r.Zone(); !strings.HasPrefix(line, ";") {
		return line
	}
	return ""
}

func printJSON(out io.Writer, rows any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}

// notes are what no record says.
func notes(p *email.Published) (all []string) {
	d := p.Domain
	switch {
	case d.Unsigned:
		all = append(all, "Mail is not signed here (dkim_keys = \"none\"): the relay must sign it with a key of "+d.Name+".")
	case len(d.Keys) == 0:
		all = append(all, "There are no DKIM keys yet, and mail is not signed. Make them with: gangway email dkim rotate")
	}
	if d.Relay != "" {
		all = append(all, "Mail goes out through "+d.Relay+": ask its operator which addresses it sends from (SPF). Their names (PTR) are its business.")
	} else if len(d.IPs) == 0 {
		all = append(all, d.Host+" leads nowhere yet. Say its address with --ip for all records.")
	}
	return append(all, "Reports come to "+d.Reports+"@"+d.Name+": see that somebody reads them.")
}

// checkTime is how long all of a check may take.
const checkTime = 2 * time.Minute

// checkedRecord is what was found of a record, as JSON has it.
type checkedRecord struct {
	dnsrecords.Result
	Zone string `json:"zone,omitempty"`
}

func checkDNS(cmd *cobra.Command, p *email.Published) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), checkTime)
	defer cancel()
	results := p.Check(ctx)
	asJSON, err := cmd.Flags().GetBool("json")
	if err != nil {
		return err
	}
	if asJSON {
		rows := []checkedRecord{}
		for _, r := range results {
			rows = append(rows, checkedRecord{r, zoneLine(r.Record)})
		}
		err = printJSON(cmd.OutOrStdout(), rows)
	} else {
		for _, r := range results {
			printResult(cmd.OutOrStdout(), r)
		}
		for _, n := range notes(p) {
			fmt.Fprintf(cmd.OutOrStdout(), "note     %s\n", n)
		}
	}
	if err == nil && !dnsrecords.Good(results) {
		err = failed{errors.New("records that mail needs are not there")}
	}
	return err
}

// printResult says what was found of a record, and what is to be done.
func printResult(out io.Writer, r dnsrecords.Result) {
	name := string(r.State)
	if r.State != dnsrecords.OK && !r.Optional {
		name = strings.ToUpper(name)
	}
	fmt.Fprintf(out, "%-8s %s %s", name, r.Name, r.Type)
	if r.Found != "" {
		fmt.Fprintf(out, ": %s", oneLine(r.Found))
	}
	fmt.Fprintln(out)
	if r.State == dnsrecords.Missing || r.State == dnsrecords.Differs {
		fmt.Fprintf(out, "         %s\n", strings.ReplaceAll(r.Zone(), "\n", "\n         "))
	}
	if r.Do != "" {
		fmt.Fprintf(out, "         -> %s\n", oneLine(r.Do))
	}
}

func dkimCommand(load loader) *cobra.Command {
	cmd := group("dkim", "Manage the keys that mail is signed with")
	cmd.AddCommand(rotateCommand(load))
	return cmd
}

func rotateCommand(load loader) *cobra.Command {
	var f mailFlags
	var force bool
	c := &cobra.Command{
		Use: "rotate", Short: "Make new keys, or begin to sign with those that were made",
		Long: "The first time, make keys (RSA and Ed25519), with which mail is signed from then on. Later, first make new keys beside\n" +
			"those that sign, and print the records to publish; then, called again when they are in the DNS, begin to sign with them.\n" +
			"A gateway that runs notices within a minute. The old keys sign no more, and are removed with the next rotation; leave\n" +
			"their records in the DNS for two weeks, because mail on its way is still looked at. Call it as the user that the\n" +
			"gateway runs as: nobody else can read the keys.\n\n" +
			"Exit codes: 0 done; 1 the new keys are not in the DNS yet, or something failed; 2 the command line or the configuration\n" +
			"makes no sense.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.published(load)
			if err != nil {
				return err
			}
			if p.Domain.Unsigned {
				return core.E(core.Invalid, "email dkim", `Mail is not signed here: dkim_keys is "none".`)
			}
			return rotate(cmd, p, force)
		},
	}
	f.add(c)
	c.Flags().BoolVar(&force, "force", false, "sign with the new keys although they are not in the DNS")
	return c
}

// rotate goes one step on in the life of the keys.
func rotate(cmd *cobra.Command, p *email.Published, force bool) error {
	all, signing, err := p.Keys.Generations()
	if err != nil {
		return err
	}
	newest := len(all) - 1
	if newest < 0 || all[newest].Name == signing {
		return makeKeys(cmd, p, all, signing)
	}
	next := all[newest]
	if err := dkim.Published(cmd.Context(), p.Resolver.LookupTXT, p.Domain.Name, next.Keys); err != nil && !force {
		return &core.Error{
			Kind: core.Unavailable, Op: "email dkim", Err: err,
			Text: "The new keys are not in the DNS yet. Publish what \"gangway email dns\" prints, wait until it can be seen, and try again.",
		}
	}
	if err := p.Keys.Use(next.Name); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Mail is signed with the keys of %s from now on. Leave the records of %s in the DNS for two weeks.\n", next.Name, signing)
	return nil
}

// makeKeys makes a new generation, and removes those before the one that signs.
func makeKeys(cmd *cobra.Command, p *email.Published, all []dkim.Generation, signing string) error {
	g, err := p.Keys.Make(time.Now())
	if err != nil {
		return err
	}
	for _, old := range all {
		if old.Name < signing {
			if err := p.Keys.Remove(old.Name); err != nil {
				return err
			}
		}
	}
	p.Domain.Keys = nil
	if err := p.LoadKeys(); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	for _, r := range p.Domain.Records() {
		if r.Type == "TXT" && strings.HasPrefix(r.Name, g.Name) {
			fmt.Fprintln(out, r.Zone())
		}
	}
	if signing == "" {
		fmt.Fprintln(cmd.ErrOrStderr(), "gangway: Mail is signed with these keys from now on: publish these records at once.")
		return nil
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "gangway: Publish these records, and call this command again when they can be seen.")
	return nil
}
