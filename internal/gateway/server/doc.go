// Package server serves the sessions of a gateway by the sessionOffload API: every dialect side by side, over one table.
package server
