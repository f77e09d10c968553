//go:build integration

package serverstest_test
