# dev's part: everything is tried, side by side, counted and timed.

# ---- testing ------------------------------------------------------------

passed=0 failed=0 skipped=0

count() {		# PASSED FAILED SKIPPED
	passed=$((passed + ${1:-0}))
	failed=$((failed + ${2:-0}))
	skipped=$((skipped + ${3:-0}))
}

# A part that ended badly has failed even if nothing in its log says so.
count_part() {		# STATUS PASSED FAILED SKIPPED
	local bad=${3:-0}
	[ "$1" = 0 ] || [ "$bad" -gt 0 ] || bad=1
	count "${2:-0}" "$bad" "${4:-0}"
}

heading() {
	printf '\n==== %s\n' "$*"
}

# ---- the time it takes

sim_sanitized=40	# new worlds in each run
sim_worlds=260		# and these without sanitizers, a quarter of the price
budget_minutes=10	# of the whole without --all, on two processors
clock_begun=$SECONDS
spent=()
budget_line=

clock() {		# WHAT COMMAND...
	local what=$1 begun=$SECONDS
	shift
	"$@"
	spent+=("$what $((SECONDS - begun)) s")
}

minutes() {		# SECONDS
	printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

# What the shell has waited for: "0m0.000s 0m0.000s" on the second line.  A pipe
# would ask a shell of its own.
processor_minutes() {
	local m1 s1 m2 s2
	times >$logs/times
	IFS=' ms' read -r m1 s1 m2 s2 < <(tail -n 1 $logs/times)
	processors=$(minutes $((60 * (m1 + m2) + ${s1%.*} + ${s2%.*})))
}

# Of all that was clocked until now.
note_budget() {
	local took=$((SECONDS - clock_begun)) list processors
	printf -v list ', %s' "${spent[@]}"
	processor_minutes
	budget_line="Time: $(minutes $took)"
	[ -z "$budget_minutes" ] || budget_line+=" of $budget_minutes minutes"
	budget_line+=" (processors: $processors): ${list:2}"
}

# ---- parts that run beside the others

declare -A beside_pid=()

# Its output comes, and its counts are added, with join().
beside() {		# NAME FUNCTION ARGUMENT...
	local name=$1
	shift
	rm -f "$logs/$name.counts"
	set -m		# a process group of its own, to be ended with
	(
		set +m
		passed=0 failed=0 skipped=0 begun=$SECONDS
		"$@"
		echo "$passed $failed $skipped $((SECONDS - begun))" \
			>"$logs/$name.counts"
	) >"$logs/$name.out" 2>&1 </dev/null &
	set +m
	beside_pid[$name]=$!
	trap end_beside EXIT
	trap 'exit 130' INT TERM
}

end_beside() {
	local pid
	for pid in "${beside_pid[@]}"; do
		kill -- "-$pid" 2>/dev/null
	done
}

join() {		# NAME
	local name=$1 counts

	wait "${beside_pid[$name]}"
	unset "beside_pid[$name]"
	cat "$logs/$name.out"
	counts=($(cat "$logs/$name.counts"))
	if [ ${#counts[@]} = 4 ]; then
		count "${counts[@]:0:3}"
		spent+=("($name ${counts[3]} s)")
	else
		echo "dev: $name ended before its time"
		count 0 1
	fi
}

# Who is in no hurry lets the others go first.
in_no_hurry() {		# FUNCTION ARGUMENT...
	renice -n 10 $BASHPID >/dev/null
	"$@"
}

test_unit() {
	heading "unit tests (build-test/)"
	meson test -C build-test --no-rebuild --print-errorlogs \
		--num-processes "$(nproc)" --timeout-multiplier 20 2>&1 </dev/null | tee $logs/unit.log
	local status=$?
	number() { sed -n "s/^$1: *\([0-9]\+\)[[:space:]]*$/\1/p" $logs/unit.log; }
	count_part $status "$(number Ok)" \
		"$(($(number Fail || :) + $(number Timeout || :) + 0))" \
		"$(number Skipped)"
}

# pytest's last line: "= 3 failed, 10 passed, 1 skipped in 4.5s =".
count_pytest() {	# STATUS LOG
	local line
	line=$(grep -E '^=*.* in [0-9.]+s' "$2" | tail -n 1)
	of() { grep -oE "[0-9]+ $1" <<<"$line" | grep -oE '^[0-9]+'; }
	local bad=$(($(of failed || echo 0) + $(of errors? || echo 0)))
	count_part "$1" "$(of passed)" $bad "$(of skipped)"
}

test_lint() {
	heading "lint, and its own tests"
	$python test/lint/lint.py 2>&1 | tee $logs/lint.log
	if [ ${PIPESTATUS[0]} = 0 ]; then count 1 0; else count 0 1; fi
	lint_api 2>&1 | tee $logs/lint-api.log
	case ${PIPESTATUS[0]} in
	0)	count 1 ;;
	2)	count 0 0 1 ;;
	*)	count 0 1 ;;
	esac
	$python -m pytest -q -p no:cacheprovider test/lint 2>&1 </dev/null |
		tee $logs/lint-tests.log
	count_pytest ${PIPESTATUS[0]} $logs/lint-tests.log
}

# Twenty worlds do not find all; that is for ./dev mutants to say.
test_mutants() {
	heading "planted faults (build-mutants/)"
	if build_mutants >$logs/mutants-build.log 2>&1; then
		$python tools/dev/mutants.py build-mutants --worlds 20 2>&1 |
			tee $logs/mutants.log
		count_part $((PIPESTATUS[0] > 1)) \
			"$(grep -c '^found ' $logs/mutants.log)" 0 \
			"$(grep -c '^NOT FOUND ' $logs/mutants.log)"
		$python -m pytest -q -p no:cacheprovider -k planted test/sim \
			2>&1 </dev/null | tee $logs/small.log
		count_pytest ${PIPESTATUS[0]} $logs/small.log
	else
		cat $logs/mutants-build.log
		count 0 1
	fi
}

live_worlds() {		# BUILD SEED WORLDS
	local log=$logs/sim-$1.log
	ASAN_OPTIONS=leak_check_at_exit=0 $1/test/sim/splitmail-sim --seed $2 --worlds $3 \
		2>&1 | tee $log
	count_part ${PIPESTATUS[0]} \
		"$(sed -n 's/^\([0-9]*\) worlds .*/\1/p' $log)" \
		"$(grep -c '^WRONG in world' $log)"
}

# Worlds nobody has seen, by the commit; those of the corpus are unit tests.
test_sim() {
	local seed=1
	heading "simulated worlds (docs/simulation.md)"
	is_git_checkout && seed=$((16#$(git rev-parse --short=10 HEAD)))
	live_worlds build-test $seed $sim_sanitized
	if (build_sim) >$logs/sim-build.log 2>&1; then
		live_worlds build-sim $((seed + sim_sanitized)) $sim_worlds
	else
		cat $logs/sim-build.log
		count 0 1
	fi
	$python -m pytest -q -p no:cacheprovider -k 'not planted' test/sim 2>&1 \
		</dev/null | tee $logs/sim-tests.log
	count_pytest ${PIPESTATUS[0]} $logs/sim-tests.log
}

# What a mail costs, in instructions.
test_cost() {
	heading "what a mail costs (build-cost/)"
	if build_cost >$logs/cost-build.log 2>&1; then
		$python tools/dev/cost.py build-cost/test/sim/splitmail-cost \
			2>&1 | tee $logs/cost.log
		count_part ${PIPESTATUS[0]} "$(grep -c '^ok ' $logs/cost.log)" \
			"$(grep -c '^DEAR ' $logs/cost.log)" \
			"$(grep -c '^skipped ' $logs/cost.log)"
	else
		cat $logs/cost-build.log
		count 0 1
	fi
}

test_fuzz() {		# WORKERS SECONDS
	heading "fuzzing, $2 seconds (build-fuzz/)"
	if build_fuzzers >$logs/fuzz-build.log 2>&1; then
		fuzz "$1" "$2"
		count_part $? "$(grep -c '^ok ' $logs/fuzz.log)" \
			"$(grep -c '^FAIL ' $logs/fuzz.log)"
	else
		cat $logs/fuzz-build.log
		count 0 1
	fi
}

# They wait for each other's servers more than they compute.
most_workers() {
	echo $((6 * $(nproc) < 12 ? 6 * $(nproc) : 12))
}

test_scenario() {	# PYTEST-ARGUMENT...
	heading "scenarios: whole servers and real peers"
	local log=${scenario_log:-$logs/scenario.log}
	local workers=(-n "${scenario_workers:-$(most_workers)}" --dist loadgroup)
	[[ " $* " == *" -n"* || " $* " == *" --pdb "* ]] && workers=()
	# Files may be named as they are in test/scenario.
	local argument arguments=() named=0
	for argument; do
		[[ $argument == test/scenario/* ]] && named=1
		if [[ $argument == test_*.py* ]]; then
			argument=test/scenario/$argument
			named=1
		fi
		arguments+=("$argument")
	done
	[ $named = 1 ] || arguments+=(test/scenario)
	# So wide that the reasons of what failed are not cut off.
	COLUMNS=200 SPLITMAIL_BINARY=${SPLITMAIL_BINARY:-$PWD/build-test/splitmail} \
		$python -m pytest -p no:cacheprovider -ra --timeout 900 \
		--durations 25 "${workers[@]}" \
		"${arguments[@]}" 2>&1 </dev/null | tee "$log"
	count_pytest ${PIPESTATUS[0]} "$log"
}

# A command's prefix that leaves it no network, where that is permitted.
without_network() {
	if unshare --net true 2>/dev/null; then
		echo unshare --net
	elif unshare --map-root-user --net true 2>/dev/null; then
		echo unshare --map-root-user --net
	else
		echo "dev: no network namespaces here: the tarball is built" \
			"with the network within reach" >&2
	fi
}

# As a packager does it: of the tarball, without npm and network.
build_from_tarball() {	# FOLDER
	local name tree
	name=splitmail-$(version)

	rm -rf "$1" && mkdir -p "$1/path" || return 1
	tree=$(tree_as_it_is) && make_tarball "$tree" "$1/$name.tar.xz" &&
		(umask 077 && TZ=Asia/Tokyo make_tarball "$tree" \
			"$1/again.tar.xz") || return 1
	cmp "$1/$name.tar.xz" "$1/again.tar.xz" || {
		echo "dev: two tarballs of one tree differ"
		return 1
	}
	tar -xf "$1/$name.tar.xz" -C "$1" || return 1
	printf '#!/bin/sh\necho "npm was called" >&2\nexit 1\n' >"$1/path/npm"
	chmod +x "$1/path/npm"
	PATH=$PWD/$1/path:$PATH $(without_network) "$1/$name/dev" build &&
		[ -x "$1/$name/build/splitmail" ]
}

# Sanitizers need larger stacks, and so hide what ours are too small for.
test_release() {
	local binary=$PWD/build/splitmail

	heading "the release binary, of the tarball (build-release/)"
	if ! is_git_checkout; then
		echo "dev: no git checkout: the binary is built where it stands"
		(build_release)
	elif [ -n "$pages_are_missing" ]; then
		echo "dev: the tarball is not tried: $pages_are_missing"
		count 0 0 1
		(build_release)
	else
		build_from_tarball build-release
		binary=$PWD/build-release/splitmail-$(version)/build/splitmail
	fi >$logs/release.log 2>&1 || {
		cat $logs/release.log
		count 0 1
		return
	}
	grep '^dev: ' $logs/release.log
	SPLITMAIL_BINARY=$binary scenario_log=$logs/release-scenario.log \
		test_scenario test_built_pages.py test_split.py \
		test_internet.py test_demo.py
}

# ---- fuzzing

fuzz_one() {		# BINARY SECONDS
	local name log corpus
	name=$(basename "$1")
	log=$logs/fuzz-$name.log
	corpus=build-fuzz/corpus/$name
	mkdir -p "$corpus" build-fuzz/found
	local seeds=()
	[ -d "test/fuzz/$name" ] && seeds=("test/fuzz/$name")
	if "$1" -max_total_time="$2" -timeout=60 -rss_limit_mb=2048 \
		-artifact_prefix="build-fuzz/found/$name-" -print_final_stats=1 \
		"$corpus" "${seeds[@]}" >"$log" 2>&1 </dev/null; then
		echo "ok   $name: $(sed -n 's/^stat::number_of_executed_units: *//p' \
			"$log") inputs in $2 s"
	else
		tail -n 60 "$log"
		echo "FAIL $name: see $log and build-fuzz/found/"
		return 1
	fi
}

# SECONDS are of all WORKERS together.
fuzz() {		# WORKERS SECONDS TARGET...
	local workers=$1 seconds=$2 binary each
	shift 2
	local targets=()
	while IFS= read -r binary; do
		if [ $# = 0 ] || [[ " $* " == *" $(basename "$binary") "* ]]; then
			targets+=("$binary")
		fi
	done < <(find build-fuzz/src -type f -name '*_fuzz' -perm -u+x | sort)
	if [ ${#targets[@]} = 0 ]; then
		echo "dev: no fuzz target of that name"
		return $(($# > 0))
	fi
	mkdir -p $logs
	each=$((seconds / ${#targets[@]}))
	[ $each -ge 1 ] || each=1
	export -f fuzz_one
	export logs
	printf '%s\n' "${targets[@]}" |
		xargs -P "$workers" -I{} bash -c 'fuzz_one "$@"' fuzz {} "$each" |
		tee $logs/fuzz.log
}

# ---- the whole

# Two processors, and much that waits: what is only built and what may take
# its time goes on beside the unit tests and scenarios.
test_everything() {
	beside peers need_peers
	clock build sanitized_or_die
	beside unit test_unit
	beside lint test_lint
	beside sim in_no_hurry test_sim
	beside fuzz in_no_hurry test_fuzz 1 ${fuzz_seconds:-40}
	beside cost in_no_hurry test_cost
	join peers
	[ -z "${scenarios_alone:-}" ] || clock rest join_the_rest
	clock scenarios test_scenario
	[ -n "${scenarios_alone:-}" ] || clock rest join_the_rest
}

join_the_rest() {
	join lint
	join unit
	join sim
	join fuzz
	join cost
}

# What takes longer or needs room of its own: greater numbers, more fuzzing,
# planted faults, the release binary of a tarball built without network, Debian 13,
# packages.
# Here the scenarios have the machine to themselves: nothing is in a hurry, and a
# machine may be slow.
test_all() {
	budget_minutes=
	need_rooms
	beside trixie in_no_hurry make_trixie
	SPLITMAIL_ALL=1 fuzz_seconds=300 scenarios_alone=1 \
		scenario_workers=$((2 * $(nproc))) test_everything
	clock mutants test_mutants
	clock release test_release
	join trixie
	clock 'Debian 13' test_trixie
	clock packages test_package
}

sanitized_or_die() {
	heading "building with sanitizers (build-test/)"
	build_sanitized 2>&1 | tee $logs/build.log || { count 0 1; summary; }
}

run_tests() {		# PART ARGUMENT...
	local part=${1:-everything}
	[ $# -gt 0 ] && shift
	case $part in
	everything | --all | unit | lint | sim | cost | fuzz | scenario | release | \
		trixie | package) ;;
	*) usage ;;
	esac
	need build serve demo test fuzz lint tarball
	mkdir -p $logs
	touch $logs/begun

	case $part in
	everything | --all | scenario | release)
		(need browser) || echo "dev: no browser: the pages are not tried" >&2
		;;
	esac
	case $part in
	unit | lint | sim | cost | fuzz) ;;
	*)
		build_pages || count 0 1
		[ -z "$pages_are_missing" ] || count 0 0 1
		;;
	esac
	case $part in
	everything)
		test_everything
		note_budget
		;;
	--all)
		test_all
		note_budget
		;;
	trixie)
		need_rooms
		test_trixie
		;;
	package)
		need_rooms
		test_package
		;;
	unit)
		sanitized_or_die
		test_unit
		;;
	sim)
		sanitized_or_die
		test_sim
		;;
	scenario)
		sanitized_or_die
		need_peers
		test_scenario "$@"
		;;
	release)
		need_peers
		test_release
		;;
	fuzz)	test_fuzz 2 120 ;;
	*)	"test_$part" ;;
	esac
	summary
}

# What failed, and the first line of why: of a log that was cut off, too, this is
# left.
list_failed() {
	local log
	find $logs -name '*.log' -newer $logs/begun | sort | while read -r log; do
		case ${log##*/} in
		scenario.log | release-scenario.log | lint-tests.log | trixie.log | \
			sim-tests.log | small.log | package-*-package.log | \
			package-*-beside_dovecot.log)
			grep -E '^(FAILED|ERROR) ' "$log"
			;;
		unit.log)
			grep -E '^ *[0-9]+/[0-9]+ .* (FAIL|TIMEOUT|ERROR) |_test\.[ch]:[0-9]+: |check failed' \
				"$log"
			;;
		lint.log | lint-api.log) grep -iE '\berror: ' "$log" ;;
		sim-build-*.log) grep -E '^WRONG |ERROR: ' "$log" ;;
		mutants.log | cost.log) grep -E '^DEAR |Error' "$log" ;;
		fuzz.log) grep '^FAIL ' "$log" ;;
		*build.log | release.log) grep -m 3 -E '\berror: |^FAILED: ' "$log" ;;
		esac
	done | awk '!seen[$0]++' | cut -c 1-300 | head -n 40
}

summary() {
	local line="$passed passed, $failed failed"
	[ $skipped = 0 ] || line="$line, $skipped skipped"
	if [ $failed != 0 ]; then
		printf '\n==== what failed (%s/)\n' $logs
		list_failed
	fi
	echo
	[ -z "$budget_line" ] || echo "$budget_line"
	[ -z "$trixie_line" ] || echo "$trixie_line"
	[ ${#package_lines[@]} = 0 ] || printf '%s\n' "${package_lines[@]}"
	printf '\n%s\n' "$line"
	[ $failed = 0 ] && [ $passed -gt 0 ]
	exit
}
