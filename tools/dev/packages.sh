# dev's part: Debian packages, installed or only unpacked.

packages_of() {		# GROUP...
	local group
	for group; do
		sed -n "s/^$group[[:space:]]\+//p" packaging/depends
	done | sort -u
}

packages_missing() {	# PACKAGE...
	local package have
	have=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null)"
	for package; do
		[[ $have == *" installed:$package "* ]] || echo "$package"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# A mirror that fails once is asked again, one that is slow is waited for.
patience=(-o Acquire::Retries=5 -o Acquire::http::Timeout=120
	-o Acquire::https::Timeout=120)

apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 \
		"${patience[@]}" "$@"
}

need() {		# GROUP...
	local missing policy plan fresh

	mapfile -t missing < <(packages_missing $(packages_of "$@"))
	[ ${#missing[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null ||
		die "install these packages first: ${missing[*]}"
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		die "not root and no sudo; install first: ${missing[*]}"
	fi
	echo "dev: missing: ${missing[*]}"
	apt update >/dev/null || die "apt-get update failed"

	plan=$(apt -s install --no-install-recommends "${missing[@]}") ||
		die "apt-get cannot install: ${missing[*]}"$'\n'"$plan"
	if grep -q '^Remv' <<<"$plan"; then
		grep '^Remv' <<<"$plan" >&2
		die "installing ${missing[*]} would remove the packages above; stopped"
	fi

	# 101 is "not allowed": packages come in, services stay down.
	policy=/usr/sbin/policy-rc.d
	if [ -e $policy ]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
		trap "as_root rm -f $policy" EXIT
	fi
	apt install --no-install-recommends "${missing[@]}"
	fresh=$?
	if [ -n "$policy" ]; then
		as_root rm -f $policy
		trap - EXIT
	fi
	[ $fresh = 0 ] || die "apt-get install failed"

	# Splitmail runs a private Dovecot: one that we brought must not come
	# up at the next boot either.
	if [[ " ${missing[*]} " == *" dovecot-core "* ]] &&
	   command -v systemctl >/dev/null; then
		as_root systemctl --quiet disable dovecot.service \
			dovecot.socket 2>/dev/null
	fi
	return 0
}

# What a binary that was built does not start without.
say_what_serve_needs() {
	local missing
	mapfile -t missing < <(packages_missing $(packages_of serve))
	[ ${#missing[@]} = 0 ] || cat <<-END

		dev: "splitmail serve" still needs: ${missing[*]}
		dev: "./dev install serve" installs them.
	END
}

# Unpack PACKAGE, and libraries the machine lacks (and what a package is made of
# that is nothing but a name), into build-peers/PACKAGE.
peer() {		# PACKAGE
	local into=build-peers/$1 names
	local parts='php[0-9.]*-cli\|php[0-9.]*-common\|monitoring-plugins-[a-z]*\|python3-[a-z0-9-]*'

	[ -e "$into/.complete" ] && return 0
	rm -rf "$into" && mkdir -p "$into/.deb"
	names=$(apt-get -s install --no-install-recommends "$1" 2>/dev/null |
		sed -n "s/^Inst \(lib[^ ]*\|$1\|$parts\) .*/\1/p")
	# What is installed already may still be wanted unpacked.
	[[ " "$names" " == *"$1"* ]] || names="$names $1"
	(cd "$into/.deb" && apt-get -q "${patience[@]}" download $names) >"$into/log" 2>&1 ||
		{ cat "$into/log" >&2; rm -rf "$into"; return 1; }
	local deb
	for deb in "$into"/.deb/*.deb; do
		dpkg-deb -x "$deb" "$into" || return 1
	done
	chmod -R u-s,g-s "$into/usr"
	rm -rf "$into/.deb" && touch "$into/.complete"
}

need_peers() {		# PACKAGE..., or all
	local package wanted=0 packages=${*:-$(packages_of peer)}
	for package in $packages; do
		[ -e "build-peers/$package/.complete" ] || wanted=1
	done
	[ $wanted = 1 ] || return 0
	# apt-get download needs package lists, and a bare machine has none.
	if [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; then
		apt update >/dev/null
	fi
	for package in $packages; do
		echo "dev: unpacking $package into build-peers/"
		# Its tests then fail, and only they.
		peer "$package" || echo "dev: cannot fetch $package" >&2
	done
}
