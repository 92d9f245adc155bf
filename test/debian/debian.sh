#!/bin/bash
#
# Another release of Debian in a folder, to build and try things in.
#
#	debian.sh make FOLDER SUITE PACKAGE...
#	debian.sh enter FOLDER COMMAND...
#	debian.sh mirror
#
# `make` takes the packages from the mirror this machine has its own from, and
# needs root.  `enter` runs the command as root of that Debian, in namespaces of
# its own: it sees its own processes, mounts end with it, and the only network
# is an empty loopback.  Nothing of this machine is seen or changed.

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

make_debian() {		# FOLDER SUITE PACKAGE...
	local folder=$1 suite=$2 from
	shift 2
	from=$(mirror)
	[ -n "$from" ] || die "no Debian mirror in this machine's apt sources"

	rm -rf --one-file-system "$folder.new" && mkdir -p "$folder.new" &&
		apt-config dump | grep -E '^Acquire::(http|Check)' \
			>"$folder.apt"
	# Its maker's mounts are seen by nobody, even if it is killed.
	unshare --mount --propagation private mmdebstrap \
		--mode=root --variant=minbase --include="$(IFS=,; echo "$*")" \
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

case ${1:-} in
mirror)	mirror ;;
make)	shift; make_debian "$@" ;;
enter)
	shift
	exec unshare --net --mount --propagation private --pid --fork \
		--kill-child --uts "$0" inside "$@"
	;;
inside)	shift; change_root "$@" ;;
*)	die "make, enter or mirror" ;;
esac
