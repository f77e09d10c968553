package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// gcPercent is how much garbage there may be for what is in use, in percent. Most of what a gateway holds is idle
// sessions, and it has processor time to spare: the collector runs twice as often as by default, and the program needs
// a quarter less memory. GOGC in the environment has the last word.
const gcPercent = 50

// thrift bounds the program's memory. It is called when everything is built and nothing runs yet: what building has
// needed, such as the buffers that migrations are read with, is returned to the system. Twice, since pools keep what
// they hold through one collection.
func thrift() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	runtime.GC()
	debug.FreeOSMemory()
}
