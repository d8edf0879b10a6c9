package refguest

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The bytes that a real target sent for one job.
const recorded = "9a000000" +
	"3c70726f66696c653e0a093c6576656e74733e0a" +
	"09093c6576656e7420747970653d22535441525422207461736b2d69643d2230222074696d652d7374616d703d22323736373636222f3e0a" +
	"09093c6576656e7420747970653d224558495422207461736b2d69643d2230222074696d652d7374616d703d22323736373736222f3e0a" +
	"093c2f6576656e74733e0a3c2f70726f66696c653e0a00"

func TestFrameIsByteForByteWhatATargetSends(t *testing.T) {
	got := frame(profile([]event{{kind: eventStart, id: 0, stamp: 276766}, {kind: eventExit, id: 0, stamp: 276776}}))
	if diff := cmp.Diff(recorded, hex.EncodeToString(got)); diff != "" {
		t.Errorf("frame (-want +got):\n%s", diff)
	}
}

func TestNumbersAsGenodeReadsThem(t *testing.T) {
	cases := map[string]struct {
		text string
		want uint32
	}{
		"nothing is 0":                       {"", 0},
		"digits up to the first other":       {"12ab", 12},
		"a leading blank is no number":       {" 12", 0},
		"0x is hexadecimal":                  {"0x1F", 31},
		"0x alone is the digit 0":            {"0x", 0},
		"a minus is no number":               {"-3", 0},
		"more than 32 bit wraps":             {"9999999999999999", 1874919423},
		"hexadecimal digits need their mark": {"ff", 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := uint32(number(tc.text)); got != tc.want {
				t.Errorf("number(%q) = %d, want %d", tc.text, got, tc.want)
			}
		})
	}
	for text, want := range map[string]uint64{"1M": 1 << 20, "512K": 512 << 10, "2G": 2 << 30, "77": 77, "5x": 5} {
		if got := size(text); got != want {
			t.Errorf("size(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestDescriptions(t *testing.T) {
	full := "<any><goal><fairness/></goal><periodictask>\n<id>5</id><pkg>pi</pkg><quota>1M</quota>" +
		"<config a='1'><arg1>5</arg1><b><c/></b></config><period>20</period><criticaltime>30</criticaltime>" +
		"<priority>40</priority><offset>50</offset><numberofjobs>60</numberofjobs><uawmean><size>9</size></uawmean>" +
		"<id>6</id></periodictask><x:periodictask xmlns:x='u'><config/></x:periodictask></any>"
	cases := map[string]struct {
		text    string
		want    []Description
		wantErr bool
	}{
		"every element, unknown ones ignored, the first of two counts": {text: full, want: []Description{
			{ID: 5, Pkg: "pi", Quota: 1 << 20, Config: []byte("<config a='1'><arg1>5</arg1><b><c/></b></config>"),
				Period: 20, CriticalTime: 30, Priority: 40, Offset: 50, NumberOfJobs: 60},
			{Config: []byte("<config/>")}}},
		"a task without config gets an empty one": {text: "<t><periodictask/></t>",
			want: []Description{{Config: []byte("<config/>")}}},
		"a long pkg is cut": {text: "<t><periodictask><pkg>" + strings.Repeat("a", 40) + "</pkg></periodictask></t>",
			want: []Description{{Pkg: strings.Repeat("a", 31), Config: []byte("<config/>")}}},
		"a declaration and comments do no harm": {text: "<?xml version='1.0' encoding='x'?><!-- c --><t><periodictask><id>1<!-- d -->2</id></periodictask></t>",
			want: []Description{{ID: 12, Config: []byte("<config/>")}}},
		"a root without tasks":             {text: "<t/>"},
		"nothing at all is an error":       {text: "", wantErr: true},
		"text only is an error":            {text: "hello", wantErr: true},
		"an open element is an error":      {text: "<t><periodictask>", wantErr: true},
		"a wrong end tag is an error":      {text: "<t><periodictask></t></periodictask>", wantErr: true},
		"endless nesting is an error":      {text: "<t>" + strings.Repeat("<a>", 10_000), wantErr: true},
		"bytes that are no text, an error": {text: "<t>\xff\xfe\x00</t>", wantErr: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parseDescriptions([]byte(tc.text))
			if (err != nil) != tc.wantErr {
				t.Fatalf("error %v, want one: %v", err, tc.wantErr)
			}
			if err == nil {
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("descriptions (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestBodiesAreBounded(t *testing.T) {
	size := binary.LittleEndian.AppendUint32(nil, 0xFFFFFFFF)
	if _, err := readBody(bytes.NewReader(size), "x", 1<<20); !errors.Is(err, errTooLarge) {
		t.Errorf("a body over the limit: %v, want errTooLarge", err)
	}
	size = append(binary.LittleEndian.AppendUint32(nil, 3<<20), 1, 2, 3)
	if _, err := readBody(bytes.NewReader(size), "x", 16<<20); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body that ends early: %v, want unexpected EOF", err)
	}
	body := bytes.Repeat([]byte("ab"), 3<<19)
	got, err := readBody(bytes.NewReader(append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)), "x", 16<<20)
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("a body of %d bytes came back as %d bytes, error %v", len(body), len(got), err)
	}
}

// FuzzDescriptions: no text panics the parser, and what it accepts stays within its bounds.
func FuzzDescriptions(f *testing.F) {
	f.Add([]byte("<t><periodictask><id>1</id><config><a/></config></periodictask></t>"))
	f.Add([]byte("<t><periodictask><config/><config>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		tasks, err := parseDescriptions(text)
		if err != nil {
			return
		}
		for _, d := range tasks {
			if len(d.Pkg) > maxPkg || len(d.Config) == 0 || len(d.Config) > len(text)+len("<config/>") {
				t.Errorf("task out of bounds: %+v", d)
			}
		}
	})
}

// FuzzConnection: whatever one client sends, the next one is served.
func FuzzConnection(f *testing.F) {
	f.Add([]byte{0xe6, 0x0d, 0, 0, 0xe5, 0x0d, 0, 0, 1, 0, 0, 0, 'x'})
	f.Add([]byte{0x1e, 0xf1, 0xe5, 0x0d, 2, 0, 0, 0})
	f.Add([]byte{0xe5, 0x4d, 0x51, 0, 0xff, 0xff, 0xff})
	f.Add([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, garbage []byte) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- New(Options{Runner: &InstantRunner{}, MaxStore: 1 << 20}).Serve(ctx, ln) }()
		defer func() { cancel(); <-done }()
		rude, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = rude.Write(garbage) // may be cut off by the server
		rude.Close()
		polite, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer polite.Close()
		_ = polite.SetDeadline(time.Now().Add(20 * time.Second))
		hello := binary.LittleEndian.AppendUint32(nil, wordSendBinaries)
		if _, err := polite.Write(binary.LittleEndian.AppendUint32(hello, 1)); err != nil {
			t.Fatal(err)
		}
		if word, err := readWord(polite); err != nil || word != wordGoSend {
			t.Fatalf("answer %#x, error %v, want GO_SEND", word, err)
		}
	})
}
