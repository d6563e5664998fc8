# shellcheck shell=dash disable=SC2034,SC2154 # variables go from file to file
# SPDX-License-Identifier: GPL-2.0
# /etc/dm-zram.conf, as its generator and dm-zram-setup read it. Sourced by both. $lib is our directory.

# conf_files: the files that there are, in order: the main one, then drop-ins by name. One in /etc
# hides one in /usr/lib of the same name. DM_ZRAM_ROOT is for tests.
conf_files() {
	local root=${DM_ZRAM_ROOT-} dir file base seen=""
	[ ! -e "$root/etc/dm-zram.conf" ] || echo "$root/etc/dm-zram.conf"
	for dir in /etc /run /usr/lib; do
		for file in "$root$dir"/dm-zram.conf.d/*.conf; do
			[ -e "$file" ] || continue
			base=${file##*/}
			case " $seen " in *" $base "*) continue ;; esac
			seen="$seen $base"
			printf '%s %s\n' "$base" "$file"
		done
	done | sort | sed 's/^[^ ]* //'
}

# conf_read: all that they say, in CONF, as conf.awk writes it. False if there is no file.
conf_read() {
	local files ram
	files=$(conf_files)
	[ -n "$files" ] || return 1
	ram=$(awk '/^MemTotal:/ { printf "%.0f", $2 * 1024 }' "${DM_ZRAM_MEMINFO:-/proc/meminfo}")
	# shellcheck disable=SC2086 # a drop-in's name with a space in it is found not to be there
	CONF=$(awk -v "ram=$ram" -f "$lib/conf.awk" $files)
}

conf_names() { printf '%s\n' "$CONF" | sed -n 's/^\([^ ]*\) name .*/\1/p'; }

# What follows is called often, at boot, where a process is dear: it starts none, and leaves its answer in
# VALUE.

# conf_get NAME KEY [DEFAULT]
conf_get() {
	local name key value
	VALUE=${3-}
	while read -r name key value; do
		[ "$name $key" != "$1 $2" ] || VALUE=$value
	done <<-END
		$CONF
	END
}

# conf_error NAME: the first thing that is wrong with it. "-" for what belongs to none.
conf_error() {
	local name key value
	VALUE=""
	while read -r name key value; do
		if [ "$name $key" = "$1 !" ]; then
			VALUE=$value
			return
		fi
	done <<-END
		$CONF
	END
}
