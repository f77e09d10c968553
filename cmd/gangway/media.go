package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"gangway/config"
	"gangway/core"
	"gangway/core/media"
	"gangway/core/xmpp/upload"
)

// openMedia opens the store of files. Its uploads go over the links, once wire has made them.
func (a *app) openMedia(ctx context.Context) (err error) {
	a.uploads = upload.New(upload.Config{Host: a.cfg.XMPP.Domain, Logger: a.log})
	b := mediaBounds(a.cfg.Media)
	cfg := media.Config{
		Dir: mediaDir(a.cfg), MaxSize: b.MaxSize, Keep: b.Keep, Quota: b.Quota, UserQuota: b.UserQuota,
		URL: mediaURL(a.cfg), Trusted: a.cfg.Media.Trusted, Logger: a.log,
	}
	if a.cfg.Media.Upload && a.cfg.XMPP.Domain != "" {
		cfg.Slots = a.uploads
	}
	if a.media, err = media.New(ctx, a.db, cfg); err != nil {
		return fmt.Errorf("media.dir: %w", err)
	}
	return nil
}

// mediaBounds are what can be changed while running.
func mediaBounds(m config.Media) media.Bounds {
	return media.Bounds{MaxSize: int64(m.MaxSize), Keep: m.Keep, Quota: int64(m.Quota), UserQuota: int64(m.UserQuota)}
}

// mediaDir is where files are kept: where the configuration says, else beside the database.
func mediaDir(cfg *config.Config) string {
	if cfg.Media.Dir != "" {
		return cfg.Media.Dir
	}
	return filepath.Join(filepath.Dir(strings.TrimPrefix(cfg.Store.URL.Reveal(), "sqlite:")), "media")
}

// mediaURL is where the world finds our files; empty if it does not reach us.
func mediaURL(cfg *config.Config) string {
	if cfg.Web.PublicURL == "" || cfg.Web.Hooks == "" {
		return ""
	}
	return strings.TrimSuffix(cfg.Web.PublicURL, "/") + "/media"
}

// mediaFindings say whether files can be carried. Whether there is an upload service can only be asked over a link
// that is up: before the gateway runs it is left out.
func (a *app) mediaFindings(ctx context.Context, running bool) []core.Finding {
	var all []core.Finding
	for _, f := range a.media.Check(ctx) {
		if f.Name != "upload" || running {
			all = append(all, f)
		}
	}
	return all
}
