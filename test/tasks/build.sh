#!/bin/sh
# build.sh OUT - compiles the tasks of the reference target into the folder OUT.
# CC picks the compiler (default gcc), for example CC=aarch64-linux-gnu-gcc.
set -eu
out=${1:?usage: build.sh OUT}
here=$(dirname "$0")
cc=${CC:-gcc}
command -v "$cc" >/dev/null || {
	echo "build.sh: no compiler $cc: run 'apt-get install gcc', or set CC" >&2
	exit 1
}
mkdir -p "$out"
for task in hey idle pi linpack cond_42 cond_mod tumatmul namaste; do
	"$cc" -std=gnu11 -Wall -Wextra -Werror -O2 -ffreestanding -fno-stack-protector -fno-pic -no-pie \
		-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns \
		-nostdlib -static -s -Wl,--build-id=none -Wl,-z,noseparate-code \
		-o "$out/$task.new" "$here/start.c" "$here/$task.c"
	mv "$out/$task.new" "$out/$task"
done
