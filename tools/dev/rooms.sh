# dev's part: other Debians, each in a folder (test/debian/debian.sh).

# Why there are none and can be none; nothing: there may be.
room_hindrance() {
	if [ "$(id -u)" != 0 ]; then
		echo "making it needs root"
	elif ! command -v apt-get >/dev/null; then
		echo "this is no Debian"
	elif ! unshare --mount --net --pid --fork true 2>/dev/null; then
		echo "there are no namespaces here"
	fi
}

need_rooms() {
	[ -z "$(room_hindrance)" ] || return 0
	(need room)
	# Until apt has lists it does not know its mirrors.
	[ -n "$(test/debian/debian.sh mirror)" ] || apt update >/dev/null
}

# FOLDER/root, with packages that are installed and others that apt in there can
# install.  Made once for their lists, which takes some minutes.
make_room() {		# FOLDER SUITE PACKAGES [FETCHED]
	local folder=$1 suite=$2 stamp=$1/packages name=${1#build-}
	local wanted
	wanted=$(echo $3 ${4:+-- $4})
	[ -z "$(room_hindrance)" ] || return 0
	[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
	rm -f "$stamp" && mkdir -p "$folder" || return 1
	# shellcheck disable=SC2086
	test/debian/debian.sh make "$folder/root" "$suite" $wanted \
		>"$logs/${name//\//-}-make.log" 2>&1 && echo "$wanted" >"$stamp"
}
