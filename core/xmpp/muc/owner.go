package muc

import (
	"context"
	"strconv"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/form"
	"gangway/core/xmpp/stream"
)

// The fields of a room's settings (XEP-0045 section 15.5.4). The first is the user's own choice, and concerns nobody
// else, as do those that begin with ownVar; the others are the network's.
const (
	varPersistent  = "muc#roomconfig_persistentroom"
	varModerated   = "muc#roomconfig_moderatedroom"
	varMembersOnly = "muc#roomconfig_membersonly"
	varProtected   = "muc#roomconfig_passwordprotectedroom"
	varPassword    = "muc#roomconfig_roomsecret"
	varSubject     = "muc#roomconfig_changesubject"
	varPublic      = "muc#roomconfig_publicroom"
	varMost        = "muc#roomconfig_maxusers"

	ownVar = "x-" // XEP-0068 section 4.2: a field that nobody has registered

	varInside = ownVar + "inside"
)

// Owner handles muc#owner requests: a form of what the user and the network allow to choose. An instant room (an
// empty submission) changes nothing and is fine.
func (h *Handler) Owner(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	c, err := h.occupied(ctx, w, st)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	query := st.Child(NSOwner, "query")
	if st.Type == "get" {
		return h.settings(ctx, c)
	}
	if query.Child("", "destroy") != nil {
		return xmpp.NewError("cancel", "not-allowed", "Rooms cannot be destroyed here: one is gone when everybody has left it.")
	}
	x := form.Find(query)
	if x == nil {
		return xmpp.NewError("modify", "bad-request", "Say what is to be changed.")
	}
	chosen, err := form.Parse(x)
	if err != nil {
		return xmpp.NewError("modify", "bad-request", "The form could not be read.")
	}
	if x.Attr("type") != "cancel" {
		if err := h.configure(ctx, c, chosen); err != nil {
			return refused(err)
		}
	}
	return xmpp.Result(w, st, nil)
}

// settings answers with the form: what the user chose for the room, and what the room is like, which only its operators
// can change.
func (h *Handler) settings(ctx context.Context, c *call) error {
	f := form.Form{
		Type: "form", FormType: nsConfig, Title: roomName(c.target),
		Instructions: "What is chosen for you concerns nobody else. What the room itself is like can be changed by its operators only.",
	}
	var err error
	if f.Fields, err = h.ownFields(ctx, c); err != nil {
		return err
	}
	_, me := c.room.present()
	err = h.with(ctx, c.account, func(caps core.Caps) error {
		if caps.Configurer == nil {
			return nil
		}
		s, err := caps.Configurer.Settings(ctx, c.target.Address)
		switch {
		case err != nil && len(f.Fields) > 0 && !operates(me):
			return nil
		case operates(me):
			f.Fields = append(f.Fields, fieldsOf(s)...)
		default:
			f.Fields = append(f.Fields, readOnly(fieldsOf(s))...)
		}
		return err
	})
	if err != nil {
		return refused(err)
	}
	if len(f.Fields) == 0 {
		f.Instructions = "There is nothing to choose about this room."
	}
	return xmpp.Result(c.w, c.st, func(enc *stream.Encoder) {
		enc.Start("query", NSOwner)
		f.Write(enc)
		enc.End()
	})
}

// operates says whether a member may change what the room is like, as far as can be told: the network decides.
func operates(m core.Member) bool {
	return m.Staff || m.Rank == core.Half || m.Rank == core.Operator || m.Rank == core.Owner
}

// readOnly are fields as they are told to who cannot change them. A password is nobody's to read.
func readOnly(fields []form.Field) (told []form.Field) {
	for _, f := range fields {
		if f.Type == "text-private" {
			continue
		}
		value := "no"
		switch {
		case f.Type != "boolean" && len(f.Values) > 0:
			value = f.Values[0]
		case len(f.Values) > 0 && isTrue(f.Values[0]):
			value = "yes"
		}
		told = append(told, form.Field{Type: "fixed", Values: []string{f.Label + ": " + value}})
	}
	return told
}

func fieldsOf(s core.Settings) []form.Field {
	most := "none"
	if s.Limit > 0 {
		most = strconv.Itoa(s.Limit)
	}
	return []form.Field{
		boolean(varModerated, "Only who has a voice may speak", s.Moderated),
		boolean(varMembersOnly, "Only who is invited may enter", s.MembersOnly),
		boolean(varProtected, "A password is needed to enter", s.Password != ""),
		{Var: varPassword, Type: "text-private", Label: "The password", Values: some(s.Password)},
		boolean(varSubject, "Everybody may change the subject", !s.TopicLocked),
		boolean(varPublic, "The room is listed", !s.Hidden),
		boolean(varInside, "Only who is in the room may speak in it", s.Inside),
		{Var: varMost, Type: "text-single", Label: "Members at most (a number, or \"none\")", Values: some(most)},
	}
}

func some(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func boolean(name, label string, on bool) form.Field {
	value := "0"
	if on {
		value = "1"
	}
	return form.Field{Var: name, Type: "boolean", Label: label, Values: []string{value}}
}

func isTrue(value string) bool { return value == "1" || value == "true" }

// configure does what a form asks for. What it does not name stays as it is.
func (h *Handler) configure(ctx context.Context, c *call, chosen form.Submission) error {
	if err := h.chooseOwn(ctx, c, chosen); err != nil {
		return err
	}
	if !touches(chosen) {
		return nil
	}
	return h.with(ctx, c.account, func(caps core.Caps) error {
		if caps.Configurer == nil {
			return core.E(core.Unsupported, "muc: configure", "The room's settings cannot be changed from here.")
		}
		was, err := caps.Configurer.Settings(ctx, c.target.Address)
		if err != nil {
			return err
		}
		now, err := settingsOf(was, chosen)
		if err != nil || now == was {
			return err
		}
		return caps.Configurer.Configure(ctx, c.target.Address, now)
	})
}

// touches says whether a form names a setting of the network's.
func touches(chosen form.Submission) bool {
	for _, name := range []string{varModerated, varMembersOnly, varProtected, varPassword, varSubject, varPublic, varInside, varMost} {
		if chosen.Has(name) {
			return true
		}
	}
	return false
}

// settingsOf are a room's settings as a form wants them.
func settingsOf(s core.Settings, chosen form.Submission) (core.Settings, error) {
	for name, set := range map[string]func(bool){
		varModerated:   func(on bool) { s.Moderated = on },
		varMembersOnly: func(on bool) { s.MembersOnly = on },
		varSubject:     func(on bool) { s.TopicLocked = !on },
		varPublic:      func(on bool) { s.Hidden = !on },
		varInside:      func(on bool) { s.Inside = on },
	} {
		if chosen.Has(name) {
			set(isTrue(chosen.Get(name)))
		}
	}
	if chosen.Has(varPassword) {
		s.Password = chosen.Get(varPassword)
	}
	if chosen.Has(varProtected) {
		on := isTrue(chosen.Get(varProtected))
		if on && s.Password == "" {
			return s, core.E(core.Invalid, "muc: configure", "Say which password is to protect the room.")
		}
		if !on {
			s.Password = ""
		}
	}
	if chosen.Has(varMost) {
		switch n, err := strconv.Atoi(chosen.Get(varMost)); {
		case chosen.Get(varMost) == "none", chosen.Get(varMost) == "":
			s.Limit = 0
		case err != nil || n < 0:
			return s, core.E(core.Invalid, "muc: configure", "The number of members is a number, or \"none\".")
		default:
			s.Limit = n
		}
	}
	return s, nil
}
