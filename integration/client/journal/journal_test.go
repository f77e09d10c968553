package journal_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/integration/client/journal"
)

func even(n int) bool { return n%2 == 0 }

func TestWaitSeesWhatCameBefore(t *testing.T) {
	var j journal.Journal[int]
	for _, n := range []int{1, 2, 3, 4} {
		j.Append(n)
	}
	for _, want := range []int{2, 4} {
		if got, err := j.Wait(t.Context(), even); err != nil || got != want {
			t.Fatalf("Wait = %d, %v; want %d", got, err, want)
		}
	}
	if n, ok := j.Take(even); ok {
		t.Fatalf("%d was handed out twice", n)
	}
	if n, ok := j.Take(func(int) bool { return true }); !ok || n != 1 {
		t.Fatalf("Take = %d, %v; want the 1 that was passed over", n, ok)
	}
	if all := j.All(); !slices.Equal(all, []int{1, 2, 3, 4}) {
		t.Fatalf("All = %v", all)
	}
}

func TestWaitSeesWhatComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal.Journal[int]
		go func() {
			j.Append(1)
			time.Sleep(time.Second)
			j.Append(2)
		}()
		if got, err := j.Wait(t.Context(), even); err != nil || got != 2 {
			t.Fatalf("Wait = %d, %v", got, err)
		}
	})
}

func TestTwoWaitersNeverShareAnEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal.Journal[int]
		got := make(chan int, 2)
		for range 2 {
			go func() {
				n, err := j.Wait(t.Context(), even)
				if err != nil {
					t.Error(err)
				}
				got <- n
			}()
		}
		synctest.Wait()
		j.Append(2)
		j.Append(4)
		if sum := <-got + <-got; sum != 6 {
			t.Fatalf("sum = %d", sum)
		}
	})
}

func TestWaitInVainTellsWhatWasThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal.Journal[int]
		j.Append(17)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := j.Wait(ctx, even)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "[17]") {
			t.Fatalf("err = %v", err)
		}
	})
}

func TestCloseEndsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal.Journal[int]
		done := make(chan error)
		go func() {
			_, err := j.Wait(t.Context(), even)
			done <- err
		}()
		synctest.Wait()
		j.Close(io.EOF)
		j.Close(io.ErrNoProgress)
		if err := <-done; !errors.Is(err, io.EOF) {
			t.Fatalf("err = %v", err)
		}
		j.Append(2) // a straggler is still found
		if n, err := j.Wait(t.Context(), even); err != nil || n != 2 {
			t.Fatalf("Wait = %d, %v", n, err)
		}
	})
}
