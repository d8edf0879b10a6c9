#!/usr/bin/env bash
# packages.sh unit|api|qemu|e2e: prints the packages of one kind of test, as paths for "go test".
#   api   tests that start a real API server (they import internal/testenv, or are in internal/devcluster)
#   qemu  tests that boot guests (they read REFGUEST_IMAGE, or are in test/console)
#   e2e   tests of the whole (test/e2e and what it is made of, test/kubelet, test/chaos)
#   unit  all others
set -euo pipefail
cd "$(dirname "$0")/.."

module=$(sed -n 's/^module //p' go.mod)
qemu=$(grep -rl --include='*_test.go' 'REFGUEST_IMAGE' cmd controllers internal 2>/dev/null | xargs -r -n 1 dirname | sort -u || true)

go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{range .TestImports}} {{.}}{{end}}{{range .XTestImports}} {{.}}{{end}}{{end}}' ./... |
	awk -v module="$module" -v want="$1" -v qemu="$qemu" '
	BEGIN { n = split(qemu, folders, "\n"); for (i = 1; i <= n; i++) if (folders[i] != "") boots["./" folders[i]] = 1 }
	{
		path = "." substr($1, length(module) + 1)
		kind = "unit"
		for (i = 2; i <= NF; i++) if ($i == module "/internal/testenv") kind = "api"
		if (path in boots || path == "./test/console") kind = "qemu"
		if (path ~ /^\.\/test\/(bench|chaos|demo|e2e|kubelet|lab)$/) kind = "e2e"
		if (path ~ /^\.\/internal\/(testenv|devcluster)$/) kind = "api"
		if (kind == want) print path
	}'
