# shellcheck shell=bash disable=SC2154 # sourced by guest
# The trace "ext4-files": clients of a file server.

# client SEED: reads files, some of them often; changes a few.
client() {
	local seed=$1 files
	mapfile -t files </tmp/list
	zipf 1500 ${#files[@]} "$seed" '@N @R' | while read -r i r; do
		cat "${files[i - 1]}" >/dev/null
		[ $((r % 20)) != 0 ] || sed -i '1s/$/ /' "${files[i - 1]}"
	done
}

work() {
	local round c
	fs_on
	tar -C "$SOURCE" -c fs net mm kernel lib crypto block | tar -C /mnt -x
	find /mnt -type f -size -400k | sort >/tmp/list
	for round in 1 2 3 4; do
		for c in 1 2 3; do client "$round$c" & done
		case $round in
		1) grep -rl mutex_lock /mnt/fs >/dev/null ;;
		2) tar -C /mnt -c mm kernel lib >/dev/null; cp -r /mnt/mm /mnt/mm.new ;;
		3) tar -C /mnt -c . | wc -c ;;
		4) rm -r /mnt/mm.new; grep -rl spin_lock /mnt/net >/dev/null ;;
		esac
		wait
	done
	umount /mnt
}
