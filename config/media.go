package config

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"time"
)

// Media is how files are carried. Zero values stand for the defaults of core/media.
type Media struct {
	Dir       string        `toml:"dir"`        // where files are kept; empty: a folder beside the database
	MaxSize   Size          `toml:"max_size"`   // of one file, in either direction
	Keep      time.Duration `toml:"keep"`       // how long our own URLs work
	Quota     Size          `toml:"quota"`      // of all files that are kept here
	UserQuota Size          `toml:"user_quota"` // of them for one user
	Trusted   []string      `toml:"trusted"`    // host:port that files may be fetched from although they are private
	Upload    bool          `toml:"upload"`     // use the host server's upload service (XEP-0363)
}

// Size is a number of bytes, written as a number, or as text with a unit: "25 MiB".
type Size int64

var errSize = errors.New(`is not a size: write a number and KiB, MiB or GiB, as in "25 MiB"`)

// UnmarshalText reads a number with a unit.
func (s *Size) UnmarshalText(text []byte) error {
	number := strings.TrimSpace(string(text))
	shift := 0
	for unit, by := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40} {
		if rest, ok := strings.CutSuffix(number, unit); ok {
			number, shift = strings.TrimSpace(rest), by
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > (1<<62)>>shift {
		return errSize
	}
	*s = Size(n << shift)
	return nil
}

func (v *validation) media(c *Config) {
	m := c.Media
	for key, n := range map[string]Size{"max_size": m.MaxSize, "quota": m.Quota, "user_quota": m.UserQuota} {
		if n < 0 {
			v.add("is less than nothing", `write a size, as in "25 MiB"`, "media", key)
		}
	}
	if m.Keep < 0 {
		v.add("is less than nothing", `write a duration, as in "720h"`, "media", "keep")
	}
	for i, t := range m.Trusted {
		if host, port, err := net.SplitHostPort(t); err != nil || host == "" || port == "" {
			v.add(strconv.Quote(t)+" is not a host and a port", `write it as in "upload.example.org:5281"`, "media", "trusted", strconv.Itoa(i))
		}
	}
}
