#!/usr/bin/env bash
# fmt-check.sh: fails when a Go file is not formatted.
set -euo pipefail
cd "$(dirname "$0")/.."

unformatted=$(find . -path ./.cache -prune -o -name '*.go' -print0 | xargs -0 gofmt -l)
if [ -n "$unformatted" ]; then
	printf 'Not formatted; run "make fmt":\n%s\n' "$unformatted" >&2
	exit 1
fi
