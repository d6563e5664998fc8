#!/bin/bash
# A real tree on ext4 and on xfs: everything cold, caches dropped, each file compared, trimmed,
# and the file system checked.
# vm: uml qemu-6.12
# mem: 512M
# cold: 448M
# timeout: 240
# packages: e2fsprogs xfsprogs
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

# mkfs.xfs wants 300 MiB at least.
create z 320M "$COLD" mem_limit "$(by_kind 16M 8M)"
megabytes=$(by_kind 80 32)
mnt=$T/mnt
mkdir -p "$mnt"

# The tree: the first files of these directories, as many as make up that size.
find /usr/include /usr/share /usr/lib /usr/bin -xdev -type f -size -4096k -printf '%s %p\n' 2>/dev/null |
	awk -v max=$((megabytes << 20)) '{ sum += $1; if (sum > max) exit; $1 = ""; print substr($0, 2) }' >"$T/list" ||
	true # find minds that its reader went away
check "files of the tree" "$(wc -l <"$T/list")" -gt 100
tr '\n' '\0' <"$T/list" | xargs -0 md5sum | sed 's|  /|  |' >"$T/sums"

copy_tree() { tar -C / -cf - -T "$T/list" 2>/dev/null | tar -C "$mnt" -xf -; }
compare_tree() { (cd "$mnt" && md5sum --quiet -c "$T/$1"); }

check_fs() {
	case $1 in
	ext4) fsck.ext4 -fn /dev/mapper/z ;;
	xfs) xfs_repair -n /dev/mapper/z ;;
	esac
}

# all_out: the journal may move meanwhile.
all_out() { msg z demote all && msg z drain && [ "$(stat z hot_blocks)" -lt 64 ]; }

trimmed() {
	within 60 fstrim fstrim "$mnt"
	snap_at_rest z
	[ $((S[hot_blocks] + S[cold_blocks])) -lt "$least" ]
}

try_fs() {
	local fs=$1 before
	note "$fs"
	case $fs in
	ext4) within 60 mkfs mkfs.ext4 -q -F -m 0 /dev/mapper/z ;;
	xfs) within 60 mkfs mkfs.xfs -q -f /dev/mapper/z ;;
	esac
	mount -t "$fs" /dev/mapper/z "$mnt"
	within 120 "copy to $fs" copy_tree
	within 60 sync sync
	wait_until 60 "blocks to leave RAM" all_out
	drop_caches
	before=$(stat z cold_reads)
	within 120 "compare on $fs" compare_tree sums || fail "$fs: files differ"
	check "cold reads by comparing" $(($(stat z cold_reads) - before)) -gt $((megabytes * 50))

	# Delete every other file; what remains must not be touched by the trim.
	awk 'NR % 2' "$T/sums" >"$T/keep"
	awk 'NR % 2 == 0 { print substr($0, 35) }' "$T/sums" | (cd "$mnt" && xargs -d '\n' rm)
	within 60 sync sync
	snap_at_rest z
	least=$((S[hot_blocks] + S[cold_blocks] - megabytes * 40))
	# What was deleted is freed by the file system when it has the time.
	wait_until 60 "stored blocks to be less than $least after fstrim" trimmed
	drop_caches
	within 120 "compare on $fs" compare_tree keep || fail "$fs: files differ after fstrim"
	within 60 umount umount "$mnt"
	msg z demote all
	within 120 "fsck of $fs" check_fs "$fs" >"$T/fsck" 2>&1 || {
		tail -n 30 "$T/fsck" >&2
		fail "$fs is not clean"
	}
	mount -t "$fs" /dev/mapper/z "$mnt"
	within 60 umount umount "$mnt"
}

# shellcheck disable=SC2043
for fs in ext4 xfs; do
	modprobe -q $fs 2>/dev/null || true
	try_fs $fs
done

check_sane z
check "demotions" "${S[demotions]}" -gt $((megabytes * 100))
check "discards" "${S[discards]}" -gt 0
check "errors of the cold device" $((S[cold_read_errors] + S[cold_write_errors] + S[write_fails])) -eq 0
# A trimmed device holds nothing, in RAM or in the log.
within 60 blkdiscard blkdiscard -f /dev/mapper/z
snap_at_rest z
check "stored blocks after blkdiscard" $((S[fill_blocks] + S[hot_blocks] + S[clean_blocks] + S[cold_blocks])) -eq 0
check "live bytes in the log" "${S[cold_live_bytes]}" -eq 0
remove z
