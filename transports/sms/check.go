package sms

import (
	"context"
	"errors"
	"strings"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"gangway/core"
)

// Check asks the provider whether it knows us, and whether it could reach us.
func (t *transport) Check(ctx context.Context) []core.Finding {
	return []core.Finding{t.checkAccount(ctx), t.checkWebhook()}
}

func (t *transport) checkAccount(ctx context.Context) core.Finding {
	f := core.Finding{Name: "account", Text: "the provider accepts the credentials"}
	p := &openapi.ListMessageParams{}
	p.SetPageSize(1).SetLimit(1)
	c, err := t.api.do(ctx, func(api *openapi.ApiService) error {
		_, err := api.ListMessage(p)
		return err
	})
	if err != nil {
		f.Err = c.failed("sms: check", err)
		f.Text = "look at account, token and api_key in [transport.sms], and whether the provider can be reached from here"
	}
	return f
}

func (t *transport) checkWebhook() core.Finding {
	f := core.Finding{Name: "webhook", Text: "set each number's webhook at the provider to " + t.host.WebhookURL() + "/inbound"}
	switch hook := t.host.WebhookURL(); {
	case hook == "":
		f.Err = errors.New("nothing can be received, and no receipts come: web.public_url is not set")
		f.Text = "set public_url and hooks in [web]"
	case !strings.HasPrefix(hook, "https://"):
		f.Err, f.Warn = errors.New("the provider is told to use plain http"), true
		f.Text = "set public_url in [web] to an https:// URL"
	}
	return f
}
