# shellcheck shell=dash disable=SC2034,SC2153,SC2154 # variables go from file to file
# What works by the header on a cold device: format, up, detach, and its mirror in LV tags. Sourced by
# dmzram.

# is_up: there is a device over the cold device NUMBERS. Leaves NODE and H_NAME.
is_up() {
	H_NAME=$(dm_over "$NUMBERS")
	[ -n "$H_NAME" ] && NODE=$(dm_node "$H_NAME") && note "$NODE is up"
}

# up_device DEVICE: the device that its header describes. udev may bring it up at the same time: one after the
# other, and whoever comes second finds it.
up_device() {
	local rc=0
	if [ -z "$dry_run" ] && [ -w /run ] && command -v flock >/dev/null; then
		exec 8>/run/dmzram.lock
		flock -w 60 8 || die "another $prog has held /run/dmzram.lock for more than 60 s"
	fi
	numbers_of "$1"
	is_up && return
	header_read "$1" || rc=$?
	case $rc in
	0) ;;
	1) die "$1 has no header: $prog format $1 writes one" ;;
	2) die "$1: its header is damaged, or of a later version: $prog format --force $1 writes a new one" ;;
	*) die "$1 cannot be read" ;;
	esac
	args=$H_ARGS
	make_device "$H_NAME" "$H_SIZE" "$1" "$H_UUID"
	[ -n "$dry_run" ] || note "$NODE: $(human $((SECTORS * 512))) over $1"
}

cmd_up() {
	local dev
	options "dry-run/n" "$@"
	need_root
	use device
	eval "set -- $rest"
	[ $# -gt 0 ] || usage "which cold device?"
	for dev; do up_device "$dev"; done
}

# look_again DEVICE: has udev look at it. It does by itself when somebody who wrote to a device closes it, but
# not if it is at work on that device just then.
look_again() {
	[ -e /run/udev/control ] || return 0
	try "udev does not look at $1 again" udevadm trigger --action=change "$1"
}

# end_unit DEVICE: there is nothing over this cold device any more, or what was has moved on. So its unit has
# nothing to keep, and could not be started for another header.
end_unit() {
	local unit
	[ -d /run/systemd/system ] || return 0
	numbers_of "$1"
	unit=dm-zram@$(systemd-escape --path "$(readlink -f "$sysfs/dev/block/$NUMBERS")").service
	! systemctl --quiet is-active "$unit" || try "$unit cannot be stopped" systemctl stop "$unit"
}

# ---- LV tags -----------------------------------------------------------------------------------
#
# A copy for people (lvs -o +tags), one tag a setting: dmzram.size=8589934592. Nothing reads it back.
# A tag has no %, so 25% is written as 25/100.

# lv_of DEVICE: VG/LV if it is one, and lvm2 is there; else nothing.
lv_of() {
	local uuid=""
	numbers_of "$1"
	[ ! -r "$sysfs/dev/block/$NUMBERS/dm/uuid" ] || read -r uuid <"$sysfs/dev/block/$NUMBERS/dm/uuid"
	case $uuid in LVM-*) ;; *) return 0 ;; esac
	command -v lvs >/dev/null || return 0
	lvs --noheadings --separator / -o vg_name,lv_name "$1" 2>/dev/null | tr -d ' '
}

# lv_tags DEVICE [WORD...]: its tags of ours are those, and no others.
lv_tags() {
	local lv word have want=""
	lv=$(lv_of "$1")
	[ -n "$lv" ] || return 0
	shift
	for word; do want="$want dmzram.$(printf %s "$word" | sed 's|%|/100|g')"; done
	have=$(lvs --noheadings -o lv_tags "$lv" 2>/dev/null | tr -s ', ' '\n' | grep '^dmzram\.')
	set --
	for word in $have; do
		case "$want " in *" $word "*) ;; *) set -- "$@" --deltag "$word" ;; esac
	done
	for word in $want; do
		case " $(echo "$have" | tr '\n' ' ') " in *" $word "*) ;; *) set -- "$@" --addtag "$word" ;; esac
	done
	[ $# = 0 ] || (try "the tags of the LV $lv could not be changed" lvchange --quiet "$@" "$lv") || true
}

# lv_tags_header DEVICE NAME SIZE ARGS
lv_tags_header() {
	local dev=$1 name=$2 size=$3 key
	# shellcheck disable=SC2086 # words
	set -- $4
	set -- "$@" .
	while [ "$1" != . ]; do
		key=$1
		shift
		if [ "$key" = overcommit ]; then
			set -- "$@" overcommit
		else
			set -- "$@" "$key=$1"
			shift
		fi
	done
	shift
	lv_tags "$dev" "name=$name" "size=$size" "$@"
}

# ---- format, detach ----------------------------------------------------------------------------

# held_by_nobody DEVICE: it can be opened exclusively.
held_by_nobody() { wipefs --quiet --all --no-act "$1" >/dev/null 2>&1; }

# check_unused DEVICE: nobody has it. Who it is sysfs says most often.
check_unused() {
	local user
	numbers_of "$1"
	user=$(user_of "$NUMBERS")
	[ -z "$user" ] || die "$1 is $user"
	[ "$(blockdev --getro "$1" 2>/dev/null)" != 1 ] || die "$1 is read-only: blockdev --setrw, or take another one"
	held_by_nobody "$1" || die "$1 is in use: it cannot be opened exclusively"
}

# default_name: for a device over NUMBERS.
default_name() {
	local name
	name=$(device_name "$NUMBERS")
	echo "zram-${name##*/}"
}

cmd_format() {
	local dev found rc=0 uuid=""
	options "name: size:/s force/f dry-run/n" "$@"
	need_root
	need wipefs util-linux
	eval "set -- $rest"
	dev=${1-}
	[ -n "$dev" ] || usage "which device?"
	shift
	args=""
	while [ $# -gt 0 ]; do
		add_setting "$1"
		shift
	done
	# Nobody would see the kernel refuse it, at the next boot.
	check_sizes "$args"
	check_unused "$dev"
	[ -n "$opt_name" ] || opt_name=$(default_name)
	check_name "$opt_name"
	found=$(signatures "$dev")
	header_read "$dev" || rc=$?
	case $rc in
	0) found="a header of dmzram, of $H_NAME" uuid=$H_UUID ;;
	2) found="a header of dmzram, damaged or of a later version," ;;
	3) die "$dev cannot be read" ;;
	esac
	[ -z "$found" ] || [ -n "$opt_force" ] ||
		die "$dev has $found on it: --force overwrites it"
	# A size that cannot be is told now; max is what the cold device backs when the device comes up.
	table_sectors "${opt_size:-max}" "$dev" "$args"
	BYTES=$((SECTORS * 512))
	case ${opt_size:-max} in max) BYTES=max ;; esac
	[ -n "$uuid" ] || uuid=$(new_uuid)
	# wipefs opens the device exclusively, so it also finds users that sysfs does not name.
	try "$dev is in use" wipefs --quiet --all "$dev"
	header_erase "$dev"
	end_unit "$dev"
	header_write "$dev" "$uuid" "$opt_name" "$BYTES" "$args"
	lv_tags_header "$dev" "$opt_name" "$BYTES" "$args"
	look_again "$dev"
	[ -n "$dry_run" ] || note "$dev: $opt_name, $(human $((SECTORS * 512))), UUID $uuid; $prog up $dev brings it up"
}

cmd_detach() {
	local dev over rc=0
	options "swapoff dry-run/n" "$@"
	need_root
	need wipefs util-linux
	eval "set -- $rest"
	[ $# = 1 ] || usage "one device: the cold one, or that above it"
	case $1 in
	*/*) dev=$1 ;;
	*)
		dm_name "$1"
		dm_table "$NAME"
		[ "$COLD" != - ] || die "$NAME has no cold device"
		dev=$COLD
		;;
	esac
	numbers_of "$dev"
	if [ -n "$(dmsetup table --target zram "$dev" 2>/dev/null)" ]; then
		dm_name "$dev"
		dm_table "$NAME"
		[ "$COLD" != - ] || die "$NAME has no cold device"
		dev=$COLD
		numbers_of "$dev"
	fi
	header_read "$dev" || rc=$?
	[ "$rc" != 1 ] || die "$dev has no header of dmzram: there is nothing to detach"
	over=$(dm_over "$NUMBERS")
	if [ -n "$over" ]; then
		use device
		(cmd_remove ${opt_swapoff:+--swapoff} ${dry_run:+--dry-run} "$over") || exit 1
	fi
	[ -n "$dry_run" ] || check_unused "$dev"
	header_erase "$dev"
	end_unit "$dev"
	lv_tags "$dev"
	look_again "$dev"
	[ -n "$dry_run" ] || note "$dev: plain again"
}
