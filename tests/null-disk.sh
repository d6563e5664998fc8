# shellcheck shell=bash
# A disk in memory with settings, for guest tests and benches.

# null_disk MIB [ATTRIBUTE=VALUE...]: a new disk of null_blk, in memory: its node in NULL_DISK, its
# directory, with the attributes, in NULL_CONFIG.
null_disk() {
	local a i
	modprobe -q configfs || true
	modprobe null_blk nr_devices=0
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	# Newer kernels name the disk after the directory, older ones by its index.
	NULL_CONFIG=/sys/kernel/config/nullb/nullb0
	mkdir "$NULL_CONFIG"
	for a in "size=$1" memory_backed=1 "${@:2}"; do echo "${a#*=}" >"$NULL_CONFIG/${a%%=*}"; done
	echo 1 >"$NULL_CONFIG/power"
	NULL_DISK=/dev/nullb0
	for ((i = 0; i < 100; i++)); do
		[ ! -b $NULL_DISK ] || return 0
		sleep 0.1
	done
	echo "there is no $NULL_DISK" >&2
	return 1
}
