package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

var errNotRoot = errors.New("the demo starts mail and chat servers under users of their own, which only root can do: " +
	"run it as root (a container or a virtual machine is a good place); it changes nothing outside its temporary directory")

// missing says, in a sentence, what this machine lacks for the demo.
func missing() error {
	if os.Geteuid() != 0 {
		return errNotRoot
	}
	return missingIn("/")
}

// missingIn looks for the servers where Debian's packages put them, under another root in tests.
func missingIn(root string) error {
	var lacks []string
	for _, path := range []string{"usr/bin/prosody", "usr/sbin/ngircd", "usr/sbin/postfix", "usr/sbin/dovecot"} {
		if info, err := os.Stat(filepath.Join(root, path)); err != nil || info.IsDir() {
			lacks = append(lacks, filepath.Base(path))
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	return fmt.Errorf("the demo needs servers that are not installed here: %s; "+
		"install them with: sh integration/packages.sh", strings.Join(lacks, ", "))
}
