#!/usr/bin/env bash
# check-go.sh STAMP: Go must be there and new enough. STAMP is rewritten when the version changes, so that
# tools depending on it are rebuilt.
set -euo pipefail
cd "$(dirname "$0")/.."

want=$(sed -n 's/^go //p' go.mod)
if ! command -v go >/dev/null; then
	echo "Go is not on PATH. Install Go $want or newer from https://go.dev/dl/ (or the package golang-go" >&2
	echo "where it is that new); with sudo, keep PATH: sudo env PATH=\"\$PATH\" make ..." >&2
	exit 1
fi

# With GOTOOLCHAIN=auto an older Go fetches the wanted toolchain; what counts is what it runs as here.
if ! have=$(go env GOVERSION 2>&1); then
	echo "Go cannot run in this module: $have" >&2
	echo "go.mod asks for Go $want: install it from https://go.dev/dl/." >&2
	exit 1
fi
have=${have#go}
if [ "$(printf '%s\n%s\n' "$want" "${have%%[-+ ]*}" | sort -V | head -n 1)" != "$want" ]; then
	echo "Go $have is too old: go.mod asks for $want. Install it from https://go.dev/dl/." >&2
	exit 1
fi

stamp=${1:-}
if [ -n "$stamp" ] && [ "$(cat "$stamp" 2>/dev/null)" != "$have" ]; then
	mkdir -p "$(dirname "$stamp")"
	echo "$have" >"$stamp"
fi
