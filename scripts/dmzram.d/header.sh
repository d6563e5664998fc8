# shellcheck shell=dash disable=SC2034,SC2154 # variables go from file to file
# The header in the first MiB of a cold device, and `probe`. Sourced by dmzram.
#
# It is text, so that a person can look at it (head -c 4096 DEVICE) and a shell can write it:
# lines of KEY=VALUE behind the magic, then the line cksum=CRC with the POSIX cksum(1) of all lines
# before it, then zeroes to 4096 bytes. Two copies, at 0 and at 8192. The second one counts only if the
# first begins with the magic and is damaged: a device that was overwritten at its start, by mkfs say,
# is no longer one of ours. Keys that are not known are left alone: a later version may add some.
#
# A header may come from anybody's disk. So nothing of it is evaluated, and a value that is not
# made of the characters that it may have makes the header a damaged one.

MAGIC=DMZRAM1
HEADER_BYTES=4096
HEADER_SECOND=8192

# header_text UUID NAME SIZE ARGS: the header, not yet padded. SIZE is in bytes, or max.
header_text() {
	local text
	text=$(printf '%s\nuuid=%s\nname=%s\nsize=%s\nargs=%s\n.' "$MAGIC" "$1" "$2" "$3" "$4")
	text=${text%.}
	printf '%scksum=%s\n' "$text" "$(printf '%s' "$text" | cksum | cut -d ' ' -f 1)"
}

# header_padded UUID NAME SIZE ARGS: all of its 4096 bytes.
header_padded() { header_text "$@" | dd bs=$HEADER_BYTES count=1 conv=sync iflag=fullblock 2>/dev/null; }

# header_is_good TEXT: the checksum holds.
header_is_good() {
	local text=${1%cksum=*} sum=${1##*cksum=}
	[ "$text" != "$1" ] && is_number "${sum%?}" && [ "$(printf '%s' "$text" | cksum)" = "${sum%?} ${#text}" ]
}

# header_parse TEXT: to H_UUID, H_NAME, H_SIZE, H_ARGS. False if it is not a header.
header_parse() {
	local line
	header_is_good "$1" || return
	H_UUID="" H_NAME="" H_SIZE="" H_ARGS=""
	while read -r line; do
		case $line in
		uuid=*) H_UUID=${line#*=} ;;
		name=*) H_NAME=${line#*=} ;;
		size=*) H_SIZE=${line#*=} ;;
		args=*) H_ARGS=${line#*=} ;;
		esac
	done <<-END
		$1
	END
	case $H_UUID in "" | *[!0-9a-f-]*) return 1 ;; esac
	[ ${#H_UUID} = 36 ] && header_name_ok "$H_NAME" || return
	case $H_SIZE in max) ;; *) is_number "$H_SIZE" && [ ${#H_SIZE} -le 16 ] || return ;; esac
	case $H_ARGS in *[!A-Za-z0-9%._\ -]*) return 1 ;; esac
}

# As is_name() of table.sh, which probe does not read.
header_name_ok() {
	case $1 in "" | . | .. | -* | *[!A-Za-z0-9#+.:=@_-]*) return 1 ;; esac
	[ ${#1} -le 127 ]
}

# header_copy DEVICE OFFSET: one copy as text. (A shell variable holds no zeroes.)
header_copy() { dd if="$1" bs=$HEADER_BYTES skip=$(($2 / HEADER_BYTES)) count=1 2>/dev/null | tr -d '\000'; }

# header_read DEVICE: 0 and the H_ variables; 1 if there is none; 2 if it is damaged, or of a later version;
# 3 if the device cannot be read.
header_read() {
	local text
	# Quick for what has none: udev asks of every device. The point comes if dd could read.
	text=$({ dd if="$1" bs=8 count=1 2>/dev/null && echo .; } | tr -d '\000')
	case $text in
	"$MAGIC
.") ;;
	DMZRAM[2-9]*) return 2 ;;
	*.) return 1 ;;
	*) return 3 ;;
	esac
	text=$(header_copy "$1" 0; echo .)
	header_parse "${text%.}" && return
	text=$(header_copy "$1" $HEADER_SECOND; echo .)
	header_parse "${text%.}" || return 2
}

# header_write DEVICE UUID NAME SIZE ARGS: the second copy first, so that one is good at any time.
header_write() {
	local dev=$1 at
	shift
	[ "$(header_text "$@" | wc -c)" -le $HEADER_BYTES ] || die "the settings are too long for a header"
	for at in $HEADER_SECOND 0; do
		if [ -n "$dry_run" ]; then
			echo "# $MAGIC header of $2 to $dev, at $at"
		else
			header_padded "$@" |
				dd of="$dev" bs=$HEADER_BYTES seek=$((at / HEADER_BYTES)) conv=notrunc,fsync iflag=fullblock 2>/dev/null ||
				die "$dev cannot be written"
		fi
	done
}

# header_erase DEVICE: zeroes over the first MiB, so that nothing of ours, or older, is found there.
header_erase() {
	try "$1 cannot be written" dd if=/dev/zero of="$1" bs=64K count=16 conv=notrunc,fsync status=none
}

cmd_probe() {
	local rc=0
	options "" "$@"
	eval "set -- $rest"
	[ $# = 1 ] || usage "one device or file"
	[ -e "$1" ] || die "$1: there is no such device"
	header_read "$1" || rc=$?
	case $rc in
	0) ;;
	1) exit 2 ;;
	2)
		warn "$1: the header is damaged, or of a later version: $prog format writes a new one, detach erases it"
		exit 2
		;;
	*) die "$1 cannot be read" ;;
	esac
	echo "ID_FS_TYPE=dmzram"
	echo "ID_FS_USAGE=other"
	echo "ID_FS_VERSION=${MAGIC#DMZRAM}"
	echo "ID_FS_UUID=$H_UUID"
	echo "ID_FS_UUID_ENC=$H_UUID"
	echo "ID_FS_LABEL=$H_NAME"
	echo "ID_FS_LABEL_ENC=$H_NAME"
}
