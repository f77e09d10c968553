package discover

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

const maxFile = 64 << 10 // bytes of an autoconfiguration file; real ones have 2 KB

// ownFiles are where a domain has its autoconfiguration file.
func ownFiles(local, domain string) []string { return ownFilesOf(local, domain, domain) }

// ownFilesOf are where another domain has it that may know the address.
func ownFilesOf(local, domain, owner string) []string {
	query := "?emailaddress=" + url.QueryEscape(local+"@"+domain)
	return []string{
		"https://autoconfig." + owner + "/mail/config-v1.1.xml" + query,
		"https://" + owner + "/.well-known/autoconfig/mail/config-v1.1.xml" + query,
	}
}

// autoconfig fetches the files, all at once, and returns what the first one in their order says that says anything.
func (f *Finder) autoconfig(ctx context.Context, local, domain string, files []string) Found {
	all := make([]Found, len(files))
	var wait sync.WaitGroup
	for i, file := range files {
		wait.Go(func() {
			if b, err := f.fetch(ctx, file); err == nil {
				all[i], _ = ParseAutoconfig(b, local, domain)
			}
		})
	}
	wait.Wait()
	if i := slices.IndexFunc(all, func(f Found) bool { return len(f.IMAP) > 0 }); i >= 0 {
		return all[i]
	}
	return Found{}
}

func (f *Finder) fetch(ctx context.Context, file string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, file, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "gangway")
	client := f.Client
	if client == nil {
		client = NewGuard().Client()
	}
	res, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("autoconfig: %s", res.Status)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = errors.New("autoconfig: the file is too long")
	}
	return b, err
}

// clientConfig is an autoconfiguration file, version 1.1, as far as it is read.
type clientConfig struct {
	XMLName  xml.Name `xml:"clientConfig"`
	Provider []struct {
		Incoming []serverConfig `xml:"incomingServer"`
		Outgoing []serverConfig `xml:"outgoingServer"`
	} `xml:"emailProvider"`
}

type serverConfig struct {
	Type     string `xml:"type,attr"`
	Hostname string `xml:"hostname"`
	Port     int    `xml:"port"`
	Socket   string `xml:"socketType"`
	Username string `xml:"username"`
}

// ParseAutoconfig reads an autoconfiguration file for an address. What is not encrypted, and what is not IMAP or SMTP,
// is left out.
func ParseAutoconfig(b []byte, local, domain string) (Found, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "us-ascii") {
			return in, nil
		}
		return nil, fmt.Errorf("autoconfig: charset %q", charset)
	}
	var c clientConfig
	if err := d.Decode(&c); err != nil {
		return Found{}, fmt.Errorf("autoconfig: %w", err)
	}
	var found Found
	for _, p := range c.Provider {
		found.IMAP = merge(found.IMAP, serversOf(p.Incoming, "imap", local, domain))
		found.SMTP = merge(found.SMTP, serversOf(p.Outgoing, "smtp", local, domain))
	}
	return found, nil
}

func serversOf(all []serverConfig, kind, local, domain string) []Server {
	var servers []Server
	fill := strings.NewReplacer("%EMAILADDRESS%", local+"@"+domain, "%EMAILLOCALPART%", local, "%EMAILDOMAIN%", domain)
	for _, c := range all {
		security := TLS
		switch strings.ToUpper(strings.TrimSpace(c.Socket)) {
		case "SSL", "TLS":
		case "STARTTLS":
			security = StartTLS
		default:
			continue
		}
		host, ok := hostOf(fill.Replace(c.Hostname))
		if !ok || !strings.EqualFold(c.Type, kind) || c.Port <= 0 || c.Port > 65535 {
			continue
		}
		s := Server{Host: host, Port: c.Port, Security: security, User: fill.Replace(strings.TrimSpace(c.Username)), Sure: true}
		if s.User == "" || len(s.User) > 320 || strings.ContainsFunc(s.User, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\uFFFD' }) {
			s.User, s.Sure = local+"@"+domain, false
		}
		servers = append(servers, s)
	}
	slices.SortStableFunc(servers, func(a, b Server) int { return int(a.Security) - int(b.Security) })
	return servers
}
