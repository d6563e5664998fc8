# shellcheck shell=dash disable=SC2034,SC2154 # variables go from file to file
# What all commands of dmzram share: messages, options, running things, sizes. Sourced by dmzram.

command=""
dry_run=""
# Where the kernel tells of block devices; the tests have a copy of their own.
sysfs=/sys

warn() { printf '%s: %s\n' "$prog${command:+ $command}" "$*" >&2; }
die() {
	warn "$*"
	exit 1
}
usage() { die "$*; see $prog${command:+ $command} --help"; }
note() { printf '%s\n' "$*"; }

# use NAME...: read those files of ours.
use() {
	local name
	for name; do
		# shellcheck source=/dev/null # shellcheck is called for each of them
		. "$lib/$name.sh"
	done
}

# help [COMMAND]: a section of the file help; sections begin with a line "=== NAME".
help() {
	awk -v want="${1:-main}" '
		/^=== / { on = $2 == want; found += on; next }
		on { print }
		END { exit !found }' "$lib/help" || usage "there is no help for \"$1\""
}

# need PROGRAM PACKAGE: it is there, or the end.
need() { command -v "$1" >/dev/null || die "$1 is missing: install the package $2"; }

need_root() {
	[ "$(id -u)" = 0 ] || die "must be root: try sudo"
	need dmsetup dmsetup
}

# quoted WORD: as a shell reads it.
quoted() {
	case $1 in
	"" | *[!A-Za-z0-9_./:=,@%+-]*) printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")" ;;
	*) printf '%s' "$1" ;;
	esac
}

# show_command WORD...: a line that can be pasted to a shell.
show_command() {
	local word space=""
	for word; do
		printf '%s' "$space"
		quoted "$word"
		space=" "
	done
	echo
}

# try MESSAGE WORD...: run it in silence; when it fails the end, with the message and what it said.
try() {
	local message=$1 out
	shift
	if [ -n "$dry_run" ]; then
		show_command "$@"
		return
	fi
	out=$("$@" 2>&1) || die "$message${out:+ ($(printf '%s\n' "$out" | tail -n 1))}"
}

# options SPEC WORD...: read a command's words. SPEC names its options, "size:/s" with a value and a
# short form, "force" without. Leaves opt_NAME for each, and in rest the other words, quoted for
# `eval "set -- $rest"`.
options() {
	local spec="$1 help/h" word name value has
	shift
	for word in $spec; do
		name=${word%%[:/]*}
		eval "opt_$(echo "$name" | tr - _)="
	done
	rest=""
	while [ $# -gt 0 ]; do
		word=$1
		shift
		has=""
		case $word in
		--)
			for word; do rest="$rest $(quoted "$word")"; done
			break
			;;
		--*=*)
			name=${word#--}
			value=${name#*=}
			name=${name%%=*}
			has=1
			;;
		--*) name=${word#--} ;;
		-?) name=${word#-} ;;
		-?*) usage "unknown option $word" ;;
		*)
			rest="$rest $(quoted "$word")"
			continue
			;;
		esac
		option_known "$spec" "$word" "$name"
		if [ "$name" = help ]; then
			help "$command"
			exit 0
		fi
		if [ -n "$takes" ] && [ -z "$has" ]; then
			[ $# -gt 0 ] || usage "--$name wants a value"
			value=$1
			shift
		elif [ -z "$takes" ]; then
			[ -z "$has" ] || usage "--$name takes no value"
			value=1
		fi
		eval "opt_$(echo "$name" | tr - _)=\$value"
	done
	dry_run=${opt_dry_run-}
}

# option_known SPEC WORD NAME: leaves the option's long name in name, and in takes whether it has a value.
option_known() {
	local one long
	for one in $1; do
		long=${one%%[:/]*}
		case $2 in
		--*) [ "$3" = "$long" ] || continue ;;
		*) [ "/$3" = "${one#"${one%/*}"}" ] || continue ;;
		esac
		name=$long
		case $one in *:*) takes=1 ;; *) takes="" ;; esac
		return
	done
	usage "unknown option ${2%%=*}"
}

is_number() { case $1 in "" | *[!0-9]*) return 1 ;; esac; }

# to_bytes SIZE WHAT: 8G, 1.5g, 4096, 25% (of RAM) in bytes, in BYTES.
to_bytes() {
	BYTES=$(printf '%s\n' "$1" | awk -v ram="$(awk '/^MemTotal:/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)" '
		/^[0-9]+(\.[0-9]+)?[KkMmGgTt%]?$/ {
			unit = $0
			sub(/^[0-9.]+/, "", unit)
			factor = unit == "%" ? ram / 100 : 1
			# No powers: the awk of busybox may be without.
			for (i = unit == "" || unit == "%" ? 0 : index("kmgt", tolower(unit)); i > 0; i--)
				factor *= 1024
			printf "%.0f", int($0 * factor)
			good = 1
		}
		END { exit !good }') || die "$2: \"$1\" is not a size: digits with K, M, G, T, or % of RAM behind them"
}

# human BYTES: at most six characters, "8.00G".
human() { awk -v b="$1" "$human_awk"' BEGIN { print human(b) }'; }

# The same for awk programs, which are given it in front.
human_awk='
function human(b,    i, d) {
	for (i = 0; b >= 1023.995 && i < 5; i++)
		b /= 1024
	if (!i)
		return sprintf("%d", b)
	d = b < 9.995 ? 2 : b < 99.95 ? 1 : 0
	return sprintf("%." d "f%s", b, substr("KMGTP", i, 1))
}'

# ---- block devices ---------------------------------------------------------------------------

# numbers_of DEVICE: major:minor of a block device, in NUMBERS; the end if it is none.
numbers_of() {
	[ -e "$1" ] || die "$1: there is no such device"
	[ -b "$1" ] || die "$1 is not a block device"
	NUMBERS=$(stat -Lc '%t %T' -- "$1") || die "$1: cannot be looked at"
	NUMBERS=$((0x${NUMBERS% *})):$((0x${NUMBERS#* }))
}

# dev_bytes DEVICE: its size.
dev_bytes() { blockdev --getsize64 "$1" 2>/dev/null || die "$1: cannot be opened"; }

# device_name MAJOR:MINOR: the path that a person knows it by.
device_name() {
	local dir=$sysfs/dev/block/$1 path
	if [ -r "$dir/dm/name" ]; then
		read -r path <"$dir/dm/name"
		echo "/dev/mapper/$path"
	elif path=$(readlink -f "$dir") && [ -e "$dir" ]; then
		path=${path##*/}
		echo "/dev/$(echo "$path" | tr '!' /)"
	else
		echo "$1"
	fi
}

# user_of MAJOR:MINOR: who uses a block device, in a word or two for a message; nothing if nobody does.
user_of() {
	local numbers=$1 holder name place dev type
	for holder in "$sysfs/dev/block/$numbers/holders"/*; do
		[ -e "$holder" ] || continue
		name=${holder##*/}
		[ ! -r "$holder/dm/name" ] || read -r name <"$holder/dm/name"
		echo "in use by $name"
		return
	done
	place=$(awk -v want="$numbers" '$3 == want { print $5; exit }' /proc/self/mountinfo 2>/dev/null)
	if [ -n "$place" ]; then
		echo "mounted at $place"
		return
	fi
	while read -r dev type _; do
		if [ "$type" = partition ] && [ -b "$dev" ] && (numbers_of "$dev" && [ "$NUMBERS" = "$numbers" ]); then
			echo "in use as swap"
			return
		fi
	done </proc/swaps
}

# signatures DEVICE: what wipefs knows of it, as words.
signatures() { wipefs --noheadings --output TYPE "$1" 2>/dev/null | sort -u | paste -sd ' ' -; }

# ---- what the kernel says ----------------------------------------------------------------------

# kernel_mark, kernel_reason: what dm-zram has said in the kernel's log since the mark, the last line.
kernel_mark() { KERNEL_MARK=$(dmesg 2>/dev/null | tail -n 1); }
kernel_reason() {
	dmesg 2>/dev/null | MARK=$KERNEL_MARK awk '
		{ line[NR] = $0 }
		END {
			for (i = NR; i > 0 && line[i] != ENVIRON["MARK"]; i--)
				if (line[i] ~ /device-mapper: .*zram: /)
					break
			if (i < 1 || line[i] == ENVIRON["MARK"])
				exit
			sub(/^.*zram: /, "", line[i])
			sub(/ \(-E[A-Z]+\)$/, "", line[i])
			print line[i]
		}'
}

# dm WORD...: dmsetup; when it fails, the end, with the kernel's own reason.
dm() {
	local out reason
	if [ -n "$dry_run" ]; then
		show_command dmsetup "$@"
		return
	fi
	kernel_mark
	out=$(dmsetup "$@" 2>&1) && {
		[ -z "$out" ] || printf '%s\n' "$out"
		return
	}
	reason=$(kernel_reason)
	[ -n "$reason" ] || reason=$(printf '%s\n' "$out" | grep -v '^Command failed' | head -n 1)
	dm_failed "$reason"
	exit 1
}

# dm_failed REASON: says it with what can be done about it.
dm_failed() {
	local advice=""
	case $1 in
	*"Unknown target type"* | *"unknown target type"*) advice="load the module: modprobe dm-zram" ;;
	*"in use"*) advice="see what lsblk shows above it" ;;
	*"does not exist"* | *"No such device"*) advice="dmsetup ls shows what there is" ;;
	*"too small to back"*) advice="a smaller --size, or the setting overcommit" ;;
	*"is read-only"*) advice="blockdev --setrw, or take another one" ;;
	*"Another table is loaded"*) advice="dmsetup clear NAME" ;;
	esac
	warn "$1${advice:+; $advice}"
}
