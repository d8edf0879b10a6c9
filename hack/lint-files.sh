#!/usr/bin/env bash
# lint-files.sh: limits that no linter knows.
#   * Go files have at most 400 lines; API types, which are documentation and markers for the most part, 600;
#     tests, which are tables, 1200. Generated files are exempt.
#   * The number of //nolint exemptions is the one in hack/nolint-budget, which only goes down.
#   * Shell scripts parse.
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0
complain() {
	echo "$1" >&2
	failed=1
}

while IFS= read -r -d '' file; do
	if head -n 5 "$file" | grep -q '^// Code generated .* DO NOT EDIT\.$'; then continue; fi
	case $file in
	*_test.go) limit=1200 ;;
	./api/*) limit=600 ;;
	*) limit=400 ;;
	esac
	lines=$(wc -l <"$file")
	if [ "$lines" -gt "$limit" ]; then
		complain "$file has $lines lines, more than $limit: split it by idea"
	fi
done < <(find . -path ./.cache -prune -o -name '*.go' -print0)

budget=$(cat hack/nolint-budget)
count=$(find . -path ./.cache -prune -o -name '*.go' -print0 | xargs -0 cat | grep -c '//nolint' || true)
if [ "$count" -gt "$budget" ]; then
	complain "$count //nolint exemptions, but hack/nolint-budget allows $budget: obey the linter instead"
elif [ "$count" -lt "$budget" ]; then
	complain "Only $count //nolint exemptions are left: write $count into hack/nolint-budget, so that it stays that way"
fi

while IFS= read -r -d '' file; do
	bash -n "$file" || complain "$file does not parse"
done < <(find . -path ./.cache -prune -o -name '*.sh' -print0)

exit "$failed"
