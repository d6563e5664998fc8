# shellcheck shell=dash disable=SC2034,SC2153,SC2154 # variables go from file to file
# Devices come and go: create, swap, remove. Sourced by dmzram.

# What create, swap and up share. args has the settings.
# make_device NAME SIZE COLD UUID
make_device() {
	local name=$1 cold=$3 uuid=$4 user
	check_name "$name"
	! dmsetup info -c --noheadings -o name "$name" >/dev/null 2>&1 || die "there is a device $name already: $prog remove $name if what it holds may be lost"
	if [ "$cold" != - ]; then
		numbers_of "$cold"
		user=$(user_of "$NUMBERS")
		[ -z "$user" ] || die "$cold is $user"
	fi
	table_sectors "$2" "$cold" "$args"
	modprobe -q dm-zram 2>/dev/null || true # built in, or loaded by dm itself; else dm says so
	dm create "$name" --uuid "DMZRAM-$uuid" --table "$(table_line "$SECTORS" "$cold" "$args")"
	NODE=$(dm_node "$name") COLD=$cold
}

new_uuid() { cat /proc/sys/kernel/random/uuid; }

# create_from WORD...: the words of create and swap, NAME [COLD] [KEY=VALUE...].
create_from() {
	local name=${1-} cold=- found
	[ -n "$name" ] || usage "a name for the device is needed"
	shift
	case ${1-} in
	-) shift ;;
	*/*)
		cold=$1
		shift
		;;
	esac
	args=""
	while [ $# -gt 0 ]; do
		case $1 in */*) usage "one cold device, behind the name: what is $1?" ;; esac
		add_setting "$1"
		shift
	done
	if [ "$cold" != - ] && [ -b "$cold" ]; then
		numbers_of "$cold"
		found=$(user_of "$NUMBERS")
		[ -z "$found" ] || die "$cold is $found"
		! header_read "$cold" || die "$cold has a header, of $H_NAME: $prog up $cold (or detach it first)"
		found=$(signatures "$cold")
		[ -z "$found" ] || [ -n "$opt_force" ] ||
			die "$cold has $found on it: wipefs --all $cold if that may be lost, or --force"
	fi
	make_device "$name" "${opt_size:-max}" "$cold" "$(new_uuid)"
}

cmd_create() {
	options "size:/s from: force/f dry-run/n" "$@"
	need_root
	eval "set -- $rest"
	use header
	if [ -n "$opt_from" ]; then
		[ "$#$opt_size" = 0 ] || usage "--from takes all from the header of the device"
		use onheader
		up_device "$opt_from"
	else
		create_from "$@"
		[ -n "$dry_run" ] || note "$NODE: $(human $((SECTORS * 512)))"
	fi
}

# ---- swap ------------------------------------------------------------------------------------

# above_others: a priority above those of all swap areas that there are, 100 at least.
above_others() { awk 'NR > 1 && $5 >= p { p = $5 + 1 } END { print (p > 32767 ? 32767 : p < 100 ? 100 : p) }' /proc/swaps; }

# vm_setting NAME. Not by read, which takes a character at a time: such a file gives one and then ends.
vm_setting() { cat "/proc/sys/vm/$1"; }

# set_page_cluster auto|keep|N
set_page_cluster() {
	local now want=$1
	now=$(vm_setting page-cluster)
	if [ "$want" = auto ]; then
		# Without a cold device no read takes long, and a page too many is a decompression for nothing.
		want=keep
		[ "$COLD" != - ] || want=0
	fi
	[ "$want" != keep ] && [ "$want" != "$now" ] || return 0
	try "vm.page-cluster cannot be set" sysctl -qw "vm.page-cluster=$want"
}

swap_advice() {
	local value
	value=$(vm_setting page-cluster)
	if [ "$COLD" = - ] && [ "$value" != 0 ]; then
		note "vm.page-cluster is $value: 0 suits swap in RAM alone (--page-cluster auto)"
	elif [ "$COLD" != - ] && [ "$value" = 0 ]; then
		note "vm.page-cluster is 0: with a cold device the default, 3, reads neighbours at once"
	fi
	value=$(vm_setting swappiness)
	[ "$COLD" != - ] || [ "$value" -ge 100 ] || note "vm.swappiness is $value: 100 or more suits swap in RAM (sysctl vm.swappiness=100)"
}

cmd_swap() {
	local name
	options "size:/s priority:/p page-cluster: from: force/f dry-run/n" "$@"
	case $opt_priority in *[!0-9]*) usage "--priority: \"$opt_priority\" is not a number" ;; esac
	[ "${opt_priority:-0}" -le 32767 ] || usage "--priority: at most 32767"
	case $opt_page_cluster in "" | auto | keep | [0-9]) ;; *) usage "--page-cluster: auto, keep, or 0 to 9" ;; esac
	need_root
	need mkswap util-linux
	need swapon mount
	eval "set -- $rest"
	use header
	if [ -n "$opt_from" ]; then
		[ "$#$opt_size" = 0 ] || usage "--from takes all from the header of the device"
		use onheader
		up_device "$opt_from"
		name=$H_NAME
	else
		name=${1-}
		if [ $# = 1 ] && [ -z "$opt_size" ] && is_name "$name" && [ -n "$(dmsetup table --target zram "$name" 2>/dev/null)" ]; then
			NODE=$(dm_node "$name")
		else
			create_from "$@"
		fi
	fi
	swap_on "$name"
}

# swap_on NAME: at NODE.
swap_on() {
	local priority=${opt_priority:-$(above_others)} user
	if [ -b "$NODE" ]; then
		numbers_of "$NODE"
		user=$(user_of "$NUMBERS")
		[ -z "$user" ] || die "$1 is $user"
		dm_table "$1"
	fi # else nothing is there yet: --dry-run
	try "no swap on $NODE, which $prog remove $1 takes away" mkswap --force --label "$(printf %.15s "$1")" "$NODE"
	try "no swap on $NODE, which $prog remove $1 takes away" swapon --discard=pages --priority "$priority" "$NODE"
	set_page_cluster "${opt_page_cluster:-keep}"
	[ -n "$dry_run" ] && return
	note "$NODE: $(human $((SECTORS * 512))) of swap, priority $priority"
	swap_advice
}

# ---- remove ------------------------------------------------------------------------------------

cmd_remove() {
	local name node user
	options "swapoff deferred dry-run/n" "$@"
	need_root
	eval "set -- $rest"
	[ $# -gt 0 ] || usage "which device?"
	for name; do dm_name "$name"; done
	for name; do
		dm_name "$name"
		user=$(user_of "$(dm_numbers "$NAME")")
		node=/dev/mapper/$NAME
		if [ "$user" = "in use as swap" ] && [ -n "$opt_swapoff" ]; then
			try "$node stays: there may be too little memory for what is in it" swapoff "$node"
		elif [ -n "$user" ] && [ -z "$opt_deferred" ]; then
			case $user in
			*swap) user="$user: swapoff $node first, or --swapoff" ;;
			mounted*) user="$user: umount it first" ;;
			esac
			die "$NAME is $user"
		fi
		dm remove ${opt_deferred:+--deferred} "$NAME"
	done
}
