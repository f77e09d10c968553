// Package core holds the words, the doors and the hall of Gangway.
package core
