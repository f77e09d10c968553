package config

import "time"

// Archive is the history of rooms, which clients read by XEP-0313 and when they join.
type Archive struct {
	Enabled bool          `toml:"enabled"`
	Keep    time.Duration `toml:"keep"`  // how long a message is kept
	Limit   int           `toml:"limit"` // messages of one room, for one user
}

func defaultArchive() Archive {
	return Archive{Enabled: true, Keep: 30 * 24 * time.Hour, Limit: 10_000}
}

func (v *validation) archive(c *Config) {
	if !c.Archive.Enabled {
		return
	}
	if c.Archive.Keep < time.Minute {
		v.add("is less than a minute", "write how long messages are kept, as in \"720h\", or enabled = false for no history", "archive", "keep")
	}
	if c.Archive.Limit < 1 {
		v.add("is less than one message", "write how many messages of a room are kept, as in 10000, or enabled = false for no history", "archive", "limit")
	}
}
