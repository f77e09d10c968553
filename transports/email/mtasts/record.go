package mtasts

import "strings"

// recordID returns the id of the only record of MTA-STS among the TXT records of a domain (RFC 8461 section 3.1); empty
// if there is none, or more than one, or one that is not as it has to be.
func recordID(records []string) string {
	id, found := "", 0
	for _, r := range records {
		if isRecord(r) {
			id = idOf(r)
			found++
		}
	}
	if found != 1 {
		return ""
	}
	return id
}

func isRecord(r string) bool {
	version, _, ok := strings.Cut(r, ";")
	return ok && strings.TrimRight(version, " \t") == "v=STSv1"
}

func idOf(record string) string {
	id := ""
	_, fields, _ := strings.Cut(record, ";")
	for field := range strings.SplitSeq(fields, ";") {
		field = strings.Trim(field, " \t")
		if field == "" {
			continue
		}
		name, value, ok := strings.Cut(field, "=")
		if !ok || !isWord(name, 32) {
			return ""
		}
		if name != "id" {
			continue
		}
		if id != "" || !isWord(value, 32) || strings.ContainsAny(value, "_-.") {
			return ""
		}
		id = value
	}
	return id
}

// isWord says whether s has from 1 to most letters and digits; names of extensions may have _, - and ., too.
func isWord(s string, most int) bool {
	const word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
	return s != "" && len(s) <= most && strings.Trim(s, word) == ""
}
