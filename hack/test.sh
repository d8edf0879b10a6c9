#!/usr/bin/env bash
# test.sh: everything that "make test" runs, one part after the other; each part runs even when one before
# it has failed, and the summary at the end names them all. The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."

record=.cache/test/record.jsonl
testsum=.cache/bin/testsum

mkdir -p .cache/test .cache/bin
rm -f "$record"
go build -o "$testsum" ./hack/testsum || exit 1

# part NAME MAKE-ARGUMENTS...: a make target as a check that succeeds or not.
part() {
	local name=$1
	shift
	printf '\n== %s\n' "$name"
	"$testsum" check -record "$record" -name "$name" make --no-print-directory "$@"
}

# tests NAME MAKE-TARGET: a make target that runs and records Go tests itself.
tests() {
	printf '\n== %s\n' "$1"
	local before after
	before=$(wc -l <"$record" 2>/dev/null || echo 0)
	make --no-print-directory "$2" TEST_NAME="$1" && return 0
	# It may have failed before any test ran, for example while building what the tests need.
	after=$(wc -l <"$record" 2>/dev/null || echo 0)
	if [ "$after" = "$before" ]; then
		"$testsum" check -record "$record" -name "$1" false || true
	fi
}

interrupted() {
	printf '\nInterrupted.\n' >&2
	exit 130
}
trap interrupted INT TERM

part format fmt-check
part lint lint
part verify verify
part build build
tests unit unit
part assets assets
tests api api-test
tests qemu qemu-test
tests fuzz fuzz-smoke
tests e2e e2e

"$testsum" total -record "$record"
