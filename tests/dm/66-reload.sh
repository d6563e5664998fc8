#!/bin/bash
# Reloads, suspends and messages change what can be changed, and the cold device, round after round,
# under a load that verifies what it wrote and over data of which half is cold: no error, no wrong
# block, and the table says what is in force. DMZ_RELOAD_ROUNDS=500 makes 500 rounds of it.
# vm: uml-debug qemu-6.12
# mem: 384M
# cold: 512M
# cpus: 2
# timeout: 400
# packages: fio e2fsprogs
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/dm/move.sh
. "$dm_dir/move.sh"

rounds=${DMZ_RELOAD_ROUNDS:-25}
mib=$(by_kind 64 48)  # size of the device at first
most=$((mib + 32))    # and at last
kept=$((16 * 256))    # blocks at the front that nobody writes again
watch_over $((300 + rounds * 8)) $$ "$rounds rounds"

# ---- what is in force, as words of the table line ---------------------------------------------

declare -A want=([mem_limit]=8M [algorithm]=lz4 [policy]=age [reserve]=256K [demote_age]=0
	[cold_algorithm]=none [wear_budget]=0)
order="mem_limit algorithm policy reserve demote_age wear_budget cold_algorithm"

words() {
	local k
	for k in $order; do printf '%s %s ' "$k" "${want[$k]}"; done
}
number() { dmsetup info -c --noheadings --separator : -o major,minor "$1"; }
# shellcheck disable=SC2046 # words
new_table() { table "${mib}M" "$1" $(words); }

round_trip() {
	local now
	now=$(dmsetup table z)
	check "$1: table" "$now" = "$(new_table "$cold_number")"
	check "$1: size" "$(blockdev --getsize64 $dev)" -eq $((mib << 20))
	check "$1: blocks in status" "$(stat z blocks)" -eq $((mib << 8))
}

cold_disk a 0 $((256 << 11))
cold_disk b $((256 << 11)) $((250 << 11))
cold=/dev/mapper/a cold_number=$(number a)
# shellcheck disable=SC2046
create z "${mib}M" $cold $(words)
round_trip "at first"

# ---- what changes it ----------------------------------------------------------------------------

declare -A values=([mem_limit]="4M 6M 8M 12M 10%" [algorithm]="lz4 lzo-rle zstd" [policy]="age fifo"
	[reserve]="128K 256K 2M" [demote_age]="0 1 600" [cold_algorithm]="none zstd" [wear_budget]="0 100G")
RANDOM=${DMZ_RELOAD_SEED:-1}
moves=0

change() { # change KEY: another value
	local old=${want[$1]} v
	read -ra v <<<"${values[$1]}"
	while [ "${want[$1]}" = "$old" ]; do want[$1]=${v[RANDOM % ${#v[@]}]}; done
}

# shellcheck disable=SC2086 # words
take_over() { # take_over [OPTION...]: of dmsetup suspend
	dmsetup reload z --table "$(new_table $cold)" || fail "reload: $(dmesg | tail -n 1)"
	within 60 suspend dmsetup suspend "$@" z
	within 60 resume dmsetup resume z
}

other_cold() {
	case $cold in
	*/a) cold=/dev/mapper/b cold_number=$(number b) ;;
	*) cold=/dev/mapper/a cold_number=$(number a) ;;
	esac
	moves=$((moves + 1))
}

refused() { # refused REGEX TABLE
	log_mark
	! dmsetup reload z --table "$2" 2>"$T/refused" || fail "accepted: $2"
	want_log "zram: .*($1)"
}

round() { # round NUMBER
	local k
	case $(($1 % 11)) in
	0) change algorithm && take_over ;;
	1) change mem_limit && change algorithm && take_over --noflush ;;
	2) within 60 suspend dmsetup suspend --noflush z && within 60 resume dmsetup resume z ;;
	3) change algorithm && msg z set algorithm "${want[algorithm]}" ;;
	4) change reserve && change cold_algorithm && change policy && take_over --nolockfs ;;
	5)
		if [ "$mib" -lt $most ]; then mib=$((mib + 1)); fi
		change demote_age && take_over --noflush --nolockfs
		;;
	6)
		# The table is loaded while the device is suspended, twice: the last one counts.
		within 60 suspend dmsetup suspend z
		dmsetup reload z --table "$(new_table $cold)"
		change algorithm && change mem_limit
		dmsetup reload z --table "$(new_table $cold)"
		within 60 resume dmsetup resume z
		;;
	7)
		refused 'size of an active device cannot be reduced' "$(table $((mib - 1))M $cold)"
		refused 'segment_size of an active device cannot be changed' "$(table "${mib}M" $cold segment_size 64K)"
		refused 'cold device' "$(table 4G $cold)"
		;;
	8)
		for k in reserve mem_limit wear_budget; do
			change $k
			msg z set $k "${want[$k]}"
		done
		;;
	9)
		# A table that is dropped again changes nothing.
		dmsetup reload z --table "$(table $((mib + 5))M $cold algorithm zstd mem_limit 1M)"
		log_mark
		if [ "${want[algorithm]}" != lzo-rle ]; then
			! dmsetup message z 0 set algorithm lzo-rle 2>"$T/refused" ||
				fail "algorithm was set beside a table that is loaded"
			want_log 'Another table is loaded'
		fi
		dmsetup clear z
		msg z demote $((kept / 2))
		;;
	10)
		# To the other cold device, or back in the midst of the last move; and now and then back at
		# once.
		other_cold
		take_over --noflush
		if [ $((RANDOM % 3)) = 0 ]; then
			other_cold
			take_over
		fi
		;;
	esac
	round_trip "round $1"
}

# ---- the load -----------------------------------------------------------------------------------

# Each run of fio writes its part and verifies it; the part begins behind what is kept.
fio_runs() {
	local n=0 rc
	while [ ! -e "$T/stop" ]; do
		rc=0
		fio --filename=$dev --thread --direct=1 --ioengine=libaio --iodepth=16 --verify=crc32c \
			--verify_interval=4k --verify_fatal=1 --verify_state_save=0 --exitall_on_error=1 \
			--buffer_compress_percentage=60 --buffer_compress_chunk=4k --refill_buffers=1 \
			--bssplit=4k/60:16k/20:64k/20 --offset=$((kept * BLOCK)) --size=12m \
			--randseed=$((n + 1)) --name=load --rw=randwrite >"$T/fio" 2>&1 || rc=$?
		if [ $rc != 0 ] || grep -Eq 'verify: bad|err= *[1-9]|error=' "$T/fio"; then
			echo "fio run $n ended with $rc" >>"$T/fio.failed"
			return
		fi
		n=$((n + 1))
		echo $n >"$T/fio.runs"
	done
}

blk write $dev --seed 7 --ratio 3 --count $kept --batch 16
msg z demote $((kept / 2))
echo 0 >"$T/fio.runs"
fio_runs &
load=$!
background="$background $load"

for ((i = 0; i < rounds; i++)); do
	round $i
	[ ! -e "$T/fio.failed" ] || fail "round $i: $(cat "$T/fio.failed"; tail -n 40 "$T/fio")"
	[ $((i % 5)) != 4 ] || blk verify $dev --seed 7 --ratio 3 --count $kept --batch 16
	# As much as half of what is kept stays cold, and comes back now and then.
	[ $((i % 7)) != 6 ] || msg z demote $((kept / 2))
done
has_run() { [ "$(cat "$T/fio.runs")" -ge 2 ] || [ -e "$T/fio.failed" ]; }
wait_until 120 "fio to have verified two times" has_run
: >"$T/stop"
wait_until 120 "the last run of fio" sh -c "! kill -0 $load 2>/dev/null"
[ ! -e "$T/fio.failed" ] || fail "$(cat "$T/fio.failed"; tail -n 40 "$T/fio")"
blk verify $dev --seed 7 --ratio 3 --count $kept --batch 16
end_watch

# ---- it must have meant something ---------------------------------------------------------------

# Old blocks of each codec, read after the change to another one.
for k in lz4 lzo-rle zstd; do
	msg z set algorithm $k
	blk write $dev --seed 8 --ratio 3 --count 64 --from $((kept - 64)) --batch 16
	want[algorithm]=$k
	change algorithm
	take_over
	blk verify $dev --seed 8 --ratio 3 --count 64 --from $((kept - 64)) --batch 16
	msg z demote all
	blk verify $dev --seed 8 --ratio 3 --count 64 --from $((kept - 64)) --batch 16
done
# The last move, to its end: one of them is free then, the other is not.
other_cold
take_over
wait_moved
check_sane z
blk verify $dev --seed 7 --ratio 3 --count $((kept - 64)) --batch 16
note "$rounds rounds, $(cat "$T/fio.runs") runs of fio; ${mib} MiB; demotions=${S[demotions]}" \
	"cold_reads=${S[cold_reads]} spills=${S[spills]} promotions=${S[promotions]} groups=${S[groups]};" \
	"$moves moves begun, ${S[segments_moved]} segments and ${S[blocks_moved]} blocks moved"
check "demotions" "${S[demotions]}" -ge $((kept / 2))
check "cold reads" "${S[cold_reads]}" -gt 0
check "segments moved" "${S[segments_moved]}" -gt 0
check "errors" $((S[cold_read_errors] + S[cold_write_errors] + S[write_fails])) -eq 0
[ "$rounds" -lt 25 ] || check "size" "$mib" -gt "$(by_kind 64 48)"
is_busy "${cold##*/}"
other_cold
is_free "${cold##*/}"
remove z
is_free a
is_free b
