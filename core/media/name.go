package media

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxName = 120 // bytes

// fileName makes a name that is safe wherever it ends up: one path element, nothing invisible, nothing that turns the
// direction of writing, and an extension that fits the type.
func fileName(name, kind string) string {
	name = strings.ToValidUTF8(name, "_")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(nameRune, name)
	name = strings.Join(strings.Fields(name), " ")
	name = strings.Trim(name, " .")
	if name == "" {
		name = "file"
	}
	return withExtension(name, kind)
}

// nameRune drops or replaces what has no place in a name.
func nameRune(c rune) rune {
	switch {
	case strings.ContainsRune(`:*?"<>|`, c):
		return '_'
	case c == utf8.RuneError, unicode.Is(unicode.Co, c), unicode.Is(unicode.Noncharacter_Code_Point, c):
		return '_'
	case unicode.IsSpace(c):
		return ' '
	case unicode.IsControl(c), unicode.Is(unicode.Cf, c), unicode.Is(unicode.Bidi_Control, c), isFiller(c):
		return -1
	}
	return c
}

// isFiller says whether a character looks like nothing, though it counts as a letter.
func isFiller(c rune) bool {
	return c == 0x3164 || c == 0x115f || c == 0x1160 || c == 0xffa0 || c == 0x2800
}

// withExtension shortens a name, and adds the type's extension if it has none that fits.
func withExtension(name, kind string) string {
	ext := path.Ext(name)
	if len(ext) < 2 || len(ext) > 12 || strings.Contains(ext, " ") {
		ext = ""
	}
	stem := name[:len(name)-len(ext)]
	switch k := kindOf(kind); {
	case k != nil && len(k.extensions) > 0 && !slices.Contains(k.extensions, strings.ToLower(ext)):
		stem, ext = name, k.extensions[0]
	case kind == "text/plain" && ext == "":
		ext = ".txt"
	}
	if n := maxName - len(ext); len(stem) > n {
		for n > 0 && !utf8.RuneStart(stem[n]) {
			n--
		}
		stem = strings.TrimRight(stem[:n], " .")
	}
	if stem == "" {
		stem = "file"
	}
	return stem + ext
}
