# shellcheck shell=dash disable=SC2034,SC2153,SC2154 # variables go from file to file
# What there is to see: status, record. Sourced by dmzram.

# sample NAME: lines of a field and its value: first the device's own, then all of the status, then
# latency_* of the message latency, and ages_* of the message ages.
sample() {
	local name=$1 values
	dm_table "$name" || return
	values=$(dmsetup status "$name" 2>/dev/null) || die "$name is gone"
	if [ -z "$FIELDS" ]; then
		FIELDS=$(dmsetup message "$name" 0 fields 2>/dev/null) || die "$name: no answer to the message fields"
	fi
	printf 'name %s\ntime %s\ndevice %s\ncold %s\nsize_bytes %s\nargs %s\n' "$name" "$(date +%s)" \
		"$(dm_numbers "$name")" "$COLD" $((SECTORS * 512)) "$ARGS"
	if [ "$COLD" != - ]; then
		printf 'cold_bytes %s\nsegment_bytes %s\n' "$(blockdev --getsize64 "$COLD" 2>/dev/null || echo 0)" \
			"$(segment_bytes "$ARGS")"
		dmsetup message "$name" 0 latency 2>/dev/null | sed 's/^/latency_/; s/^latency_cold_/latency_/'
	fi
	dmsetup message "$name" 0 ages 2>/dev/null | sed 's/^/ages_/'
	printf '%s\n%s\n' "$FIELDS" "$values" | awk '
		NR == 1 { split($0, field) }
		NR == 2 { for (i = 4; i <= NF; i++) if (field[i - 3] != "") print field[i - 3], $i }'
}
FIELDS=""

# chosen NAME...: those, or all that there are, in the words of CHOSEN.
chosen() {
	local name
	CHOSEN=""
	for name; do
		dm_name "$name"
		CHOSEN="$CHOSEN $NAME"
	done
	[ $# -gt 0 ] || CHOSEN=$(dm_names)
}

# samples NAME...: their samples, one after the other.
samples() {
	local name
	for name; do sample "$name"; done
}

cmd_status() {
	local kind=text
	options "json prometheus" "$@"
	[ -z "$opt_json" ] || kind=json
	[ -z "$opt_prometheus" ] || kind=prometheus
	[ -z "$opt_json" ] || [ -z "$opt_prometheus" ] || usage "--json or --prometheus, not both"
	need_root
	eval "set -- $rest"
	chosen "$@"
	if [ -z "$CHOSEN" ] && [ $kind = text ]; then
		note "There is no dm-zram device."
		return
	fi
	# shellcheck disable=SC2086 # words
	values=$(samples $CHOSEN) || exit 1
	printf '%s\n' "$values" | awk -v fields="$lib/fields" "$human_awk$(cat "$lib/$kind.awk")"
}
