package results

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func openSQLite(t testing.TB, path string) *SQLite {
	t.Helper()
	s, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSQLiteConforms(t *testing.T) {
	conform(t, func(t *testing.T) func() Store {
		path := filepath.Join(t.TempDir(), "results with spaces?.db")
		return func() Store { return openSQLite(t, path) }
	})
}

func TestOpenNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "r.db")
	if _, err := OpenSQLite(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "is the folder there") {
		t.Errorf("error %v does not name %s and a remedy", err, path)
	}
}

func BenchmarkPut(b *testing.B) {
	for _, writers := range []int{1, 8, 128, 1024} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			benchmarkPut(b, openSQLite(b, filepath.Join(b.TempDir(), "r.db")), writers, 1)
		})
	}
	b.Run("batches of 256", func(b *testing.B) {
		benchmarkPut(b, openSQLite(b, filepath.Join(b.TempDir(), "r.db")), 1, 256)
	})
}

func BenchmarkEach(b *testing.B) {
	benchmarkEach(b, openSQLite(b, filepath.Join(b.TempDir(), "r.db")))
}
