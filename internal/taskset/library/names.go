package library

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// similar is how many names an error suggests.
const similar = 3

// unknown is the error about a name that there is not.
func unknown(kind, name string, known []string) error {
	nearest := slices.Clone(known)
	slices.SortStableFunc(nearest, func(a, b string) int {
		return cmp.Or(cmp.Compare(apart(name, a), apart(name, b)), cmp.Compare(distance(name, a), distance(name, b)))
	})
	nearest = nearest[:min(similar, len(nearest))]
	if len(nearest) == 0 {
		return fmt.Errorf("%q is no %s of the library, which has none", name, kind)
	}
	return fmt.Errorf("%q is no %s of the library; did you mean %s?", name, kind, strings.Join(nearest, ", "))
}

// apart is 0 for a name that contains what was given, 1 for others.
func apart(given, name string) int {
	if strings.Contains(strings.ToLower(name), strings.ToLower(given)) {
		return 0
	}
	return 1
}

// distance is the number of letters to insert, delete or replace (Levenshtein 1966), whatever their case.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1) // distances from a[:i] to each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
