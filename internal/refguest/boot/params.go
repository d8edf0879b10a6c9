//go:build linux

package boot

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// params are the guest's parameters of the kernel command line.
type params struct {
	address netip.Prefix // invalid: DHCP
	gateway netip.Addr   // invalid: none
	port    int
	control int // 0: off
	verbose int
}

// parseParams reads the command line. Wrong values are reported and leave the default, since a guest
// that is up with a complaint on its console helps more than one that is not.
func parseParams(cmdline string) (params, []error) {
	p := params{port: 3001}
	var errs []error
	for _, word := range strings.Fields(cmdline) {
		key, value, _ := strings.Cut(word, "=")
		if !strings.HasPrefix(key, "refguest.") {
			continue
		}
		if err := p.set(key, value); err != nil {
			errs = append(errs, fmt.Errorf("kernel parameter %s: %w", word, err))
		}
	}
	return p, errs
}

func (p *params) set(key, value string) (err error) {
	switch key {
	case "refguest.address":
		var a netip.Prefix
		if a, err = netip.ParsePrefix(value); err == nil {
			p.address = a
		}
	case "refguest.gateway":
		var a netip.Addr
		if a, err = netip.ParseAddr(value); err == nil {
			p.gateway = a
		}
	case "refguest.port":
		err = number(&p.port, value, 1, 65535)
	case "refguest.control":
		err = number(&p.control, value, 0, 65535)
	case "refguest.verbose":
		err = number(&p.verbose, value, 0, 9)
	default:
		err = fmt.Errorf("unknown; known are address, gateway, port, control, verbose")
	}
	return err
}

func number(to *int, text string, low, high int) error {
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return fmt.Errorf("wants a number from %d to %d", low, high)
	}
	*to = n
	return nil
}
