#!/bin/bash
# What lies on the cold device is changed behind the log's back: each field, bit by bit; torn,
# stale, misdirected writes. EIO for the blocks that it hits, and for no other. See
# tests/dm/src/damage.c.
# vm: uml-debug
# mem: 256M
# cold: none
# cpus: 2
# timeout: 300
COLD=none
# shellcheck source=tests/dm/lib.sh
. "$(dirname "$0")/lib.sh"

ram_disk 8

damage() {
	local out
	within 120 "dmz-damage $*" "$helpers/dmz-damage" "$COLD" "$@" >"$T/damage" || fail "$*"
	read -r out <"$T/damage"
	note "$*: $out"
	[[ $out =~ cases=[1-9].*detected=[1-9] ]] || fail "$*: $out"
}

damage bits
damage segments
damage earlier
damage cleaner 4
damage bits groups
damage segments groups
damage cleaner 2 groups
