package web

import (
	"net/http"
	"net/url"
	"strings"
)

// Check refuses requests that will not become a WebSocket, before anything is done for them: those that ask
// for none, and those that a browser sends for a page of another site. The error is a *Refused.
func Check(r *http.Request) error {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return &Refused{Status: http.StatusUpgradeRequired, Message: "this is a WebSocket: ask for one, or use genodectl console"}
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	u, err := url.Parse(origin)
	if err != nil || !strings.EqualFold(u.Host, r.Host) {
		return &Refused{Status: http.StatusForbidden, Message: "pages of other sites get no console"}
	}
	return nil
}
