// Package format turns text into what IRC carries and back: lines that fit, formatting characters, CTCP.
package format
