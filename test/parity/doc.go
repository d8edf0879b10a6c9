// Package parity shows that this project can do what taskgen could, row by row.
package parity
