# dev's part: Debian packages, each built in the release of Debian it is for, and
# tried in that release, booted.

debian=build-debian
suites=(bookworm trixie)	# Debian 12 and 13
package_lines=()

# What the binary is made of, without the tests.
make_build_room() {	# SUITE
	make_room $debian/$1/build $1 "$(packages_of build deb)"
}

# With a systemd to boot, an Exim, and all that apt will want, fetched.
make_try_room() {	# SUITE
	make_room $debian/$1/try $1 "$(packages_of try)" \
		"$(packages_of serve; packages_of build | grep ^lib)"
}

# Packages of TARBALL in FOLDER; the room has no network.
build_debs() {		# SUITE TARBALL FOLDER [VARIABLE=VALUE...]
	local suite=$1 tarball=$2 into=$3 room=$debian/$1/build/root
	shift 3
	rm -rf "$room/package" "$into" && mkdir -p "$room/package/out" "$into" &&
		cp "$tarball" packaging/build-debs "$room/package/" &&
		test/debian/debian.sh enter "$room" env "$@" \
			/package/build-debs "/package/${tarball##*/}" \
			/package/out "$suite" &&
		mv "$room"/package/out/* "$into/" && rm -rf "$room/package"
}

# What lintian of that release thinks of them.
lint_debs() {		# SUITE FOLDER
	local room=$debian/$1/build/root status
	rm -rf "$room/package" && cp -R "$2" "$room/package" || return 1
	test/debian/debian.sh enter "$room" sh -c 'lintian --allow-root --info \
		--fail-on error,warning /package/*.changes'
	status=$?
	rm -rf "$room/package"
	return $status
}

# For a release: of what is committed.
package() {		# [SUITE...]
	local suite hindrance log into
	for suite; do
		[[ " ${suites[*]} " == *" $suite "* ]] ||
			die "$suite: packages are made for ${suites[*]}"
	done
	[ $# -gt 0 ] || set -- "${suites[@]}"
	hindrance=$(room_hindrance)
	[ -z "$hindrance" ] ||
		die "packages are built in a Debian of their own: $hindrance"
	need tarball
	need_rooms
	release_tarball
	mkdir -p $logs
	for suite; do
		log=$logs/package-$suite.log into=$debian/$suite/packages
		echo "dev: packages for $suite: $log"
		make_build_room $suite ||
			die "$suite cannot be made: $logs/debian-$suite-build-make.log"
		{
			build_debs $suite "splitmail-$(version).tar.xz" $into &&
				lint_debs $suite $into
		} >$log 2>&1 ||
			{ tail -n 30 $log >&2; die "no packages for $suite: $log"; }
		ls $into/*.deb
	done
}

# ---- trying them

# TARBALL as if a version had followed that changes the directory.
next_tarball() {	# TARBALL FOLDER
	local room name schema last
	room=$(mktemp -d) || return 1
	tar -xf "$1" -C "$room" && name=$(ls "$room") &&
		schema=$room/$name/src/directory/schema.sql &&
		last=$(sed -n 's/^-- version //p' "$schema" | tail -n 1) &&
		printf '\n-- version %d\n\nCREATE TABLE tried (x INTEGER);\n' \
			$((last + 1)) >>"$schema" &&
		sed -i "s/^\([[:space:]]*version: '.*\)',$/\1.1',/" \
			"$room/$name/meson.build" &&
		mv "$room/$name" "$room/$name.1" &&
		tar -cJf "$2/$name.1.tar.xz" -C "$room" "$name.1"
	local status=$?
	rm -rf "$room"
	return $status
}

# Whoever builds them, where and when: the same bytes.
same_debs() {		# FOLDER FOLDER
	local file
	for file in "$1"/*.deb "$1"/*.dsc "$1"/*.debian.tar.xz; do
		cmp "$file" "$2/${file##*/}" || return 1
	done
}

# What did not change is compiled once.
readonly CACHED=(PATH=/usr/lib/ccache:/usr/sbin:/usr/bin:/sbin:/bin
	CCACHE_DIR=/var/cache/ccache CCACHE_NOHASHDIR=1)

build_now_and_next() {	# SUITE
	local into=$debian/$1/tried name
	name=splitmail-$(version)
	build_debs $1 $debian/$name.tar.xz $into/now "${CACHED[@]}" &&
		lint_debs $1 $into/now &&
		build_debs $1 $debian/$name.1.tar.xz $into/next "${CACHED[@]}"
}

build_again() {		# SUITE
	local into=$debian/$1/tried
	build_debs $1 "$debian/splitmail-$(version).tar.xz" $into/again \
		TZ=Asia/Tokyo LC_ALL=C TMPDIR=/var/tmp DEB_BUILD_OPTIONS=parallel=1 &&
		same_debs $into/now $into/again
}

# A story in a Debian that is booted for it.  Status 99: nothing can be booted.
try_story() {		# SUITE STORY
	local log=$logs/package-$1-$2.log status
	test/debian/debian.sh boot $debian/$1/try/root sh -c \
		"cd /package/package && exec python3 -m pytest -x -ra \
		-p no:cacheprovider --timeout 900 --durations 5 test_$2.py" \
		2>&1 </dev/null | tee $log
	status=${PIPESTATUS[0]}
	[ $status != 99 ] || return 99
	count_pytest $status $log
}

try_packages() {	# SUITE
	local room=$debian/$1/try/root story number=$passed
	rm -rf "$room/package" && mkdir "$room/package" &&
		cp -R test/debian/package test/scenario "$room/package/" &&
		cp -R $debian/$1/tried/now $debian/$1/tried/next \
			"$room/package/package/" || return 1
	for story in package beside_dovecot; do
		try_story $1 $story && continue
		count 0 0 1
		package_lines+=("Packages in $1: built and not tried: $(grep -h \
			'^debian.sh: ' $logs/package-$1-$story.log)")
		return
	done
	package_lines+=("Packages in $1: $((passed - number)) passed")
}

make_package_rooms() {
	local suite pids=() pid
	for suite in "${suites[@]}"; do
		make_build_room $suite & pids+=($!)
		make_try_room $suite & pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait $pid || return 1
	done
}

package_fault() {	# LOG
	tail -n 30 "$1"
	count 0 1
}

test_package() {
	local hindrance suite log tree tarball
	tarball=$debian/splitmail-$(version).tar.xz

	heading "Debian packages, built and tried ($debian/)"
	hindrance=$(room_hindrance)
	[ -n "$hindrance" ] || is_git_checkout || hindrance="this is no git checkout"
	[ -n "$hindrance" ] || [ -z "$pages_are_missing" ] ||
		hindrance=$pages_are_missing
	if [ -n "$hindrance" ] || ! make_package_rooms; then
		package_lines=("Packages: not tried, ${hindrance:-a Debian to build in could not be made}")
		[ -n "$hindrance" ] || tail -n 5 $logs/debian-*-make.log
		echo "dev: ${package_lines[0]}"
		count 0 0 1
		return
	fi
	tree=$(tree_as_it_is) && make_tarball "$tree" "$tarball" &&
		next_tarball "$tarball" $debian || { count 0 1; return; }
	for suite in "${suites[@]}"; do
		log=$logs/package-$suite-build.log
		build_now_and_next $suite >$log 2>&1 ||
			{ package_fault $log; continue; }
		count 1
		try_packages $suite
	done
	test_image
	log=$logs/package-again-build.log
	if build_again ${suites[0]} >$log 2>&1; then
		echo "dev: built in another place, zone and locale: the same bytes"
		count 1
	else
		package_fault $log
	fi
}
