package console

import (
	"bytes"
	"testing"

	"github.com/genode-operator/genode-operator/internal/target/console/share"
)

// The rows of docs/console.md, each against a real agent with a real guest.

func TestC10OutputWithNobodyAttachedIsKept(t *testing.T) {
	l := boot(t, "--console-policy=late=read")
	await(t, "the guest", func() bool {
		lines, err := l.api.Console(t.Context(), 10)
		return err == nil && len(lines) > 0 && lines[len(lines)-1]+"\r\n" == greeting
	})
	c, n := l.greet("late", share.Read)
	if text := c.until(greeting); n.Event != share.NoticeConnected || int(n.Replayed) != len(text) {
		t.Errorf("%+v, then %q", n, text)
	}
}

func TestC16APasteOf64KiBComesBackWholeOverTCPAndWebSocket(t *testing.T) {
	l := boot(t, "--console-policy=*=write")
	l.plain = ""
	paste := string(bytes.Repeat([]byte("all of these bytes, please 4567\n"), 2<<10))
	s := l.attach("socket", share.Write).terminal()
	s.until(greeting)
	s.echoed(paste)
	s.close()
	c, _ := l.greet("tcp", share.Write)
	c.until(paste)
	c.echoed(paste)
}
