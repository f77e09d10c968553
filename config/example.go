package config

import _ "embed" // for the example

//go:embed example.toml
var example []byte

// Example returns the commented example of a configuration file.
func Example() []byte { return example }
