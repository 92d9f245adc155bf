# dev's part: Debian packages, each built in the release of Debian it is for.

debian=build-debian
suites=(bookworm trixie)	# Debian 12 and 13

# What the binary is made of, without the tests.
make_build_room() {	# SUITE
	make_room $debian/$1/build $1 "$(packages_of build deb)"
}

# With a systemd to boot, an Exim, and all that apt will want, fetched.
make_try_room() {	# SUITE
	make_room $debian/$1/try $1 "$(packages_of try)" \
		"$(packages_of serve; packages_of build | grep ^lib)"
}

# Packages of TARBALL in FOLDER, and what lintian thinks of them; the room has no
# network.
build_debs() {		# SUITE TARBALL FOLDER [VARIABLE=VALUE...]
	local suite=$1 tarball=$2 into=$3 room=$debian/$1/build/root
	shift 3
	rm -rf "$room/package" "$into" && mkdir -p "$room/package/out" "$into" &&
		cp "$tarball" "$room/package/" &&
		cp packaging/build-debs "$room/package/" &&
		test/debian/debian.sh enter "$room" env "$@" /package/build-debs \
			"/package/${tarball##*/}" /package/out "$suite" &&
		test/debian/debian.sh enter "$room" sh -c \
			'cd /package/out && lintian --allow-root --info --fail-on error,warning *.changes' &&
		mv "$room"/package/out/* "$into/" && rm -rf "$room/package"
}

# For a release: of what is committed.
package() {		# [SUITE...]
	local suite hindrance log
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
		log=$logs/package-$suite.log
		echo "dev: packages for $suite: $log"
		make_build_room $suite ||
			die "$suite cannot be made: $logs/debian-$suite-build-make.log"
		build_debs $suite "splitmail-$(version).tar.xz" \
			$debian/$suite/packages >$log 2>&1 ||
			{ tail -n 30 $log >&2; die "no packages for $suite: $log"; }
		ls $debian/$suite/packages/*.deb
	done
}
