package irc

// onHistory is a page of what was said while we were away.
func (s *session) onHistory(b *batch) {}
