//go:build integration

package integration

func ircMessageScenarios() []ircScenario { return nil }
