package mime

import (
	"strings"
)

// encrypted notes that there is something that nobody but the owner of a key can read.
func (b *bodyFinder) encrypted(how string) {
	b.Encrypted = how
	b.add("[" + how + " encrypted mail]")
}

// signer is how a multipart/signed is signed.
func signer(p *Part) string {
	switch strings.ToLower(p.Params["protocol"]) {
	case "application/pkcs7-signature", "application/x-pkcs7-signature":
		return "S/MIME"
	case "application/pgp-signature":
		return "OpenPGP"
	}
	for _, child := range p.Parts {
		if strings.HasSuffix(child.Type, "pkcs7-signature") {
			return "S/MIME"
		}
	}
	return "OpenPGP"
}

func (p *Part) isPKCS7() bool {
	return p.Type == "application/pkcs7-mime" || p.Type == "application/x-pkcs7-mime"
}

// pkcs7 shows what is only signed, and marks what is encrypted (RFC 8551 section 3.2.2).
func (b *bodyFinder) pkcs7(p *Part) {
	kind := strings.ToLower(p.Params["smime-type"])
	if kind == "certs-only" {
		b.Files = append(b.Files, p)
		return
	}
	if kind != "enveloped-data" && kind != "authenveloped-data" {
		if content := signedContent(p.Content(p.msg.limits.Decoded)); content != nil {
			if m := p.inner(content); m != nil {
				b.Signed = "S/MIME"
				b.part(m.Root)
				return
			}
		}
	}
	b.encrypted("S/MIME")
	b.Files = append(b.Files, p)
}

const (
	pgpMessage   = "-----BEGIN PGP MESSAGE-----"
	pgpEnd       = "-----END PGP MESSAGE-----"
	pgpSigned    = "-----BEGIN PGP SIGNED MESSAGE-----"
	pgpSignature = "-----BEGIN PGP SIGNATURE-----"
	pgpSigEnd    = "-----END PGP SIGNATURE-----"
)

// inlinePGP shows text that may have OpenPGP in it (RFC 9580 sections 6.2 and 7): what is encrypted becomes a file, and
// what is signed is shown without the signature.
func (b *bodyFinder) inlinePGP(p *Part, text string) {
	if before, rest, ok := cutLine(text, pgpMessage); ok {
		block, after, closed := cutLine(rest, pgpEnd)
		if !closed {
			block, after = rest, ""
		}
		b.add(before)
		b.encrypted("OpenPGP")
		b.Files = append(b.Files, p.made("message.asc", "application/pgp-encrypted-text", []byte(pgpMessage+"\n"+block+pgpEnd+"\n")))
		b.add(after)
		return
	}
	if before, rest, ok := cutLine(text, pgpSigned); ok {
		if signed, rest, ok := cutLine(rest, pgpSignature); ok {
			_, after, _ := cutLine(rest, pgpSigEnd)
			if _, body, ok := strings.Cut(signed, "\n\n"); ok { // the armor's own header
				signed = body
			}
			signed = strings.TrimPrefix(signed, "- ")
			b.Signed = "OpenPGP"
			text = strings.Trim(before+strings.ReplaceAll(signed, "\n- ", "\n")+after, "\n")
		}
	}
	b.add(text)
}

// cutLine cuts a text around a line.
func cutLine(text, line string) (before, after string, found bool) {
	for from := 0; ; {
		i := strings.Index(text[from:], line)
		if i < 0 {
			return text, "", false
		}
		i += from
		from = i + len(line)
		rest := strings.TrimLeft(text[from:], " \t")
		if (i == 0 || text[i-1] == '\n') && (rest == "" || rest[0] == '\n') {
			return text[:i], strings.TrimPrefix(rest, "\n"), true
		}
	}
}
