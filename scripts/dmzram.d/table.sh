# shellcheck shell=dash disable=SC2017,SC2034,SC2153,SC2154 # variables go from file to file
# Table lines: settings and sizes, and the devices that there are. Sourced by dmzram.

# What a table line may have; overcommit has no value.
SETTINGS="mem_limit algorithm policy mode segment_size reserve demote_age compact_slack overcommit"
SETTINGS="$SETTINGS discard_passdown wear_budget cold_algorithm"

HEADER_AREA=1048576

# is_name NAME: what device-mapper, udev and a header can carry.
is_name() {
	case $1 in
	"" | . | .. | -* | *[!A-Za-z0-9#+.:=@_-]*) return 1 ;;
	esac
	[ ${#1} -le 127 ]
}

check_name() {
	is_name "$1" || die "\"$1\" is not a name: letters, digits and # + . : = @ _ -, at most 127, not - in front"
}

# add_setting KEY[=VALUE]: appended to the words in args, or in place of the same one there.
add_setting() {
	local key=${1%%=*} value=""
	case " $SETTINGS " in *" $key "*) ;; *) usage "unknown setting \"$key\"" ;; esac
	case $1 in
	overcommit) ;;
	overcommit=*) usage "overcommit has no value" ;;
	*=?*) value=${1#*=} ;;
	*) usage "the setting $key wants a value: $key=..." ;;
	esac
	case $value in *[!A-Za-z0-9%._-]*) usage "$key: \"$value\" cannot be a value" ;; esac
	args="$(args_without "$key" "$args") $key${value:+ $value}"
	args=${args# }
}

# args_without KEY ARGS: the words of a table line but for one setting.
args_without() {
	local key=$1 out=""
	# shellcheck disable=SC2086 # words
	set -- $2
	while [ $# -gt 0 ]; do
		if [ "$1" = overcommit ]; then
			[ "$key" = overcommit ] || out="$out $1"
			shift
		else
			[ "$key" = "$1" ] || out="$out $1 ${2-}"
			shift
			[ $# = 0 ] || shift
		fi
	done
	echo "${out# }"
}

# arg KEY ARGS: the value of a setting, or nothing.
arg() {
	local key=$1
	# shellcheck disable=SC2086 # words
	set -- $2
	while [ $# -gt 0 ]; do
		if [ "$1" = overcommit ]; then
			[ "$key" != overcommit ] || echo on
			shift
		else
			[ "$key" != "$1" ] || echo "${2-}"
			shift
			[ $# = 0 ] || shift
		fi
	done
}

# check_sizes ARGS: what the kernel would not take for a size.
check_sizes() {
	local key value
	for key in mem_limit segment_size reserve wear_budget; do
		value=$(arg "$key" "$1")
		case $key in mem_limit) value=${value%\%} ;; esac
		case ${value%[KMGTkmgt]} in
		"") [ -n "$(arg "$key" "$1")" ] || continue ;;
		*[!0-9]*) ;;
		*) continue ;;
		esac
		die "$key: \"$(arg "$key" "$1")\" is not a size that the kernel takes: a whole number, with K, M, G or T"
	done
}

# segment_bytes ARGS
segment_bytes() {
	local size
	size=$(arg segment_size "$1")
	# A wrong one is for the kernel to refuse.
	(to_bytes "${size:-256K}" segment_size && echo $((BYTES))) 2>/dev/null || echo 262144
}

# most_sectors BYTES ARGS: the largest device, in sectors, that a cold device of so many bytes backs
# (Documentation/dm-zram.rst, "Size of the cold device"), in whole MiB. 0: none.
most_sectors() {
	local segment segments blocks
	segment=$(segment_bytes "$2")
	segments=$((($1 - HEADER_AREA) / segment))
	[ $segments -ge 24 ] || { echo 0; return; }
	blocks=$(((segments - 12) * (segment - 8288) / 4112))
	[ $blocks -le 4294967296 ] || blocks=4294967296
	echo $((blocks / 256 * 2048))
}

# least_bytes SECTORS ARGS: what a cold device must have to back so many.
least_bytes() {
	local segment
	segment=$(segment_bytes "$2")
	echo $((HEADER_AREA + (($1 / 8 * 4112 + segment - 8288 - 1) / (segment - 8288) + 12) * segment))
}

# table_sectors SIZE COLD ARGS: the sectors of a device of SIZE (a size, or max) over COLD, in SECTORS.
table_sectors() {
	local bytes="" most
	if [ "$2" != - ]; then
		bytes=$(dev_bytes "$2") || exit 1
	fi
	if [ "$1" = max ]; then
		[ -n "$bytes" ] || usage "without a cold device a --size is needed"
		SECTORS=$(most_sectors "$bytes" "$3")
		[ "$SECTORS" -gt 0 ] || die "$2 has $(human "$bytes"), too little for a log: 24 segments and 1 MiB at least"
		return
	fi
	to_bytes "$1" size
	SECTORS=$((BYTES / 4096 * 8))
	[ "$SECTORS" -gt 0 ] || die "size: \"$1\" is less than a block of 4096 bytes"
	[ "$SECTORS" -le 34359738368 ] || die "size: \"$1\" is beyond 16T"
	[ -n "$bytes" ] && [ -z "$(arg overcommit "$3")" ] || return 0
	most=$(most_sectors "$bytes" "$3")
	if [ "$SECTORS" -gt "$most" ] && [ "$bytes" -lt "$(least_bytes "$SECTORS" "$3")" ]; then
		die "$2 has $(human "$bytes"), a device of $(human $((SECTORS * 512))) needs" \
			"$(human "$(least_bytes "$SECTORS" "$3")"): at most --size $((most / 2048))M, or overcommit"
	fi
}

# table_line SECTORS COLD ARGS
table_line() {
	local sectors=$1 cold=$2
	# shellcheck disable=SC2086 # words
	set -- $3
	echo "0 $sectors zram $cold${*:+ $# $*}"
}

# ---- devices that there are --------------------------------------------------------------------

# dm_name WORD: the name of an active dm-zram device that was given by name or path, in NAME.
dm_name() {
	local info
	[ -n "$1" ] || usage "which device?"
	NAME=$1
	case $1 in
	*/*)
		numbers_of "$1"
		[ -r "$sysfs/dev/block/$NUMBERS/dm/name" ] || die "$1 is not a dm-zram device"
		read -r NAME <"$sysfs/dev/block/$NUMBERS/dm/name"
		;;
	esac
	info=$(dmsetup table --target zram "$NAME" 2>/dev/null) ||
		die "there is no device $NAME; $prog status shows what there is"
	[ -n "$info" ] || die "$NAME is not a dm-zram device"
}

# dm_names: all of them.
dm_names() { dmsetup ls --target zram 2>/dev/null | sed '/^No devices/d; s/[[:space:]].*//'; }

# dm_table NAME: of its live table, COLD (a path, or -), SECTORS and ARGS.
dm_table() {
	local line
	line=$(dmsetup table "$1") || die "$1: no table"
	# shellcheck disable=SC2086 # words
	set -- $line
	# 0 SECTORS zram COLD [COUNT ARG...]
	[ "${3-}" = zram ] || die "$1 has no table of dm-zram"
	SECTORS=$2 COLD=$4
	shift 4
	[ $# = 0 ] || shift
	ARGS="$*"
	[ "$COLD" = - ] || COLD=$(device_name "$COLD")
}

# dm_over MAJOR:MINOR: the name of the dm-zram device that has it as cold device, or nothing.
dm_over() { dmsetup table --target zram 2>/dev/null | awk -v cold="$1" '$5 == cold { sub(/:$/, "", $1); print $1; exit }'; }

# dm_numbers NAME: its own major:minor.
dm_numbers() { dmsetup info -c --noheadings --separator : -o major,minor "$1"; }

# dm_node NAME: its path; made here where no udev does.
dm_node() {
	[ -n "$dry_run" ] || [ -b "/dev/mapper/$1" ] || dmsetup mknodes "$1" >/dev/null
	echo "/dev/mapper/$1"
}
