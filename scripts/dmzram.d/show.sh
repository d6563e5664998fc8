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

# ---- samples that are kept -----------------------------------------------------------------------

HISTORY=/var/lib/dm-zram
HISTORY_LINES=4032 # two weeks of one in five minutes

# What is kept of a sample: one line.
history_line() {
	awk '$1 ~ /^(time|segment_bytes|blocks|[a-z]+_blocks|pool_bytes|segments|segments_free|cold_live_bytes|reads|writes)$/ ||
		$1 ~ /^(cold_reads|buffer_reads|demotions|spills|clean_drops|cold_write_bytes)$/ {
			printf "%s%s=%s", n++ ? " " : "", $1, $2
		}
		END { print "" }'
}

cmd_record() {
	local name file
	options "dir:" "$@"
	need_root
	eval "set -- $rest"
	HISTORY=${opt_dir:-$HISTORY}
	chosen "$@"
	try "$HISTORY cannot be made" mkdir -p "$HISTORY"
	for name in $CHOSEN; do
		file=$HISTORY/$name.history
		values=$(sample "$name") || exit 1
		{ printf '%s\n' "$values" | history_line >>"$file"; } 2>/dev/null || die "$file cannot be written"
		# Now and then cut off what is too old.
		if [ "$(wc -l <"$file")" -gt $((HISTORY_LINES * 5 / 4)) ]; then
			{ tail -n $HISTORY_LINES "$file" >"$file.new" && mv "$file.new" "$file"; } 2>/dev/null || die "$file cannot be written"
		fi
	done
}

cmd_advise() {
	local values least=0
	options "hours: dir:" "$@"
	case ${opt_hours:-24} in *[!0-9]*) usage "--hours: \"$opt_hours\" is not a number" ;; esac
	need_root
	eval "set -- $rest"
	[ $# = 1 ] || usage "one device"
	dm_name "$1"
	values=$(sample "$NAME") || exit 1
	dm_table "$NAME"
	[ "$COLD" = - ] || least=$(least_bytes "$SECTORS" "$ARGS")
	HISTORY=${opt_dir:-$HISTORY}
	{
		[ ! -r "$HISTORY/$NAME.history" ] || cat "$HISTORY/$NAME.history"
		printf '%s\n' "$values"
	} | awk -v since=$(($(date +%s) - ${opt_hours:-24} * 3600)) -v least="$least" "$human_awk$(cat "$lib/advise.awk")"
}
