package port

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"testing"

	"github.com/genode-operator/genode-operator/internal/target/console/desk"
	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

// FuzzGreeting sends anything as a greeting: nobody gets in without the token, and bytes behind a greeting stay.
func FuzzGreeting(f *testing.F) {
	f.Add([]byte(`{"token":"t","label":"ci","access":"write","backlog":-1}` + "\nls\n"))
	f.Add([]byte("{\"token\":\"x\"}\n"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		ours, theirs := net.Pipe()
		defer func() { _, _ = ours.Close(), theirs.Close() }()
		p := New(Options{Token: "t"})
		in := bufio.NewReaderSize(bytes.NewReader(stream), maxHello)
		hello, err := p.greet(ours, in)
		line, rest, complete := bytes.Cut(stream, []byte("\n"))
		if err == nil {
			if !complete || hello.Token != "t" || !bytes.Contains(line, []byte("t")) {
				t.Fatalf("let in with %q: %+v", line, hello)
			}
			left := make([]byte, len(rest))
			if n, _ := in.Read(left); !bytes.HasPrefix(rest, left[:n]) {
				t.Fatalf("behind the greeting there is %q, want %q", left[:n], rest)
			}
			return
		}
		var denied *desk.Denied
		if complete && len(line) < maxHello && !errors.As(err, &denied) {
			t.Fatalf("a whole line is answered with %v", err)
		}
	})
}

// FuzzStream types anything: the guest reads exactly that.
func FuzzStream(f *testing.F) {
	f.Add([]byte("ls\x03\x00\xff\x1d"), uint8(7))
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		line := share.NewLine("0", share.Options{Input: 64})
		d := desk.New(desk.Options{Lines: []*share.Line{line}, Policies: []desk.Policy{{Label: "*", Access: share.Write}}})
		seat, err := d.Attach(desk.Request{Label: "any", Line: "0", Access: share.Write})
		if err != nil {
			t.Fatal(err)
		}
		defer seat.Detach()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- input(ctx, bytes.NewReader(stream), seat) }()
		var got []byte
		for piece := make([]byte, int(step)+1); len(got) < len(stream); {
			n, err := line.Take(ctx, piece)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, piece[:n]...)
		}
		if err := <-ended; !errors.Is(err, errEnded) || !bytes.Equal(got, stream) {
			t.Fatalf("the guest reads %q, want %q; %v", got, stream, err)
		}
	})
}
