package disco

import (
	"crypto/sha1" //nolint:gosec // XEP-0115 section 5.1 names it; nothing is secured by it
	"encoding/base64"
	"slices"
	"strings"

	"gangway/core/xmpp/form"
	"gangway/core/xmpp/stream"
)

// Identity says what an entity is, in the words of the XMPP registry.
type Identity struct {
	Category, Type string
	Name, Lang     string // may be empty
}

// Form is an extension of disco#info (XEP-0128): a form of type "result".
type Form struct {
	Type   string // the FORM_TYPE
	Fields []FormField
}

// FormField is one answer of a Form.
type FormField struct {
	Var    string
	Type   string // as XEP-0004 section 3.3 has it; may be empty
	Values []string
}

// Info is the answer to a disco#info query.
type Info struct {
	Identities []Identity
	Features   []string
	Forms      []Form
}

// Item is one line of the answer to a disco#items query.
type Item struct{ JID, Node, Name string }

// Ver returns the verification string of entity capabilities (XEP-0115 section
// 5.1, SHA-1): equal for equal infos, whatever their order.
func (i Info) Ver() string {
	var b strings.Builder
	identities := make([]string, len(i.Identities))
	for n, id := range i.Identities {
		identities[n] = id.Category + "/" + id.Type + "/" + id.Lang + "/" + id.Name
	}
	hashLines(&b, identities)
	hashLines(&b, i.Features)
	forms := slices.Clone(i.Forms)
	slices.SortFunc(forms, func(x, y Form) int { return strings.Compare(x.Type, y.Type) })
	for _, f := range forms {
		f.hash(&b)
	}
	sum := sha1.Sum([]byte(b.String())) //nolint:gosec // see above
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (f Form) hash(b *strings.Builder) {
	hashLines(b, []string{f.Type})
	fields := slices.Clone(f.Fields)
	slices.SortFunc(fields, func(x, y FormField) int { return strings.Compare(x.Var, y.Var) })
	for _, field := range fields {
		hashLines(b, []string{field.Var})
		hashLines(b, field.Values)
	}
}

// hashLines writes what is to be hashed: sorted by bytes (RFC 4790 section
// 9.3), each ended by "<". A "<" in a value would make two infos look like one,
// so it is written as XML has it.
func hashLines(b *strings.Builder, lines []string) {
	for _, line := range slices.Sorted(slices.Values(lines)) {
		b.WriteString(strings.ReplaceAll(line, "<", "&lt;"))
		b.WriteByte('<')
	}
}

// write appends the <query/>.
func (i Info) write(enc *stream.Encoder, node string) {
	enc.Start("query", NSInfo, "node", node)
	for _, id := range i.Identities {
		enc.Empty("identity", "", "category", id.Category, "type", id.Type, "name", id.Name, "xml:lang", id.Lang)
	}
	for _, f := range i.Features {
		enc.Empty("feature", "", "var", f)
	}
	for _, f := range i.Forms {
		f.write(enc)
	}
	enc.End()
}

func (f Form) write(enc *stream.Encoder) {
	x := form.Form{Type: "result", FormType: f.Type}
	for _, field := range f.Fields {
		x.Fields = append(x.Fields, form.Field{Var: field.Var, Type: field.Type, Values: field.Values})
	}
	x.Write(enc)
}

// WriteCaps appends the <c/> that the presence of an entity with this
// verification string carries.
func WriteCaps(enc *stream.Encoder, ver string) {
	enc.Empty("c", NSCaps, "hash", "sha-1", "node", Node, "ver", ver)
}
