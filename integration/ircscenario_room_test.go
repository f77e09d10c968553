//go:build integration

package integration

func ircRoomScenarios() []ircScenario {
	return []ircScenario{
		{name: "join order", play: joinOrder},
	}
}

// Joining 1; behaviour 34: others, oneself with 100 and 110, the subject, even if it is empty.
func joinOrder(s *ircStage) {
	s.person("bob", "$chan")
	s.person("dave", "$chan")
	s.enter("$phone", "$bob", "$dave")
	s.quiet("$phone")
}
