package config

import (
	"strings"
	"testing"
	"time"
)

func TestMedia(t *testing.T) {
	load := func(table string) (*Config, error) {
		return parse("gangway.toml", []byte(minimal+"\n[media]\n"+table), exampleWorld().sources())
	}
	c, err := load(`max_size = "8 MiB"` + "\n" + `quota = 1000` + "\n" + `user_quota = "2GiB"` + "\n" + `keep = "48h"` + "\n" +
		`upload = false` + "\n" + `trusted = ["127.0.0.1:5280", "up.example.org:443"]`)
	if err != nil {
		t.Fatal(err)
	}
	m := c.Media
	if m.MaxSize != 8<<20 || m.Quota != 1000 || m.UserQuota != 2<<30 || m.Keep != 48*time.Hour || m.Upload || len(m.Trusted) != 2 {
		t.Errorf("%+v", m)
	}
	if c, err := load(""); err != nil || !c.Media.Upload {
		t.Errorf("by default: %+v, %v", c, err)
	}
	for table, want := range map[string]string{
		`max_size = "8 MB"`:       "is not a size",
		`max_size = "-1 MiB"`:     "is not a size",
		`max_size = "1e9"`:        "is not a size",
		`quota = "9999999999TiB"`: "is not a size",
		`quota = -1`:              "less than nothing",
		`keep = "-1h"`:            "less than nothing",
		`trusted = ["x"]`:         "is not a host and a port",
		`trusted = [":80"]`:       "is not a host and a port",
	} {
		if _, err := load(table); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", table, err)
		}
	}
}
