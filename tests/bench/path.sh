# shellcheck shell=bash disable=SC2154 # bench, round: of lib.sh
# What 90-path.sh and 91-instructions.sh share; they source lib.sh first.
#   path_load           fill the device and take its data for what is written
#   path_run SIDE OP SIZE DEPTH JOBS   reads or writes through $DEV; a row
#   path_codec OP JOBS  the codec alone; its result in SAID
# BLOCKS of the device, DONE in each measurement by each job, WALL is what the passing time is.
PATH_CTL=/sys/kernel/debug/dzb_path
insmod "$DMZ_BENCH_KO/dzb-path.ko"

path_load() {
	dzb fill "$DEV" "$BLOCKS" 1
	echo "load $DEV" >$PATH_CTL
}

# path_put SIDE METRIC: rows of the result.
path_put() {
	local ran
	row "$2_wall" "$WALL" "$1" "$(field wall_ns "$SAID")"
	ran=$(field ran_ns "$SAID")
	[ "$ran" = 0 ] || row "$2_ran" ns "$1" "$ran"
	echo "$bench: round $round $1 $2: $SAID"
}

path_run() {
	local side=$1 op=$2 size=$3 depth=$4 jobs=$5
	echo "run $DEV $op $(numfmt --from=iec "$size") $depth $jobs $DONE $round" >$PATH_CTL
	SAID=$(cat $PATH_CTL)
	path_put "$side" "${op}_${size}_depth${depth}_jobs$jobs"
}

path_codec() {
	echo "codec $1 $2 $DONE" >$PATH_CTL
	SAID=$(cat $PATH_CTL)
}

# dm's own share: a table that hands everything on to a zram.
linear_up() {
	up peer $((BLOCKS * 4096))
	dmsetup create linear --table "0 $((BLOCKS * 8)) linear $DEV 0"
	[ -e /dev/mapper/linear ] || dmsetup mknodes linear
	DEV=/dev/mapper/linear
}
linear_down() {
	dmsetup remove --retry linear
	down peer
}

# side_up SIDE, side_down SIDE: ours, peer (zram), linear
side_up() { if [ "$1" = linear ]; then linear_up; else up "$1" $((BLOCKS * 4096)); fi; }
side_down() { if [ "$1" = linear ]; then linear_down; else down "$1"; fi; }
