package servers

// User is an account that a server has from its first start.
type User struct {
	Name     string // the local part
	Password string
}

// Component is an external component (XEP-0114) that a server lets in.
type Component struct {
	Domain string
	Secret string
	// Privileged gives the component XEP-0356 privileges on the server's domain: rosters, messages in its name,
	// roster presence.
	Privileged bool
}

// DefaultDomain is the XMPP domain of a server whose configuration names none.
const DefaultDomain = "example.test"

const (
	nsClient    = "jabber:client"
	nsComponent = "jabber:component:accept"
)
