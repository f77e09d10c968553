// Package calendar says in a few lines what an iCalendar object (RFC 5545, RFC 5546) is about, for people who read it
// in a chat. It is lenient, bounded, and knows no clock and no time zones: times are shown as they are written.
package calendar

import (
	"strings"
	"time"
)

const (
	maxBytes   = 256 << 10 // of an object that are looked at
	maxEntries = 5         // events that are shown
	maxValue   = 300       // bytes of a value that are shown
)

// Summary describes the events and tasks of an object; "" if it has none. The text is as the sender wrote it: the
// caller cleans it.
func Summary(object string) string {
	var c reader
	for _, line := range unfold(object[:min(len(object), maxBytes)]) {
		c.line(line)
	}
	var parts []string
	for i, e := range c.entries {
		if i == maxEntries {
			parts = append(parts, "...")
			break
		}
		parts = append(parts, e.text(c.method))
	}
	return strings.Join(parts, "\n\n")
}

// unfold joins continued lines (RFC 5545 section 3.1).
func unfold(object string) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(object, "\r", ""), "\n") {
		if n := len(lines); n > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			if len(lines[n-1]) < 8*maxValue { // no more of it is shown
				lines[n-1] += line[1:]
			}
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// reader collects the entries of an object.
type reader struct {
	method  string
	entries []*entry
	open    *entry
	inside  int // components within the entry, such as alarms
}

// entry is an event or a task.
type entry struct {
	task     bool
	fields   map[string]property // the first of each name
	answer   string              // of the one attendee of a reply
	attendee string
}

type property struct {
	params map[string]string
	value  string
}

func (c *reader) line(line string) {
	name, p := split(line)
	kind := strings.ToUpper(strings.TrimSpace(p.value))
	switch {
	case name == "BEGIN" && c.open != nil:
		c.inside++
	case name == "BEGIN" && (kind == "VEVENT" || kind == "VTODO"):
		c.open = &entry{task: kind == "VTODO", fields: map[string]property{}}
	case name == "END" && c.inside > 0:
		c.inside--
	case name == "END" && c.open != nil:
		if len(c.entries) <= maxEntries {
			c.entries = append(c.entries, c.open)
		}
		c.open = nil
	case name == "METHOD" && c.open == nil:
		c.method = kind
	case c.open == nil || c.inside > 0 || name == "":
	case name == "ATTENDEE":
		c.open.answer, c.open.attendee = strings.ToUpper(p.params["PARTSTAT"]), person(p)
	default:
		if _, ok := c.open.fields[name]; !ok && len(c.open.fields) < 100 {
			c.open.fields[name] = p
		}
	}
}

// split takes a content line apart: NAME;PARAM=value;PARAM="value":value.
func split(line string) (string, property) {
	p := property{params: map[string]string{}}
	quoted, start := false, 0
	var words []string
	for i := 0; i < len(line) && len(words) < 50; i++ {
		c := line[i]
		if c == '"' {
			quoted = !quoted
		}
		if quoted || c != ';' && c != ':' {
			continue
		}
		words = append(words, line[start:i])
		start = i + 1
		if c == ':' {
			break
		}
	}
	if len(words) == 0 {
		return "", p
	}
	p.value = line[start:]
	for _, w := range words[1:] {
		name, value, _ := strings.Cut(w, "=")
		p.params[strings.ToUpper(strings.TrimSpace(name))] = strings.Trim(value, `" `)
	}
	return strings.ToUpper(strings.TrimSpace(words[0])), p
}

// text describes the entry.
func (e *entry) text(method string) string {
	var lines []string
	add := func(label, value string) {
		if value != "" {
			lines = append(lines, label+": "+value)
		}
	}
	title := plain(e.fields["SUMMARY"].value)
	if title == "" {
		title = "(no title)"
	}
	lines = append(lines, e.kind(method)+": "+title)
	add("When", e.when())
	add("Due", moment(e.fields["DUE"]))
	add("Repeats", repeats(e.fields["RRULE"].value))
	add("Where", plain(e.fields["LOCATION"].value))
	add("Organizer", person(e.fields["ORGANIZER"]))
	return strings.Join(lines, "\n")
}

// kind is what the sender wants with the entry (RFC 5546 section 1.4).
func (e *entry) kind(method string) string {
	if strings.EqualFold(e.fields["STATUS"].value, "CANCELLED") {
		method = "CANCEL"
	}
	switch method {
	case "CANCEL":
		return "Cancelled"
	case "REPLY":
		who := e.attendee
		if who == "" {
			who = "Somebody"
		}
		switch e.answer {
		case "ACCEPTED":
			return who + " accepted"
		case "DECLINED":
			return who + " declined"
		case "TENTATIVE":
			return who + " may come"
		}
		return who + " answered"
	case "COUNTER":
		return "Another time is proposed"
	case "DECLINECOUNTER":
		return "The proposed time is declined"
	case "REQUEST":
		if n := strings.TrimSpace(e.fields["SEQUENCE"].value); n != "" && n != "0" && !e.task {
			return "Changed invitation"
		}
		if !e.task {
			return "Invitation"
		}
	}
	if e.task {
		return "Task"
	}
	return "Event"
}

// when is the time of an event: 2026-11-02 12:00 - 13:00 (Europe/Berlin).
func (e *entry) when() string {
	start := moment(e.fields["DTSTART"])
	if start == "" {
		return ""
	}
	zone := zoneOf(e.fields["DTSTART"])
	end := moment(e.fields["DTEND"])
	timed := len(start) > len("2026-11-02")
	switch n := len("Mon 2026-11-02 "); {
	case end == "" || end == start:
		end = ""
	case timed && strings.HasPrefix(end, start[:n]) && zoneOf(e.fields["DTEND"]) == zone:
		end = " - " + end[n:]
	case !timed && dayBefore(end) == start: // of whole days the end is the day after
		end = ""
	case !timed:
		end = " - " + dayBefore(end)
	default:
		end = " - " + end
	}
	if zone != "" {
		zone = " (" + zone + ")"
	}
	if d := e.fields["DURATION"].value; end == "" && d != "" {
		zone += ", " + duration(d)
	}
	return start + end + zone
}

func zoneOf(p property) string {
	switch {
	case strings.HasSuffix(p.value, "Z"):
		return "UTC"
	case strings.Contains(p.value, "T"):
		return plain(p.params["TZID"])
	}
	return ""
}

// moment writes a date or a time as it is, without its zone; "" if it is neither.
func moment(p property) string {
	v := strings.TrimSuffix(strings.TrimSpace(p.value), "Z")
	if t, err := time.Parse("20060102T150405", v); err == nil {
		return t.Format("Mon 2006-01-02 15:04")
	}
	if t, err := time.Parse("20060102", v); err == nil {
		return t.Format("2006-01-02")
	}
	return ""
}

// dayBefore is the day before one as moment writes it.
func dayBefore(day string) string {
	t, err := time.Parse("2006-01-02", day)
	if err != nil {
		return day
	}
	return t.AddDate(0, 0, -1).Format("2006-01-02")
}

// duration makes "1 h 30 min" of PT1H30M (RFC 5545 section 3.3.6).
func duration(v string) string {
	units := strings.NewReplacer("W", " weeks ", "D", " d ", "H", " h ", "M", " min ", "S", " s ", "P", "", "T", "")
	return plain(units.Replace(strings.ToUpper(strings.TrimSpace(v))))
}

// repeats says how often, of a rule (RFC 5545 section 3.3.10).
func repeats(rule string) string {
	parts := map[string]string{}
	for part := range strings.SplitSeq(strings.ToUpper(rule), ";") {
		name, value, _ := strings.Cut(part, "=")
		parts[name] = value
	}
	words := map[string]string{"DAILY": "daily", "WEEKLY": "weekly", "MONTHLY": "monthly", "YEARLY": "yearly", "HOURLY": "hourly"}
	often := words[parts["FREQ"]]
	if often == "" {
		return ""
	}
	if n := parts["INTERVAL"]; n != "" && n != "1" {
		often += ", every " + plain(n)
	}
	if on := days(parts["BYDAY"]); on != "" {
		often += " on " + on
	} else if n := parts["BYMONTHDAY"]; n != "" {
		often += " on day " + plain(n)
	}
	if until := moment(property{value: parts["UNTIL"]}); until != "" {
		often += ", until " + until
	}
	if n := parts["COUNT"]; n != "" {
		often += ", " + plain(n) + " times"
	}
	return often
}

// days names days of the week, "MO,2TU,-1FR" (RFC 5545 section 3.3.10), the first few.
func days(list string) string {
	names := map[string]string{"MO": "Mon", "TU": "Tue", "WE": "Wed", "TH": "Thu", "FR": "Fri", "SA": "Sat", "SU": "Sun"}
	which := map[string]string{"": "", "1": "1st ", "2": "2nd ", "3": "3rd ", "4": "4th ", "5": "5th ", "-1": "last "}
	var all []string
	for day := range strings.SplitSeq(list, ",") {
		day = strings.TrimSpace(day)
		if len(day) < 2 || len(all) == 7 {
			break
		}
		n, known := which[strings.TrimPrefix(day[:len(day)-2], "+")]
		if name := names[day[len(day)-2:]]; known && name != "" {
			all = append(all, n+name)
		}
	}
	return strings.Join(all, ", ")
}

// person is an organizer or attendee: their name, or their address.
func person(p property) string {
	if name := plain(p.params["CN"]); name != "" {
		return name
	}
	v := p.value
	if len(v) > len("mailto:") && strings.EqualFold(v[:len("mailto:")], "mailto:") {
		v = v[len("mailto:"):]
	}
	return plain(v)
}

// plain undoes the escaping of text (RFC 5545 section 3.3.11), on one line.
func plain(v string) string {
	v = strings.NewReplacer(`\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(v)
	v = strings.Join(strings.Fields(v), " ")
	if len(v) > maxValue {
		v = strings.ToValidUTF8(v[:maxValue], "") + "..."
	}
	return v
}
