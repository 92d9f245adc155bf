# dev's part: Debian 13 in a folder, and what is tried there.

trixie=build-trixie
trixie_line=

make_trixie() {
	make_room $trixie trixie "$(packages_of build serve demo test)"
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
	hindrance=$(room_hindrance)
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
