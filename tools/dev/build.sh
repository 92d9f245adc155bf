# dev's part: binaries, pages, the tarball.

# ---- building -----------------------------------------------------------

configure() {		# FOLDER MESON-OPTION...
	[ -e "$1/build.ninja" ] || meson setup "$@"
}

compile() {		# FOLDER MESON-OPTION...
	local folder=$1
	configure "$@" && ninja -C "$folder" || return 1
	# Whatever folder the binary is made in, this is its name.
	if [ -x "$folder/src/main/splitmail" ]; then
		ln -sfn src/main/splitmail "$folder/splitmail"
	fi
}

# ---- npm: the console's pages, and the linter of the API's document ------

# Asked with an empty cache: npm would answer from a full one by itself.
registry_answers() {
	local cache status
	cache=$(mktemp -d) || return 1
	npm view npm version --fetch-retries=2 --cache "$cache" >/dev/null 2>&1
	status=$?
	rm -rf "$cache"
	return $status
}

# What web/package-lock.json names, into web/node_modules.  Status 2, with the
# reason in $npm_is_missing: there is nothing to have it from.
npm_packages() {
	local log=$logs/npm-packages.log

	npm_is_missing=
	[ web/package-lock.json -nt web/node_modules/.package-lock.json ] ||
		return 0
	command -v npm >/dev/null || (need pages)
	if ! command -v npm >/dev/null; then
		npm_is_missing="there is no npm"
		return 2
	fi
	mkdir -p $logs
	echo "dev: installing what web/package-lock.json names"
	if registry_answers; then
		npm --prefix web ci --ignore-scripts --prefer-offline \
			>$log 2>&1 && return 0
		tail -n 20 $log >&2
		return 1
	fi
	npm --prefix web ci --ignore-scripts --offline >$log 2>&1 && return 0
	npm_is_missing="npm's registry does not answer"
	return 2
}

pages_are_fresh() {
	[ -e web/dist/index.html ] && [ -z "$(find web/src web/*.* \
		src/console/openapi.json -newer web/dist/index.html \
		-not -path 'web/src/generated*' -print -quit)" ]
}

# web/dist; meson puts what lies there into the binary.  Pages that cannot be
# built are an error.  Only without npm, or without its registry, is the binary
# built all the same; $pages_are_missing then says why.
build_pages() {
	pages_are_missing=
	pages_are_fresh && return 0
	npm_packages
	case $? in
	0)	;;
	2)	pages_are_missing="the console's pages were not built: $npm_is_missing"
		[ ! -e web/dist/index.html ] || pages_are_missing+=\
"; those in web/dist are older than their sources"
		echo "dev: $pages_are_missing" >&2
		return 0
		;;
	*)	return 1 ;;
	esac
	echo "dev: building the console's pages (web/dist)"
	mkdir -p $logs
	npm --prefix web run build >$logs/pages.log 2>&1 && return 0
	tail -n 20 $logs/pages.log >&2
	return 1
}

# The API's document by the rules of web/redocly.yaml.  Status 2: not looked at.
lint_api() {
	npm_packages
	case $? in
	0)	npm --prefix web run --silent lint || return 1 ;;
	2)	echo "dev: ATTENTION: openapi.json was not linted: $npm_is_missing"
		return 2
		;;
	*)	return 1 ;;
	esac
}

build_release() {
	need build
	build_pages || die "the console's pages cannot be built"
	compile build -Ddebug=false -Doptimization=2 -Dtests=false ||
		die "the build failed"
}

# What it is for is to be fast.
build_sim() {
	configure build-sim -Doptimization=2 >/dev/null &&
		ninja -C build-sim --quiet test/sim/splitmail-sim ||
		die "the simulation does not build"
}

# ---- the release's tarball -----------------------------------------------

is_git_checkout() {
	[ -e .git ] && command -v git >/dev/null
}

version() {
	sed -n "s/^[[:space:]]*version: '\(.*\)',$/\1/p" meson.build
}

# What lies here and is not ignored, committed or not, as a tree of git's.
tree_as_it_is() {
	local index
	index=$(mktemp -d) || return 1
	(
		export GIT_INDEX_FILE=$index/index
		git read-tree HEAD && git add -A . && git write-tree
	)
	rm -rf "$index"
}

# The sources of a tree of git's, and the pages in web/dist.  The same tree
# makes the same bytes, whoever packs it, wherever and when.
make_tarball() {	# TREE FILE
	local name room date status
	name=splitmail-$(version)
	room=$(mktemp -d) || return 1
	date=$(git log -1 --format=%ct) &&
		git archive --prefix="$name/" "$1" | tar -x -C "$room" &&
		cp -R web/dist "$room/$name/web/dist" &&
		tar -c -C "$room" --format=ustar --sort=name --mtime="@$date" \
			--owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
			"$name" | xz -T1 -6 >"$2"
	status=$?
	rm -rf "$room"
	return $status
}

all_is_committed() {
	local dirty
	dirty=$(git status --porcelain) || die "git cannot say what is committed"
	[ -z "$dirty" ] || die "not everything is committed:"$'\n'"$dirty"
}

release_tarball() {
	local file
	file=splitmail-$(version).tar.xz
	is_git_checkout || die "a tarball is made of a git checkout; this is none"
	all_is_committed
	rm -rf web/dist		# what goes to others is built anew
	build_pages || die "the console's pages cannot be built"
	[ -z "$pages_are_missing" ] ||
		die "a tarball carries the pages, and $pages_are_missing"
	all_is_committed	# still: the pages are of what is packed
	make_tarball HEAD "$file" || die "$file was not made"
	echo "dev: $file is ready"
	sha256sum "$file"
}

build_sanitized() {
	compile build-test -Ddebug=true -Doptimization=1 -Dtests=true \
		-Db_sanitize=address,undefined
}

# As what is installed is, and who is charged for an instruction (-g).
build_cost() {
	configure build-cost -Ddebug=false -Doptimization=2 -Dtests=false \
		-Dcost=true -Dc_args=-g || return 1
	ninja -C build-cost test/sim/splitmail-cost
}

# The tests of what faults are planted in, without sanitizers: they run often.
build_mutants() {
	configure build-mutants -Ddebug=true -Doptimization=1 -Dtests=true \
		-Dmutants=true || return 1
	ninja -C build-mutants $(ninja -C build-mutants -t targets all | sed -nE \
		's,^(test/sim/[^/:]+|src/(queue|route|filter|deliver|smtp)/[^/:]+_test): .*_LINKER.*,\1,p')
}

# The parsers and their targets, and nothing of the server.
build_fuzzers() {
	CC="$(command -v ccache) clang" configure build-fuzz -Ddebug=true -Doptimization=1 \
		-Dtests=false -Dfuzzers=true -Db_sanitize=address,undefined \
		-Db_lundef=false -Dwerror=false -Dc_args=-fsanitize=fuzzer-no-link &&
		ninja -C build-fuzz fuzzers
}

export ASAN_OPTIONS=${ASAN_OPTIONS:-abort_on_error=0:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
