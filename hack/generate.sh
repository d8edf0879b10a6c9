#!/usr/bin/env bash
# generate.sh code|manifests|proto OUT: writes generated files below OUT; OUT "." is the tree itself.
set -euo pipefail
cd "$(dirname "$0")/.."

what=$1
out=$2
gen=.cache/bin/controller-gen

case $what in
code)
	mkdir -p "$out/api/v1alpha1"
	"$gen" object paths=./api/... output:object:dir="$out/api/v1alpha1"
	;;
manifests)
	mkdir -p "$out/config/crd/bases" "$out/config/rbac"
	"$gen" crd paths=./api/... output:crd:artifacts:config="$out/config/crd/bases"
	# The role comes from the markers of the reconcilers and of the program that serves their metrics.
	"$gen" rbac:roleName=manager paths=./controllers/... paths=./cmd/manager/... output:rbac:artifacts:config="$out/config/rbac"
	;;
proto)
	.cache/bin/protogen internal/gateway/proto "$out/internal/gateway/proto" .cache/bin/protoc-gen-go .cache/bin/protoc-gen-go-grpc
	;;
*)
	echo "usage: generate.sh code|manifests|proto OUT" >&2
	exit 2
	;;
esac
