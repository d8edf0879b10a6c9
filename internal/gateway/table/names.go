package table

import "strconv"

// Names as in the API, without the underscore that its values begin with.
var (
	actionNames = []string{"DROP", "FORWARD", "MIRROR", "SNOOP"}
	stateNames  = []string{"ESTABLISHED", "CLOSING_1", "CLOSING_2", "CLOSED", "UNKNOWN_STATE"}
	codeNames   = []string{"NOT_CLOSED", "FINACK", "RST", "TIMEOUT", "UNKNOWN_CLOSE_CODE"}
)

func name(names []string, n uint8) string {
	if int(n) < len(names) {
		return names[n]
	}
	return strconv.Itoa(int(n))
}

func (a Action) String() string    { return name(actionNames, uint8(a)) }
func (s State) String() string     { return name(stateNames, uint8(s)) }
func (c CloseCode) String() string { return name(codeNames, uint8(c)) }

// ProtocolName is TCP, UDP, or the number of another protocol.
func ProtocolName(protocol uint8) string {
	switch protocol {
	case TCP:
		return "TCP"
	case UDP:
		return "UDP"
	}
	return strconv.Itoa(int(protocol))
}
