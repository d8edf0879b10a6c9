package desk

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

func TestParsePolicy(t *testing.T) {
	cases := map[string]struct {
		want  Policy
		wrong string
	}{
		"manager=steal":                {want: Policy{Label: "manager", Access: share.Steal}},
		"ci-*@1=read,clients=3":        {want: Policy{Label: "ci-*", Line: "1", Access: share.Read, Clients: 3}},
		"local=write,single,clients=1": {want: Policy{Label: "local", Access: share.Write, Clients: 1, Single: true}},
		"":                             {wrong: "access is missing"},
		"manager":                      {wrong: "access is missing"},
		"manager=":                     {wrong: `access "" is not known`},
		"manager=root":                 {wrong: `access "root" is not known`},
		"=read":                        {wrong: "empty"},
		"a@=read":                      {wrong: "empty"},
		"a=read,clients=0":             {wrong: "clients=0"},
		"a=read,clients=many":          {wrong: "not understood"},
		"a=read,twice":                 {wrong: "twice"},
	}
	for text, tc := range cases {
		got, err := ParsePolicy(text)
		if tc.wrong == "" && err != nil || tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)) {
			t.Errorf("%q: error %v, want %q", text, err, tc.wrong)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func newDesk(t *testing.T, policies ...string) *Desk {
	t.Helper()
	o := Options{Lines: []*share.Line{share.NewLine("0", share.Options{}), share.NewLine("1", share.Options{})}, Most: 5}
	for _, text := range policies {
		p, err := ParsePolicy(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Policies = append(o.Policies, p)
	}
	return New(o)
}

func TestWhoIsLetIn(t *testing.T) {
	policies := []string{"reader=read", "ci-*@1=write,clients=1", "local=write,single", "boss=steal", "ci-late=read"}
	cases := map[string]struct {
		request Request
		want    string // reason; "" for let in
	}{
		"a label without a policy":            {Request{Label: "stranger", Line: "0"}, NoPolicy},
		"no label":                            {Request{Line: "0"}, NoPolicy},
		"a star is no label":                  {Request{Label: "*", Line: "0"}, NoPolicy},
		"a reader who reads":                  {Request{Label: "reader", Line: "0"}, ""},
		"a reader who writes":                 {Request{Label: "reader", Line: "0", Access: share.Write}, Forbidden},
		"a writer who steals":                 {Request{Label: "local", Line: "0", Access: share.Steal}, Forbidden},
		"an access that nobody knows":         {Request{Label: "boss", Line: "0", Access: "all"}, Forbidden},
		"a prefix on its line":                {Request{Label: "ci-7", Line: "1", Access: share.Write}, ""},
		"a prefix on another line":            {Request{Label: "ci-7", Line: "0"}, NoPolicy},
		"the first policy counts":             {Request{Label: "ci-late", Line: "1", Access: share.Write}, ""},
		"the next one when that is not of it": {Request{Label: "ci-late", Line: "0"}, ""},
		"a line that there is not":            {Request{Label: "boss", Line: "2"}, NoLine},
		"the boss":                            {Request{Label: "boss", Line: "1", Access: share.Steal}, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, policies...)
			seat, err := d.Attach(tc.request)
			if got := reason(t, err); got != tc.want {
				t.Fatalf("reason %q (%v), want %q", got, err, tc.want)
			}
			if err != nil {
				if got := d.Attached(); len(got) != 0 || d.all != 0 {
					t.Errorf("denied, and attached: %+v", got)
				}
				return
			}
			if got := d.Attached(); len(got) != 1 || got[0].Target != tc.request.Line+" "+tc.request.Label {
				t.Errorf("attached: %+v", got)
			}
			seat.Detach()
			seat.Detach()
			if got := d.Attached(); len(got) != 0 || d.all != 0 {
				t.Errorf("still attached: %+v, %d", got, d.all)
			}
		})
	}
}

// reason is the reason of a *Denied; any other error is wrong.
func reason(t *testing.T, err error) string {
	t.Helper()
	var d *Denied
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &d):
		t.Fatalf("%v is no *Denied", err)
	}
	return d.Reason
}

func TestLimits(t *testing.T) {
	d := newDesk(t, "one=read,clients=2", "other=read", "single=write,single")
	attach := func(label string, access share.Access, want string) *Seat {
		t.Helper()
		seat, err := d.Attach(Request{Label: label, Line: "0", Access: access})
		if got := reason(t, err); got != want {
			t.Fatalf("%s: reason %q (%v), want %q", label, got, err, want)
		}
		return seat
	}
	first := attach("one", share.Read, "")
	attach("one", share.Read, "")
	attach("one", share.Read, InsufficientQuota)
	writer := attach("single", share.Write, "")
	attach("single", share.Write, Busy)
	attach("single", share.Read, "")
	attach("other", share.Read, "")
	attach("other", share.Read, InsufficientQuota) // five in all
	writer.Detach()
	attach("single", share.Write, "")
	first.Detach()
	attach("one", share.Read, "")
	d.options.Lines[0].Close("the agent ends")
	writer.Detach()
	d.options.Most = 100
	attach("other", share.Read, Closed)
}

func TestSeatsAreGivenBackUnderLoad(t *testing.T) {
	d := newDesk(t, "c=steal,clients=1000")
	d.options.Most = 1000
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				seat, err := d.Attach(Request{Label: "c", Line: "0", Access: share.Steal})
				if err != nil {
					t.Error(err)
					return
				}
				go seat.Detach() // twice at the same time
				seat.Detach()
			}
		})
	}
	all.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all != 0 || len(d.Attached()) != 0 {
		t.Errorf("%d places are taken, %d clients attached", d.all, len(d.Attached()))
	}
}
