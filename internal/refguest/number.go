package refguest

// number reads a number as Genode does: digits up to the first other character, none is 0, 0x is
// hexadecimal, a leading blank is "none". The value wraps; callers cut it to their width.
func number(text string) uint64 {
	n, _ := digits(text)
	return n
}

// size reads a number of bytes with an optional suffix K, M or G, in steps of 1024.
func size(text string) uint64 {
	n, rest := digits(text)
	if rest == "" {
		return n
	}
	switch rest[0] {
	case 'K', 'k':
		return n << 10
	case 'M', 'm':
		return n << 20
	case 'G', 'g':
		return n << 30
	}
	return n
}

func digits(text string) (value uint64, rest string) {
	base := uint64(10)
	if len(text) > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') {
		base, text = 16, text[2:]
	}
	for text != "" {
		d := digit(text[0])
		if d >= base {
			break
		}
		value = value*base + d
		text = text[1:]
	}
	return value, text
}

func digit(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c >= 'a' && c <= 'f':
		return uint64(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return uint64(c-'A') + 10
	}
	return 99
}
