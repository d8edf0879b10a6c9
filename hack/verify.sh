#!/usr/bin/env bash
# verify.sh: checks that what is generated is up to date, that go.mod files are tidy, that the code passes
# "go vet", and that every kustomization builds. It writes to .cache/ only, so it works with uncommitted
# changes and without git.
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0
complain() {
	echo "verify: $1" >&2
	failed=1
}

fresh=.cache/verify
rm -rf "$fresh"
mkdir -p "$fresh"
hack/generate.sh code "$fresh"
hack/generate.sh manifests "$fresh"
hack/generate.sh proto "$fresh"
while IFS= read -r -d '' file; do
	diff -u "${file#"$fresh"/}" "$file" >&2 || complain "${file#"$fresh"/} is out of date: run make generate manifests proto"
done < <(find "$fresh" -type f -print0)
# A generated file whose kind is gone stays behind unless somebody looks for it.
for file in config/crd/bases/*.yaml; do
	[ -e "$fresh/$file" ] || complain "$file is not generated any more: remove it"
done

for module in . hack/tools hack/lint hack/kubebox hack/mkimage hack/protogen; do
	(cd "$module" && go mod tidy -diff) >&2 || complain "$module/go.mod is not tidy: run go mod tidy there"
done

go vet ./... || complain "go vet found something"

while IFS= read -r file; do
	dir=$(dirname "$file")
	# Components build only as part of something.
	if grep -q '^kind: Component$' "$file"; then continue; fi
	.cache/bin/kustomize build "$dir" >"$fresh/kustomize.out" || complain "kustomize build $dir fails"
	[ -s "$fresh/kustomize.out" ] || complain "kustomize build $dir makes nothing"
done < <(find config -name kustomization.yaml | sort)

# The optional components: the lines of config/default that are commented out, with one place for results at a time.
mkdir -p "$fresh/optional"
cp -r config "$fresh/optional"
for place in ephemeral postgres; do
	sed -e 's/^# components:/components:/' -e "/-results /{/$place-results /!d;}" -e 's/^# - \(\.\.[^ ]*\) .*/- \1/' \
		config/default/kustomization.yaml >"$fresh/optional/config/default/kustomization.yaml"
	.cache/bin/kustomize build "$fresh/optional/config/default" >"$fresh/kustomize.out" || complain "the optional components do not build with $place-results"
	grep -q '^kind: ServiceMonitor$' "$fresh/kustomize.out" || complain "the component prometheus makes no ServiceMonitor"
	if grep -q '^kind: PersistentVolumeClaim$' "$fresh/kustomize.out"; then complain "the component $place-results leaves the claim"; fi
done

[ "$failed" = 0 ] && echo "Generated files, modules and kustomizations are in order."
exit "$failed"
