package email

import (
	"strings"
	"time"
)

// phrases are the words that a mail has beside the user's own, in the language of what they wrote.
type phrases struct{ from, said, correction, reacted string }

// messageFrom is the subject of a conversation that has none.
func (p phrases) messageFrom(name string) string { return strings.Replace(p.from, "%s", name, 1) }

// wrote introduces a quotation. The date is the same in all languages.
func (p phrases) wrote(at time.Time, who string) string {
	return strings.NewReplacer("%d", at.UTC().Format("2006-01-02 15:04 UTC"), "%s", who).Replace(p.said)
}

// reaction says what a program that knows no reactions has to show.
func (p phrases) reaction(who, emoji string) string {
	return strings.NewReplacer("%s", who, "%e", emoji).Replace(p.reacted)
}

// phrasesIn returns those of a language, a BCP 47 tag; English where it is not known.
func phrasesIn(lang string) phrases {
	lang, _, _ = strings.Cut(strings.ToLower(lang), "-")
	switch lang {
	case "de":
		return phrases{"Nachricht von %s", "Am %d schrieb %s:", "Korrektur: ", "%s hat mit %e reagiert."}
	case "es":
		return phrases{"Mensaje de %s", "El %d, %s escribió:", "Corrección: ", "%s ha reaccionado con %e."}
	case "fr":
		return phrases{"Message de %s", "Le %d, %s a écrit :", "Correction : ", "%s a réagi avec %e."}
	case "it":
		return phrases{"Messaggio da %s", "Il %d, %s ha scritto:", "Correzione: ", "%s ha reagito con %e."}
	case "ja":
		return phrases{"%sからのメッセージ", "%d、%s のメッセージ:", "訂正: ", "%sが%eで反応しました。"}
	case "nl":
		return phrases{"Bericht van %s", "Op %d schreef %s:", "Correctie: ", "%s reageerde met %e."}
	case "pl":
		return phrases{"Wiadomość od %s", "%d %s napisał(a):", "Poprawka: ", "%s reaguje: %e."}
	case "pt":
		return phrases{"Mensagem de %s", "Em %d, %s escreveu:", "Correção: ", "%s reagiu com %e."}
	case "ru":
		return phrases{"Сообщение от %s", "%d %s пишет:", "Исправление: ", "%s: реакция %e."}
	case "sv":
		return phrases{"Meddelande från %s", "Den %d skrev %s:", "Rättelse: ", "%s reagerade med %e."}
	case "uk":
		return phrases{"Повідомлення від %s", "%d %s пише:", "Виправлення: ", "%s: реакція %e."}
	case "zh":
		return phrases{"来自 %s 的消息", "%s 于 %d 写道:", "更正: ", "%s 回应了 %e。"}
	}
	return phrases{"Message from %s", "On %d, %s wrote:", "Correction: ", "%s reacted with %e."}
}
