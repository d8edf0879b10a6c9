package render

import (
	"fmt"
	"strings"
)

// palette is that of Okabe and Ito (Color Universal Design, 2008), which people with any colour vision tell
// apart, without its vermilion, which is too close to the red of misses. Text in a colour is dark or light.
var palette = []struct {
	fill  string
	light bool
}{
	{"#0072b2", true}, {"#e69f00", false}, {"#009e73", true}, {"#cc79a7", false},
	{"#56b4e9", false}, {"#f0e442", false}, {"#8c8c8c", false}, {"#4b3fa7", true},
}

// colour is the class of the n-th thing; they repeat.
func colour(n int) string { return fmt.Sprintf("c%d", n%len(palette)) }

// ink is the class of text in the n-th colour.
func ink(n int) string {
	if palette[n%len(palette)].light {
		return "light"
	}
	return "dark"
}

// style has no variables: programs other than browsers do not know them.
var style = strings.Join([]string{
	".gantt{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Liberation Sans',sans-serif}",
	themed("#ffffff", "#f4f6f8", "#1f2328", "#59636e", "#dbe1e7", "#8c959f", "#cf222e", "#9a4a00"),
	".gantt .title{font-size:17px;font-weight:600}.gantt .small{font-size:10.5px}",
	".gantt .tick,.gantt .in{text-anchor:middle;font-variant-numeric:tabular-nums}.gantt .in{font-size:11px;pointer-events:none}",
	".gantt .in.light{fill:#fff}.gantt .in.dark{fill:#111}",
	".gantt .seg{rx:2px}.gantt .lost{opacity:.55}.gantt .life{stroke-width:2;opacity:.75}",
	".gantt .over{pointer-events:none}.gantt .abort{stroke-width:2.4;fill:none}",
	".gantt .release,.gantt .deadline{stroke-width:1.4;stroke-linejoin:round}.gantt .missed{stroke-width:2}",
	colours(),
	"@media (prefers-color-scheme:dark){" + themed("#0d1117", "#151b23", "#f0f6fc", "#9198a1", "#262c36", "#656c76", "#ff5d6c", "#ffb454") + "}",
}, "\n")

// themed are the rules that differ between light and dark.
func themed(paper, band, text, soft, grid, base, bad, note string) string {
	rules := []string{
		".paper{fill:" + paper + "}", ".band{fill:" + band + "}",
		" text{fill:" + text + "}", " .soft,.gantt .tick{fill:" + soft + "}", " .note{fill:" + note + "}",
		".grid{stroke:" + grid + "}", ".base,.gantt .life{stroke:" + base + "}",
		".release,.gantt .deadline{stroke:" + text + ";fill:" + text + "}",
		".missed,.gantt .abort,.gantt .life.bad{stroke:" + bad + "}", ".missed,.gantt .over{fill:" + bad + "}",
	}
	for i, r := range rules {
		if r[0] != ' ' {
			r = " " + r
		}
		rules[i] = ".gantt" + r
	}
	return strings.Join(rules, "")
}

func colours() string {
	var b strings.Builder
	for i, c := range palette {
		fmt.Fprintf(&b, ".gantt .c%d{fill:%s}", i, c.fill)
	}
	return b.String()
}
