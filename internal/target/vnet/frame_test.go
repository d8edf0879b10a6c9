package vnet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func sized(n uint32, body ...byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, n), body...)
}

func TestFrameReader(t *testing.T) {
	whole := bytes.Repeat([]byte{7}, 60)
	largest := bytes.Repeat([]byte{8}, 1500+ethSize+vlanSize)
	cases := map[string]struct {
		stream      []byte
		want        [][]byte
		wantErr     error
		wantSkipped uint64
	}{
		"an end between frames is the end":        {stream: appendFrame(nil, whole), want: [][]byte{whole}, wantErr: io.EOF},
		"frames come one by one":                  {stream: appendFrame(appendFrame(nil, whole), largest), want: [][]byte{whole, largest}, wantErr: io.EOF},
		"an end in a length is a broken frame":    {stream: []byte{0, 0}, wantErr: io.ErrUnexpectedEOF},
		"an end after a length is a broken frame": {stream: sized(60), wantErr: io.ErrUnexpectedEOF},
		"an end in a frame is a broken frame":     {stream: sized(60, 1, 2, 3), wantErr: io.ErrUnexpectedEOF},
		"a length beyond every frame is an error": {stream: appendFrame(appendFrame(nil, whole), nil, make([]byte, maxFrame+1)), want: [][]byte{whole}, wantErr: errFrameLength},
		"the largest length is an error":          {stream: sized(1<<32-1, whole...), wantErr: errFrameLength},
		"a frame above the MTU is passed over":    {stream: appendFrame(appendFrame(nil, append(largest, 0)), whole), want: [][]byte{whole}, wantErr: io.EOF, wantSkipped: 1},
		"a frame of QEMU's limit is passed over":  {stream: appendFrame(appendFrame(nil, make([]byte, maxFrame)), whole), want: [][]byte{whole}, wantErr: io.EOF, wantSkipped: 1},
		"a frame without a header is passed over": {stream: appendFrame(appendFrame(nil, whole[:13]), whole), want: [][]byte{whole}, wantErr: io.EOF, wantSkipped: 1},
		"an empty frame is passed over":           {stream: appendFrame(sized(0), whole), want: [][]byte{whole}, wantErr: io.EOF, wantSkipped: 1},
		"an end in a passed-over frame is broken": {stream: sized(9000, 1), wantErr: io.ErrUnexpectedEOF, wantSkipped: 1},
	}
	for name, tc := range cases {
		for how, r := range map[string]io.Reader{
			"at once": bytes.NewReader(tc.stream), "byte by byte": iotest.OneByteReader(bytes.NewReader(tc.stream)),
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				frames := newFrameReader(r, 1500)
				got, err := readAllFrames(frames)
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("frames (-want +got):\n%s", diff)
				}
				if !errors.Is(err, tc.wantErr) || frames.skipped != tc.wantSkipped {
					t.Errorf("error %v, %d passed over, want %v, %d", err, frames.skipped, tc.wantErr, tc.wantSkipped)
				}
			})
		}
	}
}

func readAllFrames(frames *frameReader) (all [][]byte, err error) {
	for {
		f, err := frames.next()
		if err != nil {
			return all, err
		}
		all = append(all, bytes.Clone(f))
	}
}

func TestFrameReaderAllocatesNothing(t *testing.T) {
	stream := bytes.Repeat(appendFrame(nil, make([]byte, 60)), 50)
	r := bytes.NewReader(stream)
	frames := newFrameReader(r, 1500)
	if got := testing.AllocsPerRun(20, func() {
		r.Reset(stream)
		for range 50 {
			if _, err := frames.next(); err != nil {
				t.Fatal(err)
			}
		}
	}); got > 0 {
		t.Errorf("%v allocations for 50 frames, want none", got)
	}
}

// FuzzFrames feeds a stream to the reader and what comes out to the judge of frames.
func FuzzFrames(f *testing.F) {
	f.Add(appendFrame(appendFrame(nil, announcement(someMAC, guest15)), dhcpFrame(someMAC, []byte("x"))))
	f.Add(appendFrame(nil, tcpFrame()))
	f.Add(sized(1 << 31))
	f.Add([]byte{0, 0, 0})
	judge := testIngress()
	f.Fuzz(func(t *testing.T, stream []byte) {
		frames := newFrameReader(bytes.NewReader(stream), 1500)
		total := 0
		for {
			frame, err := frames.next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, errFrameLength) {
					t.Fatalf("unexpected error %v", err)
				}
				return
			}
			if total += len(frame); len(frame) < ethSize || len(frame) > 1500+ethSize+vlanSize || total > len(stream) {
				t.Fatalf("frame of %d bytes, %d in all, out of %d", len(frame), total, len(stream))
			}
			news := judge.classify(frame)
			if news.from.IsValid() && (!isHost(judge.subnet, news.from) || news.from == judge.gateway) {
				t.Fatalf("the guest is said to be at %s", news.from)
			}
		}
	})
}
