package config

import "strings"

// Allowed says whether a bare JID may use the gateway. Case does not matter; a JID with a resource, or without a
// local part, is nobody's.
func (a *Access) Allowed(bareJID string) bool {
	jid := strings.ToLower(bareJID)
	if whyNotBareJID(jid) != "" {
		return false
	}
	_, domain, _ := strings.Cut(jid, "@")
	for _, pattern := range a.Allow {
		pattern = strings.ToLower(pattern)
		if pattern == "*" || pattern == jid || pattern == "*@"+domain {
			return true
		}
	}
	return false
}

// Allowed says whether a bare JID may use the gateway: by [access], or as an administrator.
func (c *Config) Allowed(bareJID string) bool { return c.Access.Allowed(bareJID) || c.Admin(bareJID) }

// Admin says whether a bare JID is an administrator's. Case does not matter.
func (c *Config) Admin(bareJID string) bool {
	admins := Access{Allow: c.Admins} // validated: bare JIDs only
	return admins.Allowed(bareJID)
}

// whyNotBareJID says what keeps s from being a bare JID with a local part, or "".
func whyNotBareJID(s string) string {
	local, domain, ok := strings.Cut(s, "@")
	switch {
	case !ok || local == "":
		return "has no local part"
	case strings.Contains(s, "/"):
		return "has a resource"
	case strings.ContainsAny(local, " \"&':<>@\t\r\n\x00"):
		return "has a character that a JID may not have"
	case whyNotDomain(domain) != "":
		return "has a domain that " + whyNotDomain(domain)
	}
	return ""
}

// whyNotDomain says what keeps s from being a domain, or "". Names beyond ASCII are left to the host server.
func whyNotDomain(s string) string {
	switch {
	case s == "":
		return "is empty"
	case len(s) > 253:
		return "is longer than 253 bytes"
	case strings.ContainsAny(s, "@/ :\"&'<>\\*,;()[]{}|\t\r\n\x00"):
		return "is not a domain name"
	case strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, ".."):
		return "has an empty label"
	}
	return ""
}
