// Package isupport is what a network says of itself in RPL_ISUPPORT (005): its CASEMAPPING, the ranks of its channels'
// members (PREFIX), which modes have parameters (CHANMODES), and its limits.
package isupport
