package calendar

import (
	"strings"
	"testing"
)

func object(lines ...string) string {
	return "BEGIN:VCALENDAR\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCALENDAR\r\n"
}

func TestSummary(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"invitation", object("METHOD:REQUEST", "BEGIN:VTIMEZONE", "BEGIN:STANDARD", "DTSTART:19700101T000000", "END:STANDARD", "END:VTIMEZONE",
			"BEGIN:VEVENT", "SUMMARY;LANGUAGE=en:Team lunch\\, all", "DTSTART;TZID=Europe/Berlin:20261102T120000",
			"DTEND;TZID=Europe/Berlin:20261102T130000", "LOCATION:Room 1\\nupstairs", `ORGANIZER;CN="Bob: B.":mailto:bob@example.com`,
			"RRULE:FREQ=WEEKLY;COUNT=3", "BEGIN:VALARM", "SUMMARY:x", "END:VALARM", "END:VEVENT"),
			"Invitation: Team lunch, all\nWhen: Mon 2026-11-02 12:00 - 13:00 (Europe/Berlin)\nRepeats: weekly, 3 times\nWhere: Room 1 upstairs\nOrganizer: Bob: B."},
		{"whole days", object("BEGIN:VEVENT", "SUMMARY:Fair", "DTSTART;VALUE=DATE:20261102", "DTEND;VALUE=DATE:20261105", "END:VEVENT"),
			"Event: Fair\nWhen: 2026-11-02 - 2026-11-04"},
		{"one day", object("BEGIN:VEVENT", "SUMMARY:Fair", "DTSTART;VALUE=DATE:20261102", "DTEND;VALUE=DATE:20261103", "END:VEVENT"),
			"Event: Fair\nWhen: 2026-11-02"},
		{"over midnight", object("BEGIN:VEVENT", "DTSTART:20261102T230000Z", "DTEND:20261103T010000Z", "END:VEVENT"),
			"Event: (no title)\nWhen: Mon 2026-11-02 23:00 - Tue 2026-11-03 01:00 (UTC)"},
		{"duration", object("BEGIN:VEVENT", "SUMMARY:Call", "DTSTART:20261102T230000Z", "DURATION:PT1H30M", "END:VEVENT"),
			"Event: Call\nWhen: Mon 2026-11-02 23:00 (UTC), 1 h 30 min"},
		{"changed", object("METHOD:REQUEST", "BEGIN:VEVENT", "SUMMARY:Lunch", "SEQUENCE:2", "END:VEVENT"), "Changed invitation: Lunch"},
		{"as before", object("METHOD:REQUEST", "BEGIN:VEVENT", "SUMMARY:Lunch", "SEQUENCE:0", "END:VEVENT"), "Invitation: Lunch"},
		{"proposal declined", object("METHOD:DECLINECOUNTER", "BEGIN:VEVENT", "SUMMARY:Lunch", "END:VEVENT"), "The proposed time is declined: Lunch"},
		{"on days", object("BEGIN:VEVENT", "SUMMARY:Gym", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4", "END:VEVENT"), "Event: Gym\nRepeats: weekly on Mon, Wed, 4 times"},
		{"on the second", object("BEGIN:VEVENT", "SUMMARY:Club", "RRULE:FREQ=MONTHLY;BYDAY=2TU,-1FR,9XX", "END:VEVENT"), "Event: Club\nRepeats: monthly on 2nd Tue, last Fri"},
		{"on a day", object("BEGIN:VEVENT", "SUMMARY:Rent", "RRULE:FREQ=MONTHLY;BYMONTHDAY=15", "END:VEVENT"), "Event: Rent\nRepeats: monthly on day 15"},
		{"cancelled", object("METHOD:CANCEL", "BEGIN:VEVENT", "SUMMARY:Lunch", "END:VEVENT"), "Cancelled: Lunch"},
		{"answer", object("METHOD:REPLY", "BEGIN:VEVENT", "SUMMARY:Lunch", "ATTENDEE;PARTSTAT=DECLINED:mailto:carol@example.com", "END:VEVENT"),
			"carol@example.com declined: Lunch"},
		{"task", object("BEGIN:VTODO", "SUMMARY:Pay", "DUE:20261102", "END:VTODO"), "Task: Pay\nDue: 2026-11-02"},
		{"folded", object("BEGIN:VEVENT", "SUMMARY:Lu", " nch", "END:VEVENT"), "Event: Lunch"},
		{"bare lines", "BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT", "Event: x"},
		{"two", object("BEGIN:VEVENT", "SUMMARY:a", "END:VEVENT", "BEGIN:VEVENT", "SUMMARY:b", "END:VEVENT"), "Event: a\n\nEvent: b"},
		{"many", object(strings.Repeat("BEGIN:VEVENT\nSUMMARY:a\nEND:VEVENT\n", 50)), strings.Repeat("Event: a\n\n", 5) + "..."},
		{"none", object(), ""},
		{"nothing", "", ""},
		{"no calendar", "hello: there\nyou", ""},
		{"long", object("BEGIN:VEVENT", "SUMMARY:"+strings.Repeat("é", 500), "END:VEVENT"), "Event: " + strings.Repeat("é", 150) + "..."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Summary(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzSummary(f *testing.F) {
	f.Add(object("METHOD:REPLY", "BEGIN:VEVENT", "SUMMARY:x", "DTSTART:20261102T230000Z", "DURATION:P1D", "RRULE:FREQ=DAILY;UNTIL=20270101", "END:VEVENT"))
	f.Fuzz(func(t *testing.T, in string) {
		if got := Summary(in); len(got) > (maxEntries+1)*10*(maxValue+20) {
			t.Errorf("%d bytes", len(got))
		}
	})
}
