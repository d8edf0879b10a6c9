#!/usr/bin/env bash
# images.sh FOLDER: makes the container images of manager and target runner from this machine's QEMU, and the
# pause image of the test node, and PostgreSQL where it is installed, as archives in FOLDER. No engine, registry or base image is needed; the contents
# are those that the Dockerfile describes. For tests; releases are built with the Dockerfile ("make image").
#   RUNNER_QEMU   QEMU programs that the runner has; default: all that are installed of x86_64, aarch64, arm, riscv64
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
mkdir -p "$folder" .cache/bin
(cd hack/mkimage && go build -o ../../.cache/bin/mkimage .)
CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$folder/programs/" ./cmd/manager ./cmd/agent
(cd hack/mkimage && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o ../../.cache/bin/pause ./pause)

certificates=/etc/ssl/certs/ca-certificates.crt
.cache/bin/mkimage --tag localhost/pause:dev --out "$folder/pause.tar" --entrypoint /pause --file .cache/bin/pause=/pause
.cache/bin/mkimage --tag localhost/manager:dev --out "$folder/manager.tar" --user 65532:65532 --entrypoint /manager \
	--file "$folder/programs/manager=/manager" --file $certificates=$certificates --writable /tmp

qemu=()
for arch in ${RUNNER_QEMU:-x86_64 aarch64 arm riscv64}; do
	program=/usr/bin/qemu-system-$arch
	if [ -e "$program" ]; then qemu+=(--program "$program"); fi
done
# TCG for x86 is a module that QEMU opens when it needs it.
for module in /usr/lib/*-linux-gnu/qemu/accel-*.so; do
	if [ -e "$module" ]; then qemu+=(--program "$module"); fi
done
for tree in /usr/share/qemu /usr/share/seabios /usr/lib/ipxe/qemu; do
	if [ -e "$tree" ]; then qemu+=(--tree "$tree"); fi
done
.cache/bin/mkimage --tag localhost/runner:dev --out "$folder/runner.tar" --entrypoint /agent \
	--file "$folder/programs/agent=/agent" --file $certificates=$certificates --program /usr/bin/qemu-img "${qemu[@]}" \
	--file .cache/guest/vmlinuz=/guest/vmlinuz --file .cache/guest/initrd.gz=/guest/initrd.gz --tree .cache/tasks=/binaries \
	--writable /tmp

# A PostgreSQL for tests of two managers. Newest version first, should there be several.
server=$(find /usr/lib/postgresql -name postgres -path '*/bin/*' 2>/dev/null | sort -rV | head -n 1)
if [ -n "$server" ]; then
	bin=$(dirname "$server")
	version=$(basename "$(dirname "$bin")")
	programs=()
	for program in postgres initdb psql pg_isready; do
		programs+=(--program "$bin/$program")
	done
	for library in /usr/lib/postgresql/"$version"/lib/{dict_snowball,plpgsql}.so; do programs+=(--program "$library"); done
	.cache/bin/mkimage --tag localhost/postgres:dev --out "$folder/postgres.tar" --entrypoint /bin/sh --program /bin/sh \
		"${programs[@]}" --tree "/usr/share/postgresql/$version" --file /etc/passwd=/etc/passwd --writable /tmp
fi
