#!/bin/bash
#
# Another release of Debian in a folder, to build and try things in.
#
#	debian.sh make FOLDER SUITE PACKAGE... [-- PACKAGE...]
#	debian.sh enter FOLDER COMMAND...
#	debian.sh boot FOLDER COMMAND...
#	debian.sh mirror
#
# `make` takes the packages from the mirror this machine has its own from, and
# needs root.  Those behind -- are only fetched, with what they need: apt in
# there can install them without a network.  `enter` runs the command as root of that Debian, in namespaces of
# its own: it sees its own processes, mounts end with it, and the only network
# is an empty loopback.  Nothing of this machine is seen or changed.
#
# `boot` starts that Debian's systemd, runs the command beside it once everything
# is up, and ends both; what they write is gone then.  Status 99, with the reason:
# no systemd can be booted on this machine.

set -u -o pipefail
export LC_ALL=C.UTF-8

die() {
	echo "debian.sh: $*" >&2
	exit 1
}

# Where this machine's own Debian comes from.
mirror() {
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' \
		'Created-By: Packages' |
		sed -n 's/^Debian|Debian|//p' | sort -u | head -n 1
}

make_debian() {		# FOLDER SUITE PACKAGE... [-- PACKAGE...]
	local folder=$1 suite=$2 from packages=() fetched=()
	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		packages+=("$1")
		shift
	done
	[ $# -lt 2 ] || fetched=(--skip=cleanup/apt --customize-hook="
		APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-get -q -y -d \
			-o APT::Install-Recommends=true install ${*:2}")
	from=$(mirror)
	[ -n "$from" ] || die "no Debian mirror in this machine's apt sources"

	rm -rf --one-file-system "$folder.new" && mkdir -p "$folder.new" &&
		apt-config dump | grep -E '^Acquire::(http|Check)' \
			>"$folder.apt"
	# Its maker's mounts are seen by nobody, even if it is killed.
	unshare --mount --propagation private mmdebstrap \
		--mode=root --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" \
		--dpkgopt=force-unsafe-io "${fetched[@]}" \
		--aptopt="$(realpath "$folder.apt")" \
		--aptopt='Acquire::Retries "5"' \
		--skip=check/empty "$suite" "$folder.new" "$from" ||
		die "$suite cannot be made in $folder"
	rm -rf --one-file-system "$folder" && mv "$folder.new" "$folder"
}

# Runs in namespaces that are new.
change_root() {		# FOLDER COMMAND...
	local folder=$1
	shift
	mount --bind "$folder" "$folder" &&
		mount -t proc proc "$folder/proc" &&
		mount --rbind /sys "$folder/sys" &&
		mount --rbind /dev "$folder/dev" &&
		ip link set lo up &&
		cd "$folder" && mkdir -p .outside && pivot_root . .outside &&
		umount -l /.outside || exit 125
	exec env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"$@"
}

# ---- booting

readonly NOT_HERE=99

not_here() {
	echo "debian.sh: no systemd can be booted here: $*" >&2
	exit $NOT_HERE
}

# As container managers do it (systemd.io/CONTAINER_INTERFACE): in namespaces that
# are new, with a cgroup2 of its own.
init() {		# FOLDER
	local node
	cd "$1" && mount --bind . . && cd "$1" &&
		mount -t proc proc proc &&
		mount -t sysfs -o ro sysfs sys &&
		mount -t cgroup2 cgroup2 sys/fs/cgroup &&
		mount -t tmpfs -o mode=755 tmpfs run &&
		mount -t tmpfs -o mode=1777 tmpfs tmp &&
		mount -t tmpfs -o mode=755 tmpfs dev &&
		mkdir dev/pts dev/shm &&
		mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts &&
		mount -t tmpfs -o mode=1777 tmpfs dev/shm || exit $NOT_HERE
	# Of its own: systemd takes a console for itself (chmod 600), and a node
	# that is the machine's would be nobody else's from then on.
	for node in null:3 zero:5 full:7 random:8 urandom:9 console:3; do
		mknod -m 666 dev/${node%:*} c 1 ${node#*:} || exit $NOT_HERE
	done
	mknod -m 666 dev/tty c 5 0 || exit $NOT_HERE
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	mkdir -p .outside && pivot_root . .outside && umount -l /.outside ||
		exit $NOT_HERE
	exec env -i container=room /lib/systemd/systemd
}

beside_systemd() {	# COMMAND...
	nsenter -t "$systemd" --mount --uts --ipc --net --pid --root --wd \
		env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"$@"
}

# running, or degraded: up either way.  Nothing: it never came up.
await_systemd() {
	local tries state
	for ((tries = 0; tries < 240; tries++)); do
		kill -0 "$unshare" 2>/dev/null || return 1
		systemd=$(pgrep -P "$unshare")
		state=$([ -z "$systemd" ] ||
			beside_systemd systemctl is-system-running 2>/dev/null)
		case $state in
		running | degraded) return 0 ;;
		esac
		sleep 0.5
	done
	return 1
}

remove_cgroup() {
	find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
}

# In a mount namespace of its own.
boot() {		# FOLDER COMMAND...
	local folder status
	folder=$(realpath "$1")
	shift
	mount -t tmpfs tmpfs /mnt && mkdir /mnt/{up,work,root,cgroup} &&
		mount -t overlay -o \
		"lowerdir=$folder,upperdir=/mnt/up,workdir=/mnt/work" \
		overlay /mnt/root || not_here "there is no overlayfs"
	mount -t cgroup2 cgroup2 /mnt/cgroup || not_here "there is no cgroup2"
	cgroup=/mnt/cgroup/splitmail-$$
	mkdir $cgroup || not_here "no cgroup can be made"
	trap remove_cgroup EXIT
	(
		echo $BASHPID >$cgroup/cgroup.procs || exit $NOT_HERE
		exec unshare --cgroup --net --mount --propagation private --pid \
			--fork --kill-child --uts --ipc "$0" init /mnt/root
	) 2>/mnt/complaints &
	unshare=$!
	await_systemd || {
		kill -9 $unshare 2>/dev/null
		wait $unshare
		[ $? != $NOT_HERE ] || not_here "$(tail -n 1 /mnt/complaints)"
		die "systemd does not come up: $(tail -n 1 /mnt/complaints)"
	}
	beside_systemd "$@"
	status=$?
	kill -9 "$systemd"
	wait $unshare 2>/dev/null
	exit $status
}

case ${1:-} in
mirror)	mirror ;;
make)	shift; make_debian "$@" ;;
enter)
	shift
	exec unshare --net --mount --propagation private --pid --fork \
		--kill-child --uts "$0" inside "$@"
	;;
inside)	shift; change_root "$@" ;;
boot)	shift; exec unshare --mount --propagation private "$0" machine "$@" ;;
machine) shift; boot "$@" ;;
init)	shift; init "$@" ;;
*)	die "make, enter, boot or mirror" ;;
esac
