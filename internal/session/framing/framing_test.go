package framing_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/genode-operator/genode-operator/internal/session/framing"
)

const profile = "<profile>\n\t<events>\n\t\t<event type=\"START\" task-id=\"0\" time-stamp=\"276766\"/>\n" +
	"\t\t<event type=\"EXIT\" task-id=\"0\" time-stamp=\"276776\"/>\n\t</events>\n</profile>\n"

const live = `<live><task-descriptions>
<task id="3" foc_id="7" execution-time="12" priority="127" core="1" policy-id="0" state="5" arrival-time="5" start-time="6" exit-time="20" session="init -&gt; taskloader -&gt; 00.hey" thread="ep" ram_quota="1024" ram_used="4"/>
<task id="0" foc_id="0" execution-time="0" priority="0" core="0" policy-id="0" state="0" arrival-time="0" start-time="0" exit-time="0" session="" thread="" ram_quota="0" ram_used="0"/>
</task-descriptions></live>`

func frame(text string) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(text)+1)), text+"\x00"...)
}

func TestDecode(t *testing.T) {
	events := []framing.Event{{"START", 0, 276766}, {"EXIT", 0, 276776}}
	cases := map[string]struct {
		text    string
		want    framing.Document
		wantErr string
	}{
		"a pushed profile":            {text: profile + "\x00", want: framing.Document{Events: events}},
		"a stale tail before the NUL": {text: profile + "=\"12345\"/>\n\t</events>\n</profile>\n\x00", want: framing.Document{Events: events}},
		"garbage after the end tag":   {text: profile + "\x00\xff<<&", want: framing.Document{Events: events}},
		"no events":                   {text: "<profile><events/></profile>", want: framing.Document{}},
		"an empty profile":            {text: "<profile/>", want: framing.Document{}},
		"unknown types and ids":       {text: `<profile><events><event type="DANCED" task-id="77" time-stamp="1"/></events></profile>`, want: framing.Document{Events: []framing.Event{{"DANCED", 77, 1}}}},
		"missing attributes":          {text: `<profile><events><event/></events></profile>`, want: framing.Document{Events: []framing.Event{{"", -1, 0}}}},
		"elements that nobody knows":  {text: `<profile><x><event type="A"/></x><events><y/><event type="EXIT" task-id="1" time-stamp="2"><task id="x"/></event></events></profile>`, want: framing.Document{Events: []framing.Event{{"EXIT", 1, 2}}}},
		"a live frame":                {text: live, want: framing.Document{Live: true, Threads: []framing.Thread{{ID: 3, Session: "init -> taskloader -> 00.hey", Name: "ep", State: 5, Priority: 127, Core: 1, ExecutionTime: 12, ArrivalTime: 5, StartTime: 6, ExitTime: 20, RAMQuota: 1024, RAMUsed: 4}, {}}}},
		"nothing":                     {text: "", wantErr: "ends before its root"},
		"no XML":                      {text: "hello", wantErr: "ends before its root"},
		"half a document":             {text: profile[:60], wantErr: "malformed document of 60 bytes"},
		"another root":                {text: "<config/>", wantErr: `the root is "config"`},
		"a stamp that is no number":   {text: `<profile><events><event time-stamp="soon"/></events></profile>`, wantErr: `time-stamp="soon"`},
		"a live id that is no number": {text: `<live><task-descriptions><task id="x"/></task-descriptions></live>`, wantErr: `id="x"`},
		"tags that do not match":      {text: "<profile><events></profile>", wantErr: "malformed"},
		"very deep":                   {text: "<profile>" + strings.Repeat("<a>", 20), wantErr: "deeper than 16"},
		"bytes that are no text":      {text: "<profile>\xff\xfe</profile>", wantErr: "malformed"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := framing.Decode([]byte(tc.text))
			if tc.wantErr != "" {
				if !errors.Is(err, framing.ErrMalformed) || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("error %v, want a malformed one that says %q", err, tc.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeBoundsTheNumberOfEvents(t *testing.T) {
	text := "<profile><events>" + strings.Repeat("<event/>", framing.MaxEntries+1) + "</events></profile>"
	if _, err := framing.Decode([]byte(text)); err == nil || !strings.Contains(err.Error(), "more than 262144") {
		t.Errorf("error %v", err)
	}
}

// items feeds the stream in pieces of the given size and renders what comes out.
func items(stream []byte, piece int, expect framing.Expect) (out []string, err error) {
	s := framing.Splitter{Max: 1 << 20}
	for len(stream) > 0 {
		n := min(piece, len(stream))
		s.Add(stream[:n])
		stream = stream[n:]
		for {
			item, ok, err := s.Next(expect)
			if err != nil {
				return out, err
			}
			if !ok {
				break
			}
			out = append(out, fmt.Sprint(item.Kind, string(item.Body)))
		}
	}
	if s.Pending() > 0 {
		out = append(out, fmt.Sprintf("pending %d", s.Pending()))
	}
	return out, nil
}

func TestSplitter(t *testing.T) {
	goSend := framing.AppendWords(nil, framing.GoSend)
	echo := framing.AppendWords(nil, framing.Available)
	doc144 := "<profile>" + strings.Repeat(" ", 143-19) + "</profile>"
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	cases := map[string]struct {
		stream  []byte
		expect  framing.Expect
		want    []string
		wantErr string
	}{
		"a frame":                      {stream: frame(profile), want: []string{"0" + profile + "\x00"}},
		"glued frames":                 {stream: join(frame("<profile/>"), frame("<live/>")), want: []string{"0<profile/>\x00", "0<live/>\x00"}},
		"a frame where GoSend is due":  {stream: join(frame(profile), goSend), expect: framing.Expect{GoSend: true}, want: []string{"0" + profile + "\x00", "1"}},
		"GoSend and a frame behind it": {stream: join(goSend, frame(profile)), expect: framing.Expect{GoSend: true}, want: []string{"1", "0" + profile + "\x00"}},
		"a frame of 144 bytes":         {stream: frame(doc144), want: []string{"0" + doc144 + "\x00"}},
		"an echo":                      {stream: join(echo, frame("<live/>")), expect: framing.Expect{Echo: true}, want: []string{"2", "0<live/>\x00"}},
		"half a frame":                 {stream: frame(profile)[:100], want: []string{"pending 100"}},
		"half a length":                {stream: []byte{1, 2}, want: []string{"pending 2"}},
		"a huge length":                {stream: []byte{0xff, 0xff, 0xff, 0x7f}, wantErr: "a frame of 2147483647"},
		"no length":                    {stream: []byte{0, 0, 0, 0}, wantErr: "a frame of 0"},
		"GoSend that nobody waits for": {stream: join(goSend, echo), wantErr: `a frame of 144 bytes begins with`},
		"garbage at the first byte":    {stream: []byte{9, 0, 0, 0, 'x'}, wantErr: `begins with 'x'`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, piece := range []int{1, 3, 4, 5, 1 << 16} {
				if piece < 8 && name == "a frame of 144 bytes" {
					continue
				}
				got, err := items(tc.stream, piece, tc.expect)
				if tc.wantErr != "" {
					if !errors.Is(err, framing.ErrMalformed) || !strings.Contains(err.Error(), tc.wantErr) {
						t.Fatalf("pieces of %d: error %v, want a malformed one that says %q", piece, err, tc.wantErr)
					}
					continue
				}
				if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
					t.Errorf("pieces of %d: error %v, items (-want +got):\n%s", piece, err, diff)
				}
			}
		})
	}
	t.Run("a frame of 144 bytes is not GoSend", func(t *testing.T) {
		got, err := items(frame(doc144), 1<<16, framing.Expect{GoSend: true})
		if diff := cmp.Diff([]string{"0" + doc144 + "\x00"}, got); diff != "" || err != nil {
			t.Errorf("error %v, items (-want +got):\n%s", err, diff)
		}
	})
}

func TestMessagesByteForByte(t *testing.T) {
	got := framing.AppendWords(nil, framing.Clear)
	got = framing.AppendDescription(got, []byte("<taskset>"))
	got = framing.AppendWords(got, framing.SendBinaries, 1)
	got, err := framing.AppendBinaryHeader(got, "hey", 44372)
	if err != nil {
		t.Fatal(err)
	}
	got = framing.AppendWords(got, framing.Start, framing.Stop, framing.Available, framing.GetProfile, framing.GetLive, framing.GoSend)
	want := "e60d0000" + "e50d0000" + "09000000" + "3c7461736b7365743e" + "1ef1e50d" + "01000000" +
		"68657900000000000000000000000000" + "54ad0000" + "e54d5100" + "e64d5100" + "aaaa0a00" + "d1590100" + "d2590100" + "90000000"
	if diff := cmp.Diff(want, hex.EncodeToString(got)); diff != "" {
		t.Errorf("bytes (-want +got):\n%s", diff)
	}
}

func TestBinaryHeaderRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		size int
	}{{"", 1}, {"abcdefghijklmnop", 1}, {"a\x00b", 1}, {"a b", 1}, {"é", 1}, {"a", -1}, {"a", 1 << 31}} {
		if _, err := framing.AppendBinaryHeader(nil, tc.name, tc.size); err == nil {
			t.Errorf("name %q, size %d: accepted", tc.name, tc.size)
		}
	}
	if _, err := framing.AppendBinaryHeader(nil, "abcdefghijklmno", 1); err != nil {
		t.Errorf("15 characters: %v", err)
	}
}

func TestStamps(t *testing.T) {
	cases := map[string]struct{ raw, want []int64 }{
		"no wrap":                     {[]int64{5, 10, 7, 4000000}, []int64{5, 10, 7, 4000000}},
		"one wrap":                    {[]int64{4294960, 3, 10}, []int64{4294960, 4294970, 4294977}},
		"out of order over the wrap":  {[]int64{4294960, 3, 4294966, 4}, []int64{4294960, 4294970, 4294966, 4294971}},
		"two wraps":                   {[]int64{4294960, 3, 3000000, 5}, []int64{4294960, 4294970, 7294967, 8589939}},
		"a first stamp that is large": {[]int64{4294960, 4294961}, []int64{4294960, 4294961}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var s framing.Stamps
			var got []int64
			for _, raw := range tc.raw {
				got = append(got, s.Repair(raw))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("stamps (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{profile, profile + "x=\"1\"/>\n</profile>\n\x00", live, "<profile/>", "<profile><events>", "", "<a>", "<!DOCTYPE x [<!ENTITY a \"b\">]><profile>&a;</profile>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, err := framing.Decode(body)
		if err != nil {
			if !errors.Is(err, framing.ErrMalformed) {
				t.Fatalf("error %v is not ErrMalformed", err)
			}
			return
		}
		again, err := framing.Decode(append(bytes.Clone(body), "\x00<tail \xff"...))
		if diff := cmp.Diff(doc, again); err != nil || diff != "" {
			t.Fatalf("a tail changes the document: %v\n%s", err, diff)
		}
	})
}

// FuzzSplitter: how the stream is cut by the network does not change what is in it.
func FuzzSplitter(f *testing.F) {
	f.Add(frame(profile), 3)
	f.Add(append(frame(profile), frame(live)...), 1)
	f.Add([]byte{0x90, 0, 0, 0, 9, 0, 0, 0, '<'}, 2)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 'x'}, 4)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		if piece < 1 || len(stream) > 1<<16 {
			return
		}
		whole, wholeErr := items(stream, len(stream)+1, framing.Expect{})
		cut, cutErr := items(stream, piece, framing.Expect{})
		if (wholeErr == nil) != (cutErr == nil) || !cmp.Equal(whole, cut) {
			t.Fatalf("whole: %q %v; in pieces of %d: %q %v", whole, wholeErr, piece, cut, cutErr)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for b.Loop() {
		if _, err := framing.Decode([]byte(profile)); err != nil {
			b.Fatal(err)
		}
	}
}
