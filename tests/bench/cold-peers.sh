# shellcheck shell=bash disable=SC2153,SC2154 # the variables are those of 70-cold.sh, which sources this
# Peers of the cold tier that are neither a dm-zram device nor a zram alone.

# zswap over the disk, with its shrinker: a process is swapped out, of which zswap may keep as much
# as our pool may.
limit_zswap() {
	local p=/sys/module/zswap/parameters group=/sys/fs/cgroup/dzb pid since
	if [ ! -d $group ]; then
		echo +memory >/sys/fs/cgroup/cgroup.subtree_control
		mkdir $group
	fi
	echo lz4 >$p/compressor
	echo Y >$p/shrinker_enabled
	echo Y >$p/enabled
	echo "$LIMIT" >$group/memory.zswap.max
	mkswap "$DISK" >/dev/null
	swapon "$DISK"
	begin
	watch
	coproc HOLDER { "$top/build/bench/dzb" hold $((BLOCKS / 256)) "$round" cached; }
	pid=$!
	read -r since <&"${HOLDER[0]}"
	[ "$since" = swapped ]
	watched
	costs zswap limit "$BLOCKS"
	row limit_time_block ns zswap "$(per_block "$(field since_ns "$SAID")" "$LEFT")"
	echo >&"${HOLDER[1]}"
	wait "$pid" # it has looked at its memory
	swapoff "$DISK"
	echo N >$p/enabled
}

# dm-cache: a zram that may hold as much as compresses to our pool's limit, before the disk; the
# metadata in RAM, too. Cache blocks are as small as they can be.
dmcache_up() {
	local blocks=$((LIMIT * 3 / 32768))
	up peer $((blocks * 32768))
	dd if=/dev/zero of=/dev/ram0 bs=4096 count=1 oflag=direct status=none
	dmsetup create meta --table "0 65536 linear /dev/ram0 0"
	[ -e /dev/mapper/meta ] || dmsetup mknodes meta
	modprobe dm-cache-smq
	dmsetup create cached --table "0 $((BLOCKS * 8)) cache /dev/mapper/meta $DEV $DISK 64 1 writeback smq 0"
	[ -e /dev/mapper/cached ] || dmsetup mknodes cached
	DEV=/dev/mapper/cached
}

# Blocks of 4 KiB that are in the cache only.
dmcache_dirty() { dmsetup status cached | awk '{ print $14 * 8 }'; }

dmcache_down() {
	dmsetup remove --retry cached
	dmsetup remove --retry meta
	down peer
}
