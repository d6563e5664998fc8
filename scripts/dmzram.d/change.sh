# shellcheck shell=dash disable=SC2034,SC2153,SC2154 # variables go from file to file
# What changes a running device: set, demote, drain, compact, move, resize. Sourced by dmzram.

# What a message can change. All else goes by a reload of the table, and the kernel says whether it may.
LIVE="mem_limit algorithm reserve policy demote_age compact_slack discard_passdown wear_budget cold_algorithm"

# message NAME WORD...
message() {
	local name=$1
	shift
	dm message "$name" 0 "$@"
}

# reload NAME SECTORS COLD ARGS: another table line for a running device. `resume` alone suspends,
# exchanges and resumes in one call: a process of its own for each could have to be swapped in from the
# very device.
reload() {
	dm reload "$1" --table "$(table_line "$2" "$3" "$4")"
	dm resume "$1"
}

# own_header: COLD has a header, of NAME.
own_header() { [ "$COLD" != - ] && header_read "$COLD" && [ "$H_NAME" = "$NAME" ]; }

# save_header SIZE ARGS: into the header that COLD has, if it has one.
save_header() {
	own_header || return
	header_write "$COLD" "$H_UUID" "$H_NAME" "$1" "$2"
	use onheader
	lv_tags_header "$COLD" "$H_NAME" "$1" "$2"
}

cmd_set() {
	local word key live=1 settings=""
	options "save dry-run/n" "$@"
	need_root
	eval "set -- $rest"
	dm_name "${1-}"
	shift
	[ $# -gt 0 ] || usage "set what? KEY=VALUE..."
	case $#,$1 in 2,*=*) ;; 2,*) case $2 in *=*) ;; *) set -- "$1=$2" ;; esac ;; esac
	dm_table "$NAME"
	args=$ARGS
	for word; do
		key=${word%%=*}
		case $word in
		"$key=") # its default again
			add_setting "$([ "$key" = overcommit ] && echo overcommit || echo "$key=0")"
			args=$(args_without "$key" "$args")
			live=""
			;;
		*)
			add_setting "$word"
			settings="$settings $word"
			case " $LIVE " in *" $key "*) ;; *) live="" ;; esac
			;;
		esac
	done
	if [ -z "$opt_save" ] || own_header; then :; else
		die "${COLD%-} has no header of $NAME to save to: $prog format writes one"
	fi
	if [ -n "$live" ]; then
		for word in $settings; do message "$NAME" set "${word%%=*}" "${word#*=}"; done
	else
		reload "$NAME" "$SECTORS" "$COLD" "$args"
	fi
	[ -z "$opt_save" ] || save_header "$H_SIZE" "$args"
}

cmd_demote() {
	options "dry-run/n" "$@"
	need_root
	eval "set -- $rest"
	[ $# -le 2 ] || usage "a device, and all or a number of blocks"
	dm_name "${1-}"
	case ${2-all} in all) ;; *) is_number "$2" || usage "\"$2\" is neither all nor a number of blocks" ;; esac
	message "$NAME" demote "${2-all}"
}

# One word, for each of the devices.
simple_message() {
	local word=$1 name
	shift
	options "dry-run/n" "$@"
	need_root
	eval "set -- $rest"
	[ $# -gt 0 ] || usage "which device?"
	for name; do
		dm_name "$name"
		message "$NAME" "$word"
	done
}

cmd_drain() { simple_message drain "$@"; }
cmd_compact() { simple_message compact "$@"; }

# ---- another size, another cold device -------------------------------------------------------------

cmd_resize() {
	local old size
	options "dry-run/n" "$@"
	need_root
	eval "set -- $rest"
	[ $# -le 2 ] || usage "a device, and its new size"
	dm_name "${1-}"
	dm_table "$NAME"
	old=$SECTORS
	size=${2-}
	if [ -z "$size" ]; then
		# As large as it is, unless its header says that it is as large as can be.
		size=$((old * 512))
		if own_header && [ "$H_SIZE" = max ]; then size=max; fi
	fi
	table_sectors "$size" "$COLD" "$ARGS"
	# What max means has to do with a rounded MiB: it is no reason to become smaller.
	[ "$size" != max ] || [ "$SECTORS" -ge "$old" ] || SECTORS=$old
	reload "$NAME" "$SECTORS" "$COLD" "$ARGS"
	if [ "$size" != max ]; then size=$((SECTORS * 512)); fi
	save_header "$size" "$ARGS"
	[ -n "$dry_run" ] && return
	note "$NAME: $(human $((SECTORS * 512)))$([ "$SECTORS" = "$old" ] && echo ", as it was")"
	[ "$SECTORS" = "$old" ] || resize_advice
}

# Who uses the device has to be told of its new size.
resize_advice() {
	case $(user_of "$(dm_numbers "$NAME")") in
	*swap) note "swap takes the new size in after swapoff and $prog swap $NAME" ;;
	mounted*) note "the file system has to be grown: resize2fs, xfs_growfs ..." ;;
	esac
}

# is_moving NAME: its blocks are on their way from another cold device.
is_moving() { [ "$(sample "$1" | awk '$1 == "cold_devices" { print $2 }')" = 2 ]; }

# new_cold DEVICE: it can be taken. Leaves back set if it is the old one of a move that is going on, as far as
# can be seen: it is held, but not by the table, and the kernel will say whether by us.
new_cold() {
	local found rc=0
	back=""
	numbers_of "$1"
	[ "$(device_name "$NUMBERS")" != "$COLD" ] || die "$1 is the cold device of $NAME already"
	if is_moving "$NAME" && ! held_by_nobody "$1"; then
		back=1
		return
	fi
	check_unused "$1"
	found=$(signatures "$1")
	header_read "$1" || rc=$?
	[ $rc = 1 ] || found="a header of dmzram"
	[ -z "$found" ] || [ -n "$opt_force" ] || die "$1 has $found on it: --force overwrites it"
}

cmd_move() {
	local old new back
	options "no-wait force/f dry-run/n" "$@"
	need_root
	need wipefs util-linux
	eval "set -- $rest"
	[ $# = 2 ] || usage "a device, and its new cold device"
	dm_name "$1"
	dm_table "$NAME"
	new=$2
	old=$COLD
	[ "$old" != - ] || die "$NAME has no cold device"
	use onheader show
	new_cold "$new"
	table_sectors "$((SECTORS * 512))" "$new" "$ARGS"
	if [ -z "$back" ]; then
		try "$new is in use" wipefs --quiet --all "$new"
		header_erase "$new"
	fi
	reload "$NAME" "$SECTORS" "$new" "$ARGS"
	# The header goes along: two of the same name would bring the device up twice.
	if own_header; then
		header_write "$new" "$H_UUID" "$H_NAME" "$H_SIZE" "$H_ARGS"
		lv_tags_header "$new" "$H_NAME" "$H_SIZE" "$H_ARGS"
		look_again "$new"
		header_erase "$old"
		lv_tags "$old"
		look_again "$old"
	fi
	[ -z "$dry_run" ] || return 0
	if [ -n "$opt_no_wait" ]; then
		note "$NAME moves to $new; $old is free when cold_devices is 1 in $prog status --json $NAME"
	else
		trap 'echo; note "$NAME goes on moving to $new; $prog move $NAME $old takes that back"; exit 130' INT
		move_wait "$NAME"
		end_unit "$old"
		note "$NAME is on $new; $old is free"
	fi
}

# move_wait NAME: until the old cold device is free; says how far it is, once a second on a terminal.
move_wait() {
	local left stuck all="" line
	while :; do
		line=$(sample "$1" | awk '/^(cold_devices|moving_segments|moving_stuck) / { v[$1] = $2 }
			END { if (v["cold_devices"] > 1) print v["moving_segments"], v["moving_stuck"] }')
		[ -n "$line" ] || break
		left=${line% *} stuck=${line#* }
		[ -n "$all" ] && [ "$all" -ge "$left" ] || all=$left
		[ ! -t 1 ] || printf '\r%s of %s segments left ' "$left" "$all"
		if [ "$left" -gt 0 ] && [ "$stuck" = "$left" ]; then
			[ ! -t 1 ] || echo
			die "$stuck segments of the old cold device cannot be read: it stays in use until their blocks are overwritten or discarded"
		fi
		sleep 1
	done
	[ ! -t 1 ] || printf '\r\033[K'
}
