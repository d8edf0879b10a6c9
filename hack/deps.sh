#!/usr/bin/env bash
# deps.sh GROUP...: installs the Debian packages of the groups that are missing. Groups:
#   git          git and CA certificates, for module downloads
#   race         C compiler and headers, for Go's race detector and the reference guest's task binaries
#   qemu         qemu-system-x86_64 and qemu-img, for guests of the presets pc and linux-x86
#   package-lists  no package: refreshes apt's lists
#   qemu-boards  the QEMU programs of the ARM and RISC-V presets
#   node         containerd, runc, CNI plugins and what kube-proxy calls, for a node with a real kubelet
#   postgres     a PostgreSQL server, for tests of the results store
# Nothing happens when everything is there. Never asks a question, except sudo for a password on a terminal.
set -euo pipefail

missing=()
reasons=()
refresh=0

# need COMMAND-OR-FILE PACKAGE REASON
need() {
	case $1 in
	/*) [ -e "$1" ] && return 0 ;;
	*) command -v "$1" >/dev/null && return 0 ;;
	esac
	missing+=("$2")
	reasons+=("  $2: $3")
}

for group in "$@"; do
	case $group in
	git)
		need git git "module checks"
		need /etc/ssl/certs/ca-certificates.crt ca-certificates "downloads from the Go module proxy"
		;;
	race)
		need gcc gcc "Go's race detector and the reference guest's task binaries"
		need /usr/include/stdio.h libc6-dev "the headers that gcc needs for them"
		;;
	qemu)
		need qemu-system-x86_64 qemu-system-x86 "virtual machines of the presets pc and linux-x86"
		need qemu-img qemu-utils "disks and snapshots of virtual machines"
		;;
	qemu-boards)
		need qemu-system-aarch64 qemu-system-arm "virtual machines of the presets virt-arm64, virt-arm and pbxa9"
		need qemu-system-riscv64 qemu-system-misc "virtual machines of the preset virt-riscv64"
		;;
	node)
		need containerd containerd "a node with a real kubelet"
		need runc runc "a node with a real kubelet"
		need /usr/lib/cni/bridge containernetworking-plugins "its pods' network"
		need ip iproute2 "its own network"
		need iptables iptables "its Services"
		need conntrack conntrack "its Services"
		need nsenter util-linux "entering its namespaces"
		;;
	postgres)
		# The folder alone is also there with the client's package.
		need "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | head -n 1)" postgresql "tests of the results store in PostgreSQL"
		;;
	package-lists) refresh=1 ;;
	*)
		echo "deps.sh: unknown group '$group'; known: git, race, qemu, qemu-boards, node, postgres, package-lists" >&2
		exit 2
		;;
	esac
done

# as_root COMMAND...: as it is when root, else with sudo.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else "${sudo[@]}" "$@"; fi
}

# give_up REASON: says what to install by hand.
give_up() {
	{
		echo "$1 Please install these packages (names as on Debian and Ubuntu) and call make again:"
		printf '%s\n' "${reasons[@]}"
		echo "  as root: apt-get install --no-install-recommends ${missing[*]}"
	} >&2
	exit 1
}

# prepare makes the variables sudo and apt, or says why packages cannot be installed.
prepare() {
	command -v apt-get >/dev/null || give_up "This machine has no apt-get."
	sudo=()
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || give_up "Installing packages needs root, and there is no sudo."
		sudo=(sudo)
		[ -t 0 ] && [ -t 2 ] || sudo=(sudo -n)
		"${sudo[@]}" true || give_up "Installing packages needs root, and sudo refused."
	fi
	apt=(env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
}

# quietly COMMAND...: as root, with the output in the log.
quietly() { as_root "$@" </dev/null >>"$log" 2>&1; }

# fail_with_log REASON: the log's end, and what to do by hand.
fail_with_log() {
	tail -n 20 "$log" >&2
	give_up "$1"
}

install_missing() {
	echo "Installing with apt-get, because they are missing:"
	printf '%s\n' "${reasons[@]}"
	# The package lists may be absent or too old to install from: refresh them only then.
	quietly "${apt[@]}" install --no-install-recommends "${missing[@]}" && return 0
	echo "Refreshing apt's package lists first"
	if quietly "${apt[@]}" update && quietly "${apt[@]}" install --no-install-recommends "${missing[@]}"; then
		return 0
	fi
	fail_with_log "apt-get failed (its last lines stand above)."
}

# The virtual network needs -netdev stream, which QEMU has since 7.2.
check_qemu_version() {
	local version
	version=$(qemu-system-x86_64 --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
	if [ "$(printf '%s\n7.2\n' "$version" | sort -V | head -n 1)" != 7.2 ]; then
		echo "QEMU $version is too old: the agent needs 7.2 or newer (Debian 12, Ubuntu 23.04 or later have it)." >&2
		exit 1
	fi
}

if [ ${#missing[@]} -gt 0 ]; then
	prepare
	install_missing
fi
if [ "$refresh" = 1 ]; then
	reasons=("  (none: refresh the package lists with apt-get update)")
	prepare
	echo "Refreshing apt's package lists"
	quietly "${apt[@]}" update || fail_with_log "apt-get update failed (its last lines stand above)."
fi
for group in "$@"; do
	if [ "$group" = qemu ]; then check_qemu_version; fi
done
