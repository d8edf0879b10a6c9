#!/usr/bin/env bash
# image.sh: builds the two container images with docker or podman. Settings:
#   IMAGE_PREFIX  registry and folder, default ghcr.io/genode-operator
#   TAG           default v0.1.0
set -euo pipefail
cd "$(dirname "$0")/.."

prefix=${IMAGE_PREFIX:-ghcr.io/genode-operator}
tag=${TAG:-v0.1.0}

for engine in docker podman; do
	if command -v "$engine" >/dev/null; then break; fi
	engine=
done
if [ -z "$engine" ]; then
	echo "Neither docker nor podman is installed; one of them has to build the images." >&2
	exit 1
fi

for target in manager runner; do
	"$engine" build --target "$target" -t "$prefix/$target:$tag" .
done
echo "Built $prefix/manager:$tag and $prefix/runner:$tag. After pushing them:"
echo "  in config/manager: kustomization.yaml (images) and --runner-image in manager.yaml"
