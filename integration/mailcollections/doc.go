// Package mailcollections reads the collections of odd mail of other projects, which its tests fetch when they run.
package mailcollections
