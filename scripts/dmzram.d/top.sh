# shellcheck shell=dash disable=SC2034,SC2153,SC2154 # variables go from file to file
# top: one screen, live. Sourced by dmzram.

# For reading one key with a limit of time: the terminal is in that state while we run.
screen_on() {
	SCREEN=$(stty -g) || SCREEN=""
	stty -icanon -echo min 0 time 0
	printf '\033[?1049h\033[?25l'
}
screen_off() {
	[ -n "$SCREEN" ] || return 0
	printf '\033[?25h\033[?1049l'
	stty "$SCREEN"
	SCREEN=""
}

# key SECONDS: a key that was pressed within that time, in KEY, or nothing.
key() {
	local tenths
	tenths=$(awk -v s="$1" 'BEGIN { t = int(s * 10 + 0.5); print (t < 1 ? 1 : t > 255 ? 255 : t) }')
	stty min 0 time "$tenths"
	KEY=$(dd bs=1 count=1 2>/dev/null)
}

# sample with the time that the machine is up, which is finer than the seconds of date.
timed_sample() {
	sample "$1" && echo "uptime $(cut -d ' ' -f 1 /proc/uptime)"
}

# next_device NAME: that behind it, the first behind the last.
next_device() {
	dm_names | awk -v at="$1" '
		NR == 1 { first = $1 }
		found { print $1; done = 1; exit }
		$1 == at { found = 1 }
		END { if (!done) print first }'
}

draw() { # OLD NEW
	printf '%s\n%s\n' "$1" "$2" | awk -v top=1 -v clock="$(date +%T)" \
		-v keys="q quits, n next device, space now" "$human_awk$(cat "$lib/text.awk")"
}

cmd_top() {
	local name old new left screen escape
	escape=$(printf '\033')
	options "delay:/d count:/c batch/b" "$@"
	[ -n "$opt_delay" ] || opt_delay=2
	printf '%s\n' "$opt_delay" | awk '/^[0-9]+(\.[0-9]+)?$/ && $1 >= 0.1 && $1 <= 25 { good = 1 } END { exit !good }' ||
		usage "--delay: \"$opt_delay\" is not 0.1 to 25 seconds"
	[ -z "$opt_count" ] || is_number "$opt_count" || usage "--count: \"$opt_count\" is not a number"
	need_root
	eval "set -- $rest"
	[ $# -le 1 ] || usage "one device"
	name=${1-}
	[ -n "$name" ] || name=$(dm_names | head -n 1)
	[ -n "$name" ] || die "there is no dm-zram device"
	dm_name "$name"
	[ -n "$opt_batch" ] || [ -t 0 ] && [ -t 1 ] || opt_batch=1
	SCREEN=""
	if [ -z "$opt_batch" ]; then
		trap screen_off EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM HUP
		screen_on
	fi
	left=${opt_count:--1}
	old=$(timed_sample "$NAME") || exit 1
	while [ "$left" != 0 ]; do
		KEY=""
		if [ -n "$opt_batch" ]; then sleep "$opt_delay"; else key "$opt_delay"; fi
		case $KEY in
		q) break ;;
		n)
			NAME=$(next_device "$NAME")
			old=$(timed_sample "$NAME") || exit 1
			key 0.5
			;;
		esac
		new=$(timed_sample "$NAME") || exit 1
		screen=$(draw "$old" "$new")
		# Line by line over the old one: no flicker.
		if [ -z "$opt_batch" ]; then
			printf '\033[H%s\033[J' "$(printf '%s\n' "$screen" | sed "s/\$/${escape}[K/")"
		else
			printf '%s\n\n' "$screen"
		fi
		old=$new
		left=$((left - 1))
	done
}
