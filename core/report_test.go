package core_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// reporting is a session that says how it does.
type reporting struct{ *fakeSession }

func (r *reporting) Report() core.Report {
	if r.account.ID == alice.ID {
		return core.Report{Waiting: 3, Lag: time.Second, Within: time.Minute}
	}
	return core.Report{Waiting: 4, Lag: 2 * time.Second}
}

func (r *reporting) Facts() []string { return []string{"One.", "Another."} }

type reportingNet struct{ *fakeNet }

func (n reportingNet) Open(a core.Account) (core.Session, error) {
	return &reporting{&fakeSession{n.fakeNet, a}}, nil
}

func (reportingNet) Group(realm string) string {
	if realm == "named.test" {
		return realm
	}
	return "other"
}

func (reportingNet) Traffic() map[string]core.Traffic {
	return map[string]core.Traffic{"named.test": {In: 1, Out: 2}, "other": {In: 3, Out: 4}}
}

func newReporting(t *testing.T, net *fakeNet) *hall {
	t.Helper()
	d := net.driver(core.Driver{Session: (*reporting)(nil), Lane: core.Live})
	d.New = func(h core.Host, _ core.Decoder) (core.Transport, error) {
		net.host = h
		return reportingNet{net}, nil
	}
	return newHallOf(t, net, d)
}

// TestGroups counts sessions by the groups that the transport makes of realms.
func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newReporting(t, &fakeNet{})
		defer h.stop()
		for _, a := range []core.Account{alice, bob} { // in realms that nobody has named
			a.Realm = string(a.ID) + ".test"
			if err := h.With(t.Context(), a, use); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		all := h.Groups("fake")
		slices.SortFunc(all, func(a, b core.Group) int { return strings.Compare(a.Name, b.Name) })
		if len(all) != 2 || all[0].Name != "named.test" || len(all[0].Links) != 0 || all[0].Traffic != (core.Traffic{In: 1, Out: 2}) {
			t.Fatalf("groups %+v", all)
		}
		want := core.Report{Waiting: 7, Lag: 2 * time.Second, Within: time.Minute}
		if g := all[1]; g.Name != "other" || g.Links[core.Connecting] != 2 || g.Report != want || g.Out != 4 {
			t.Errorf("group %+v", g)
		}
		if got := h.Groups("nowhere"); got != nil {
			t.Errorf("groups %+v", got)
		}
	})
}

// TestStatusTellsWhatWas tells, of a connection, why there was none before, and when there will be one again.
func TestStatusTellsWhatWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		net.run = func(ctx context.Context, a core.Account, n int) error {
			if n == 1 {
				return &core.Error{Kind: core.Unavailable, Text: "It was lost.", After: time.Hour}
			}
			_ = net.host.Deliver(ctx, &core.Status{Ref: core.Ref{Account: a.ID}, Link: core.Connected})
			<-ctx.Done()
			return nil
		}
		h := newReporting(t, net)
		defer h.stop()
		if err := h.With(t.Context(), alice, use); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		lost := time.Now()
		time.Sleep(20 * time.Minute)
		if st := h.Status(alice.ID); st.Link != core.Waiting || st.Retry != 40*time.Minute || st.Err == nil {
			t.Errorf("status %+v", st)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		st := h.Status(alice.ID)
		if st.Link != core.Connected || st.Err != nil || st.Last == nil || st.Last.Text != "It was lost." || !st.LastAt.Equal(lost) {
			t.Errorf("status %+v", st)
		}
		if st.Report.Waiting != 3 || len(st.Facts) != 2 {
			t.Errorf("report %+v, facts %q", st.Report, st.Facts)
		}
	})
}
