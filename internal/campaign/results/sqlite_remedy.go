package results

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// remedies say what to do about SQLite's primary result codes.
var remedies = map[int]string{
	sqlite3.SQLITE_FULL:     "free space where the file is, or enlarge the volume",
	sqlite3.SQLITE_BUSY:     "end the other program that holds the file, a shell of sqlite3 for example",
	sqlite3.SQLITE_LOCKED:   "end the other program that holds the file, a shell of sqlite3 for example",
	sqlite3.SQLITE_READONLY: "make the file and its folder writable for this program",
	sqlite3.SQLITE_PERM:     "make the file and its folder writable for this program",
	sqlite3.SQLITE_CANTOPEN: "is the folder there, and writable?",
	sqlite3.SQLITE_IOERR:    "look after the disk or the volume",
	sqlite3.SQLITE_CORRUPT:  "recover it with: sqlite3 FILE .recover",
	sqlite3.SQLITE_NOTADB:   "name another file: this one is no results store",
}

// codeOf is SQLite's primary result code of an error, or 0.
func codeOf(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// explain says what failed with which file, why, and what to do.
func explain(what, path string, err error) error {
	if remedy, known := remedies[codeOf(err)]; known {
		return fmt.Errorf("%s %s: %w; %s", what, path, err, remedy)
	}
	return fmt.Errorf("%s %s: %w", what, path, err)
}

// faultOfRow reports whether a transaction failed because of what a row holds.
func faultOfRow(err error) bool {
	switch codeOf(err) {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE:
		return true
	}
	return false
}

// faultOfFile reports whether the file should be opened anew before it is used again.
func faultOfFile(err error) bool {
	switch codeOf(err) {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN:
		return true
	}
	return errors.Is(err, errReplaced)
}
