package isupport

import "strings"

// Change is one letter of a MODE.
type Change struct {
	On    bool
	Mode  byte
	Param string
}

// Changes takes a MODE apart: which letters have parameters is for the network to say (PREFIX, CHANMODES).
func (s *Support) Changes(modes string, params []string) []Change {
	var all []Change
	on := true
	for _, mode := range []byte(modes) {
		if mode == '+' || mode == '-' {
			on = mode == '+'
			continue
		}
		c := Change{On: on, Mode: mode}
		if s.takesParam(mode, on) && len(params) > 0 {
			c.Param, params = params[0], params[1:]
		}
		all = append(all, c)
	}
	return all
}

func (s *Support) takesParam(mode byte, on bool) bool {
	has := func(modes string) bool { return strings.IndexByte(modes, mode) >= 0 }
	return has(s.Modes) || has(s.ChanModes[0]) || has(s.ChanModes[1]) || on && has(s.ChanModes[2])
}
