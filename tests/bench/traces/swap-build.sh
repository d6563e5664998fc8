# shellcheck shell=bash disable=SC2154 # sourced by guest
# The trace "swap-build": this module and some of its unit tests are compiled, six files at a time,
# with objects on another disk.

work() {
	local tests=()
	mapfile -t tests < <(cd "$top/tests/unit" && ls test_[bpstw]*.c)
	mkfs.ext4 -q "$DISK2"
	mount "$DISK2" /mnt
	mkdir /mnt/module /mnt/tests
	swap_on
	make -s -C "$top" -j6 KDIR="$KDIR" BUILD=/mnt/module modules
	tests=("${tests[@]/#//mnt/tests/}")
	make -s -C "$top/tests/unit" -j6 OUT=/mnt/tests "${tests[@]%.c}"
}
