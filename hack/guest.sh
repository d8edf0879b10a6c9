#!/usr/bin/env bash
# guest.sh GUEST TASKS: builds kernel and initramfs of the reference guest into the folder GUEST and its task
# binaries into TASKS. The kernel is Debian's, downloaded by apt-get; when that fails, the package lists are
# absent or old, so they are refreshed once.
set -euo pipefail
cd "$(dirname "$0")/.."

guest=$1
tasks=$2

# One program, kept: it becomes the guest's init, and is compared with the one of the image that exists.
mkdir -p .cache/bin
go build -o .cache/bin/refguest ./cmd/refguest

if ! .cache/bin/refguest image --out "$guest" >/dev/null; then
	hack/deps.sh package-lists
	.cache/bin/refguest image --out "$guest" >/dev/null
fi
test/tasks/build.sh "$tasks"
echo "Reference guest: $guest, task binaries: $tasks"
