package mailbox

import (
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// sentNames and junkNames are what those folders are called by mail programs, in lower case, where the server does not
// say what they are for (RFC 6154). Earlier ones are better.
func sentNames() []string {
	return []string{
		"sent", "sent items", "sent messages", "sent mail", "sent-mail", "sent objects", "sentmail",
		"gesendet", "gesendete objekte", "gesendete elemente", "gesendete nachrichten",
		"envoyés", "éléments envoyés", "messages envoyés", "objets envoyés", "courrier envoyé",
		"enviados", "elementos enviados", "correo enviado", "mensajes enviados", "itens enviados", "mensagens enviadas",
		"inviati", "inviata", "posta inviata", "elementi inviati", "verzonden", "verzonden items", "verzonden objecten",
		"skickat", "skickade objekt", "sendt", "sendte elementer", "sendt post", "lähetetyt", "lähetetyt viestit",
		"wysłane", "elementy wysłane", "odeslané", "odeslaná pošta", "odoslané", "elküldött", "elküldött elemek", //nolint:misspell // Polish
		"trimise", "poslano", "poslane", "gönderilmiş öğeler", "gönderilenler", "gönderilmiş",
		"отправленные", "отправленное", "надіслані", "изпратени", "απεσταλμένα", "נשלחו", "المرسل",
		"已发送", "已发送邮件", "已傳送郵件", "寄件備份", "送信済み", "送信済みアイテム", "送信済みメール", "보낸편지함", "보낸 편지함",
	}
}

func junkNames() []string {
	return []string{
		"junk", "spam", "junk e-mail", "junk email", "junk-e-mail", "junk mail", "bulk mail", "bulk",
		"spamverdacht", "unerwünscht", "werbung", "courrier indésirable", "indésirables", "pourriel",
		"correo no deseado", "no deseado", "lixo eletrônico", "lixo eletrónico", "posta indesiderata", "indesiderata",
		"ongewenste e-mail", "ongewenst", "skräppost", "søppelpost", "uønsket", "roskaposti", "wiadomości-śmieci",
		"nevyžádaná pošta", "levélszemét", "gereksiz", "önemsiz", "önemsiz e-posta", "спам", "нежелательная почта",
		"垃圾邮件", "垃圾郵件", "迷惑メール", "스팸편지함", "스팸",
	}
}

// folders are the names of folders by what they are for.
type folders map[Folder]string

// findFolders asks the server. Some have folders with names that no parser takes, which ends the connection: then the
// next one tries the best known names instead.
func (b *Box) findFolders(c *conn) (folders, error) {
	if b.unlistable {
		return c.probeFolders()
	}
	b.unlistable = true
	found, err := c.listFolders()
	if err == nil || isAnswer(err) {
		b.unlistable = false
	}
	if isAnswer(err) {
		return c.probeFolders()
	}
	return found, err
}

func (c *conn) listFolders() (folders, error) {
	var options *imap.ListOptions
	if c.caps.Has(imap.CapSpecialUse) && c.caps.Has(imap.CapListExtended) {
		options = &imap.ListOptions{ReturnSpecialUse: true}
	}
	pick := newPicker()
	err := c.do(answerBounds, func() error {
		list := c.client.List("", "*", options)
		for f := list.Next(); f != nil; f = list.Next() {
			pick.see(f)
		}
		return list.Close()
	})
	return pick.names(), err
}

// picker picks folders from a list that may be long.
type picker struct {
	known map[Folder][]string
	best  map[Folder]int // the lower the better
	name  folders
}

func newPicker() *picker {
	return &picker{
		known: map[Folder][]string{Sent: sentNames(), Junk: junkNames()},
		best:  map[Folder]int{},
		name:  folders{},
	}
}

func (p *picker) see(f *imap.ListData) {
	if slices.Contains(f.Attrs, imap.MailboxAttrNoSelect) || slices.Contains(f.Attrs, imap.MailboxAttrNonExistent) {
		return
	}
	p.offer(Sent, f, imap.MailboxAttrSent)
	p.offer(Junk, f, imap.MailboxAttrJunk)
}

func (p *picker) offer(as Folder, f *imap.ListData, attr imap.MailboxAttr) {
	rank := 0
	if !slices.Contains(f.Attrs, attr) {
		if rank = slices.Index(p.known[as], plainName(f)) + 1; rank == 0 {
			return
		}
	}
	if best, ok := p.best[as]; !ok || rank < best {
		p.best[as], p.name[as] = rank, f.Mailbox
	}
}

// plainName is a folder's name without the inbox that some servers put all others into.
func plainName(f *imap.ListData) string {
	name := strings.ToLower(f.Mailbox)
	if f.Delim == 0 {
		return name
	}
	rest, _ := strings.CutPrefix(name, "inbox"+strings.ToLower(string(f.Delim)))
	return rest
}

func (p *picker) names() folders { return p.name }

// probeFolders looks for the best known names, one by one.
func (c *conn) probeFolders() (folders, error) {
	found := folders{}
	for as, names := range map[Folder][]string{
		Sent: {"Sent", "INBOX.Sent", "INBOX/Sent", "Sent Items", "Sent Messages", "[Gmail]/Sent Mail"},
		Junk: {"Junk", "INBOX.Junk", "INBOX/Junk", "Spam", "INBOX.Spam", "Junk E-mail", "[Gmail]/Spam"},
	} {
		for _, name := range names {
			_, err := c.status(name)
			if err == nil {
				found[as] = name
				break
			}
			if !isAnswer(err) {
				return nil, err
			}
		}
	}
	return found, nil
}

// status asks about a folder that is not open.
func (c *conn) status(name string) (got *imap.StatusData, err error) {
	options := &imap.StatusOptions{NumMessages: true, UIDNext: true, UIDValidity: true}
	var command *imapclient.StatusCommand
	err = c.do(answerBounds, func() error {
		command = c.client.Status(name, options)
		got, err = command.Wait()
		return err
	})
	return got, err
}
