# dev's part: Debian 13 in a folder, and what is tried there.

trixie=build-trixie
trixie_line=

# Why there is none and can be none; nothing: there may be one.
trixie_hindrance() {
	if [ "$(id -u)" != 0 ]; then
		echo "making it needs root"
	elif ! command -v apt-get >/dev/null; then
		echo "this is no Debian"
	elif ! unshare --mount --net --pid --fork true 2>/dev/null; then
		echo "there are no namespaces here"
	fi
}

need_trixie() {
	[ -z "$(trixie_hindrance)" ] || return 0
	(need trixie)
	# Until apt has lists it does not know its mirrors.
	[ -n "$(test/debian/debian.sh mirror)" ] || apt update >/dev/null
}

# Made once for a list of packages, which takes some minutes.
make_trixie() {
	local packages stamp=$trixie/packages
	[ -z "$(trixie_hindrance)" ] || return 0
	packages=$(packages_of build serve demo test)
	[ "$(cat $stamp 2>/dev/null)" != "$packages" ] || return 0
	rm -f $stamp && mkdir -p $trixie || return 1
	test/debian/debian.sh make $trixie/root trixie $packages \
		>$logs/trixie-make.log 2>&1 && echo "$packages" >$stamp
}

# The sources as they are, and the console's pages.
copy_sources() {	# FOLDER
	rm -rf "$1" && mkdir -p "$1" || return 1
	if is_git_checkout; then
		git ls-files -z -c -o --exclude-standard
		[ ! -d web/dist ] || find web/dist -type f -print0
	else
		find . -path './build*' -prune -o -path ./web/node_modules -prune \
			-o -type f -print0
	fi | tar -c --null --files-from - --ignore-failed-read |
		tar -x -C "$1" || return 1
	# The folders are new; the pages are of these sources all the same.
	[ ! -e "$1/web/dist/index.html" ] || touch "$1/web/dist/index.html"
}

test_trixie() {
	local hindrance log=$logs/trixie.log status number

	heading "Debian 13 ($trixie/): the demo, logins and delivery"
	hindrance=$(trixie_hindrance)
	if ! make_trixie; then
		tail -n 20 $logs/trixie-make.log
		hindrance="it could not be made"
	fi
	if [ -n "$hindrance" ]; then
		trixie_line="Debian 13: not tried, $hindrance"
		echo "dev: $trixie_line"
		count 0 0 1
		return
	fi
	copy_sources $trixie/root/src/splitmail &&
		test/debian/debian.sh enter $trixie/root \
			/src/splitmail/test/debian/try.sh 2>&1 | tee $log
	status=$?
	number=$passed
	count_pytest $status $log
	trixie_line="Debian 13: $((passed - number)) passed"
}
