package localnode

import "strings"

// expand replaces $(NAME) by the variable's value, as the API documents it for command, args and
// env: an unknown name stays as it is, and $$ stands for one $.
func expand(s string, values map[string]string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '$' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		if s[i+1] == '$' {
			out.WriteByte('$')
			i++
			continue
		}
		end := strings.IndexByte(s[i:], ')')
		if s[i+1] != '(' || end < 0 {
			out.WriteByte('$')
			continue
		}
		if value, ok := values[s[i+2:i+end]]; ok {
			out.WriteString(value)
		} else {
			out.WriteString(s[i : i+end+1])
		}
		i += end
	}
	return out.String()
}
