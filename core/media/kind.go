package media

import (
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
)

const anyType = "application/octet-stream"

// kind is a media type with the extensions that say it, the usual one first.
type kind struct {
	name       string
	extensions []string
}

// kinds are the types whose files must have a fitting extension: clients go by it. The list is our own, because Go's
// differs from machine to machine.
var kinds = []kind{
	{"image/jpeg", []string{".jpg", ".jpeg", ".jpe", ".jfif"}},
	{"image/png", []string{".png"}},
	{"image/gif", []string{".gif"}},
	{"image/webp", []string{".webp"}},
	{"image/avif", []string{".avif"}},
	{"image/heic", []string{".heic", ".heif"}},
	{"image/bmp", []string{".bmp"}},
	{"image/tiff", []string{".tif", ".tiff"}},
	{"image/svg+xml", []string{".svg"}},
	{"audio/mpeg", []string{".mp3", ".mpga"}},
	{"audio/mp4", []string{".m4a", ".mp4"}},
	{"audio/aac", []string{".aac", ".m4a"}},
	{"audio/ogg", []string{".ogg", ".oga", ".opus"}},
	{"audio/opus", []string{".opus", ".ogg"}},
	{"audio/wav", []string{".wav"}},
	{"audio/flac", []string{".flac"}},
	{"audio/amr", []string{".amr"}},
	{"audio/midi", []string{".mid", ".midi"}},
	{"video/mp4", []string{".mp4", ".m4v"}},
	{"video/webm", []string{".webm"}},
	{"video/ogg", []string{".ogv", ".ogg"}},
	{"video/quicktime", []string{".mov", ".qt"}},
	{"video/3gpp", []string{".3gp", ".3gpp"}},
	{"video/x-matroska", []string{".mkv"}},
	{"video/avi", []string{".avi"}},
	{"application/pdf", []string{".pdf"}},
	{"application/zip", nil}, // half of what offices write is one, under a name of its own
	{"application/gzip", []string{".gz", ".tgz"}},
	{"text/vcard", []string{".vcf"}},
	{"text/calendar", []string{".ics"}},
	{"text/csv", []string{".csv"}},
	{"text/html", []string{".html", ".htm"}},
	{"message/rfc822", []string{".eml"}},
}

// aliases are other names of the same types, as programs write them.
var aliases = map[string]string{
	"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png", "image/heif": "image/heic",
	"audio/mp3": "audio/mpeg", "audio/x-mpeg": "audio/mpeg", "audio/wave": "audio/wav", "audio/x-wav": "audio/wav",
	"audio/vnd.wave": "audio/wav", "audio/x-m4a": "audio/mp4", "audio/x-flac": "audio/flac", "application/ogg": "audio/ogg",
	"application/x-pdf": "application/pdf", "application/x-gzip": "application/gzip", "video/x-msvideo": "video/avi",
	"application/x-zip-compressed": "application/zip", "text/x-vcard": "text/vcard", "text/directory": "text/vcard",
}

func kindOf(name string) *kind {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return nil
	}
	return &kinds[i]
}

// byExtension is the type that a name promises; empty if none is known.
func byExtension(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if ext == "" {
		return ""
	}
	for _, k := range kinds {
		if slices.Contains(k.extensions, ext) {
			return k.name
		}
	}
	return ""
}

// baseType is a media type without parameters, in lower case and under its usual name; empty if it is none.
func baseType(claimed string) string {
	t, _, err := mime.ParseMediaType(claimed)
	if major, minor, ok := strings.Cut(t, "/"); err != nil && t == "" || !ok || major == "" || minor == "" || len(t) > 100 {
		return ""
	}
	if a := aliases[t]; a != "" {
		return a
	}
	return t
}

// sniff is the type that a file's first bytes show; empty if they could be anything.
func sniff(head []byte) string {
	if len(head) >= 12 && string(head[4:8]) == "ftyp" { // Go knows only some brands of ISO media
		switch brand := string(head[8:12]); {
		case strings.HasPrefix(brand, "hei"), strings.HasPrefix(brand, "hev"), brand == "mif1", brand == "msf1":
			return "image/heic"
		case brand == "avif", brand == "avis":
			return "image/avif"
		case strings.HasPrefix(brand, "M4A"):
			return "audio/mp4"
		case strings.HasPrefix(brand, "3g"):
			return "video/3gpp"
		case brand == "qt  ":
			return "video/quicktime"
		}
		return "video/mp4"
	}
	switch t := baseType(http.DetectContentType(head)); t {
	case anyType:
		return ""
	case "text/xml": // SVG, feeds, office files: the head does not say which
		return ""
	default:
		return t
	}
}

// fileType is the type that a file is passed on with. What its sender says stands, unless its bytes show that it is
// something else: a page that calls itself a picture must not be passed on as one.
func fileType(claimed, name string, head []byte) string {
	said, seen := baseType(claimed), sniff(head)
	if said == "" || said == anyType || strings.HasPrefix(said, "multipart/") {
		said = byExtension(name)
	}
	switch {
	case said == "" && seen != "":
		return seen
	case said == "":
		return anyType
	case isMedium(seen):
		if sameContainer(said, seen) {
			return said
		}
		return seen
	case isMedium(said) && said != "image/svg+xml" && seen != "":
		return anyType
	}
	return said
}

// isMedium says whether a type is one that clients play or show by themselves.
func isMedium(t string) bool {
	return strings.HasPrefix(t, "image/") || strings.HasPrefix(t, "audio/") || strings.HasPrefix(t, "video/")
}

// sameContainer says whether the two may describe the same bytes: one container has many uses.
func sameContainer(said, seen string) bool {
	if said == seen {
		return true
	}
	switch seen {
	case "video/mp4", "audio/mp4", "video/3gpp", "video/quicktime":
		return slices.Contains([]string{"video/mp4", "audio/mp4", "video/3gpp", "audio/3gpp", "video/quicktime", "audio/aac"}, said)
	case "audio/ogg":
		return slices.Contains([]string{"audio/ogg", "audio/opus", "video/ogg"}, said)
	case "video/webm":
		return slices.Contains([]string{"video/webm", "audio/webm", "video/x-matroska"}, said)
	case "image/heic", "image/avif":
		return said == "image/heic" || said == "image/avif"
	}
	return false
}

// inline says whether a browser may show a type in place: it runs nothing in it.
func inline(t string) bool {
	switch t {
	case "text/plain", "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic", "image/bmp":
		return true
	}
	return strings.HasPrefix(t, "audio/") || strings.HasPrefix(t, "video/")
}
