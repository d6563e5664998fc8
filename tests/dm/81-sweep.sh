#!/bin/bash
# The n-th I/O of the cold device goes wrong, for each n, while blocks are written, demoted, read,
# promoted, discarded and cleaned; every block is looked at after each. See tests/dm/src/sweep.c.
# vm: uml-debug qemu-6.12
# mem: 256M
# cold: none
# cpus: 2
# timeout: 300
COLD=none
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

load_nth
ram_disk 8

# sweep STEP read|write ACTION [OPTION...]: its counts in R
declare -A R
sweep() {
	local step=$1 word out
	shift
	within 120 "the sweep: $*" "$helpers/dmz-sweep" "$COLD" "$@" --step "$step" >"$T/sweep" || fail "$*"
	read -r out <"$T/sweep"
	note "$*, every $step: $out"
	R=()
	for word in $out; do R[${word%%=*}]=${word#*=}; done
	check "$*: runs that the fault has hit" "${R[hits]}" -gt 0
	check "$*: segments cleaned" "${R[cleaned]}" -gt 0
	check "$*: blocks promoted" "${R[promoted]}" -gt 0
}

# Each n for what fails on the quick kernel, each other n for what lies; some on the others.
few=1 some=2
case $KIND in
uml-debug) few=4 some=9 ;;
qemu-*) few=16 some=40 ;;
esac

sweep $few write fail
check "blocks lost" "${R[lost]}" -eq 0
sweep $few read fail
check "reads that failed" "${R[read_errors]}" -gt 0
check "blocks lost" "${R[lost]}" -eq 0
of_cleaner=${R[cleaner_hits]}

# The same with neighbours compressed as one: all members of a segment that could not be written
# move with it.
sweep $((few * 2)) write fail --groups
check "blocks lost" "${R[lost]}" -eq 0
check "groups" "${R[groups]}" -gt 0
sweep $((few * 3)) read fail --groups
check "blocks lost" "${R[lost]}" -eq 0
check "groups" "${R[groups]}" -gt 0

if [[ $KIND = qemu-* ]]; then
	sweep $some read flip --from 1
	sweep $some write drop --from 1
	exit 0
fi

# Two in a row still are bad spots; six are a device that is gone, for a while.
sweep $some write fail --count 2
sweep $some read fail --count 3
sweep $((some * 6)) write fail --count 6 --from 2

# A read that brings back something else.
for what in flip zero move; do
	sweep $some read $what --from 1
	check "blocks lost" "${R[lost]}" -eq 0
	of_cleaner=$((of_cleaner + R[cleaner_hits]))
done
[ $few != 1 ] || check "reads of the cleaner that went wrong" "$of_cleaner" -gt 0

sweep $((some * 3)) read flip --from 1 --groups
check "blocks lost" "${R[lost]}" -eq 0

# A write that was not done, in part, or elsewhere, and says that it was.
for what in drop tear move; do
	sweep $some write $what --from 1
	[ $few != 1 ] || check "blocks lost" "${R[lost]}" -gt 0
done
