//go:build integration

package integration

import "fmt"

func archiveScenarios() []scenario {
	return []scenario{{"slixmpp leafs through the archive of a room (45)", archiveInPages}}
}

// archiveInPages: more messages than a page holds, in order, none twice; the pages are the client's, by RSM.
func archiveInPages(s *stage) {
	p := s.newPerson()
	room, other := p.channel()
	p.enter(room, p.name)
	const n = 7
	for i := range n {
		if err := other.Privmsg("#of-"+p.name, fmt.Sprintf("line %d", i)); err != nil {
			s.Fatal(err)
		}
	}
	p.wait("the last line", bodyHas(fmt.Sprintf("line %d", n-1)))
	out := p.slixmpp(step{"step": "archive", "room": room, "page": 2}, step{"step": "archive", "room": room, "page": 3, "backwards": true})
	for i, o := range out {
		messages, _ := o["messages"].([]any)
		var bodies []string
		for _, m := range messages {
			if b := outcome(m.(map[string]any)).text("body"); b != "" {
				bodies = append(bodies, b)
			}
		}
		seen := map[string]int{}
		for _, b := range bodies {
			seen[b]++
		}
		for k := range n {
			if seen[fmt.Sprintf("line %d", k)] != 1 {
				s.Errorf("walk %d: %q", i, bodies)
				break
			}
		}
		if i == 0 && (len(bodies) < n || bodies[len(bodies)-1] != fmt.Sprintf("line %d", n-1)) {
			s.Errorf("walk %d is out of order: %q", i, bodies)
		}
	}
}
