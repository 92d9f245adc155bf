# dev's part: the image of packaging/oci, built of the packages and run by a real
# runtime, without a daemon and without this machine's own store of images.

suite_of_image=${suites[-1]}

make_image_room() {
	make_room $debian/$suite_of_image/base $suite_of_image ca-certificates
}

images() {		# COMMAND...: of buildah
	local store
	store=$(realpath $debian/$suite_of_image)/store
	buildah --storage-driver vfs --root "$store" --runroot "$store.run" "$@"
}

# A base image, where the recipe would take one from a registry.
base_image() {
	local room=$debian/$suite_of_image/base container folder
	container=$(images from scratch) && folder=$(images mount "$container") &&
		cp -a $room/root/. "$folder/" &&
		cp $room/root.apt "$folder/etc/apt/apt.conf.d/00mirror" &&
		images umount "$container" >/dev/null &&
		images commit --quiet --rm "$container" localhost/base
}

build_image() {		# FOLDER, of the packages
	base_image && images bud --isolation chroot \
		--build-arg BASE=localhost/base --tag splitmail \
		-f packaging/oci/Containerfile "$1"
}

try_image() {
	local container folder config=$debian/$suite_of_image/image.json
	container=$(images from localhost/splitmail) &&
		folder=$(images mount "$container") &&
		images inspect --type image localhost/splitmail |
		$python -c 'import json, sys
json.dump(json.load(sys.stdin)["OCIv1"], sys.stdout)' >$config || return 1
	IMAGE_ROOT=$folder IMAGE_CONFIG=$(realpath $config) $python -m pytest -x -ra \
		-p no:cacheprovider test/debian/test_image.py
}

drop_images() {
	local store=$debian/$suite_of_image/store
	images rm --all >/dev/null
	rm -rf --one-file-system $store $store.run
}

test_image() {
	local log=$logs/package-image-package.log
	heading "an image of the packages ($suite_of_image)"
	if (need image) && make_image_room &&
		build_image $debian/$suite_of_image/tried/now >$logs/image-build.log 2>&1
	then
		try_image 2>&1 </dev/null | tee $log
		count_pytest ${PIPESTATUS[0]} $log
		package_lines+=("Image: tried")
	else
		package_fault $logs/image-build.log
	fi
	drop_images
}
