package servers

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// workerGrace is how long a server's workers may outlive its main process before they are killed.
const workerGrace = 2 * time.Second

// awaitExit blocks until a child has ended and leaves it as a zombie, so that its id, which is also its session's id,
// is not given to anybody else meanwhile.
func awaitExit(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// clearSession returns when no process of the session lives. Those left after the grace, or once impatient says so,
// are killed: only then are the server's ports and locks free.
func clearSession(id int, impatient func() bool) {
	deadline := time.Now().Add(workerGrace)
	for len(sessionMembers(id)) > 0 {
		if impatient() || time.Now().After(deadline) {
			signalSession(id, syscall.SIGKILL)
		}
		time.Sleep(pollEvery / 4)
	}
}

// signalSession signals every process of the session, workers that moved to process groups of their own included.
// One that has ended since is no error, and one that may not be signalled shows as one that does not end.
func signalSession(id int, sig syscall.Signal) {
	for _, pid := range sessionMembers(id) {
		_ = syscall.Kill(pid, sig)
	}
}

// sessionMembers lists the live processes of a session; zombies have ended already.
func sessionMembers(id int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var members []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // it ended since
		}
		state, session, ok := parseStat(string(stat))
		if ok && session == id && state != "Z" && state != "X" {
			members = append(members, pid)
		}
	}
	return members
}

// parseStat reads state and session from /proc/PID/stat (proc(5)). The command's name, in brackets, may hold anything.
func parseStat(stat string) (state string, session int, ok bool) {
	i := strings.LastIndexByte(stat, ')')
	if i < 0 {
		return "", 0, false
	}
	fields := strings.Fields(stat[i+1:]) // state ppid pgrp session ...
	if len(fields) < 4 {
		return "", 0, false
	}
	session, err := strconv.Atoi(fields[3])
	return fields[0], session, err == nil
}
