package table

import "unique"

// key is a Tuple in few bytes: there is one for each session.
type key struct {
	source, destination         [16]byte
	sourcePort, destinationPort uint16
	protocol                    uint8
	six                         bool // else the addresses are IPv4, mapped into IPv6
	in, out                     unique.Handle[string]
}

func (t *Tuple) key() key {
	return key{
		source: t.Source.Addr().As16(), destination: t.Destination.Addr().As16(),
		sourcePort: t.Source.Port(), destinationPort: t.Destination.Port(),
		protocol: t.Protocol, six: t.Source.Addr().Is6(), in: unique.Make(t.InLif), out: unique.Make(t.OutLif),
	}
}
