# What would have served: from lines of older samples, "KEY=VALUE ..." each, and behind them a sample of now.
#
# Variables: hours, the window; least, bytes of cold device that back the device; words, its settings.
function up(bytes,    step) {
	# To two or three digits, as a person would write it.
	for (step = 1048576; bytes / step > 200; step *= 2)
		;
	return int((bytes + step - 1) / step) * step
}
# In M or G, as a setting is written.
function size(bytes) {
	return bytes % 1073741824 == 0 ? sprintf("%.0fG", bytes / 1073741824) : sprintf("%.0fM", int((bytes + 1048575) / 1048576))
}
function max(a, b) { return a > b ? a : b }
function min(a, b) { return a < b ? a : b }
function share(part, all) { return all > 0 ? sprintf("%.1f %%", 100 * part / all) : "none" }

# say(LABEL, TEXT): wrapped to 80 columns, behind the label; "-" is a bullet.
function say(label, text,    word, n, i, line, indent) {
	indent = label == "-" ? "    " : "               "
	line = sprintf(label == "-" ? "  %s" : "  %-12s", label)
	n = split(text, word, " ")
	for (i = 1; i <= n; i++) {
		if (length(line " " word[i]) > 80) {
			print line
			line = substr(indent, 2)
		}
		line = line " " word[i]
	}
	print line
}

# What one sample says of the highest that there was.
function look(s) {
	pool_max = max(pool_max, s["pool_bytes"])
	used_max = max(used_max, s["segments"] - s["segments_free"])
	live_max = max(live_max, s["cold_live_bytes"])
	stored_max = max(stored_max, s["hot_blocks"] + s["clean_blocks"] + s["cold_blocks"] + s["fill_blocks"])
}

function forget() {
	samples = pool_max = used_max = live_max = stored_max = 0
	for (f in first)
		delete first[f]
}

# An older sample.
/=/ && $1 !~ /^name$/ && !in_now {
	for (f in old)
		delete old[f]
	for (i = 1; i <= NF; i++) {
		split($i, part, "=")
		old[part[1]] = part[2] + 0
	}
	if (old["time"] < since)
		next
	# Counters that are smaller than before are those of another device.
	if (samples && (old["reads"] < last_reads || old["writes"] < last_writes))
		forget()
	if (!samples++)
		for (f in old)
			first[f] = old[f]
	last_reads = old["reads"]
	last_writes = old["writes"]
	look(old)
	next
}

# Numbers as numbers: some kinds of awk compare them as strings else.
{
	in_now = 1
	value = substr($0, length($1) + 2)
	if (value ~ /^[0-9.]+$/)
		now[$1] = value + 0
	else
		now[$1] = value
}

function change(f) { return now[f] - first[f] }

function head(    reads) {
	if (samples)
		printf "%s: the last %.1f hours, %d samples\n", now["name"], (now["time"] - first["time"]) / 3600, samples + 1
	else
		printf "%s: since it was created\n", now["name"]
}

function facts() {
	say("stored", sprintf("at most %.0f blocks, %s, %s of the device", stored_max, human(stored_max * 4096),
		share(stored_max, now["blocks"])))
	say("pool", sprintf("at most %s%s", human(pool_max),
		limit ? " of " human(limit) ", where demotion begins at 15/16" : ", no limit"))
	if (now["cold"] != "-")
		say("cold", sprintf("at most %s of %s in use, %s of that live", human(used_max * now["segment_bytes"]),
			human(now["segments"] * now["segment_bytes"]), human(live_max)))
	say("reads", sprintf("%.0f blocks, %s of them from the cold device", reads, share(faults, reads)))
	if (ram_all && now["cold"] != "-")
		say("ages", sprintf("%s of the blocks in RAM were not touched for %s", share(old_ram, ram_all), rotations(3)))
	if (hits)
		say("", sprintf("%s of the reads from RAM found such a block", share(now["ages_sampled_reads_3"], hits)))
}

function rotations(n) {
	return n " rotations" (now["ages_rotation_seconds"] > 0 ? \
		sprintf(" (%d s, or less if RAM was short)", n * now["ages_rotation_seconds"]) : "")
}

function limit_without_cold() {
	if (limit && pool_max > limit * 15 / 16)
		return "too small: beyond it writes fail. A cold device, or " size(up(limit * 2))
	return limit ? "was enough" : "there is none: set one, or writes can take all RAM"
}

function advise_limit(    block, more, less) {
	if (now["cold"] == "-") {
		say("mem_limit", limit_without_cold())
		return
	}
	# Bytes of a block in RAM; of a cold one if there is none in RAM.
	block = now["pool_stored_bytes"] > 0 ? now["pool_bytes"] / max(1, now["hot_blocks"] + now["clean_blocks"]) : \
		now["cold_blocks"] > 0 ? now["cold_live_bytes"] / now["cold_blocks"] : 1400
	more = min(faults, now["cold_blocks"] + now["clean_blocks"]) * block
	if (!reads && !change("writes")) {
		say("mem_limit", "nothing was read or written: no advice")
	} else if (faults > reads / 100 && limit && pool_max >= limit * 7 / 8) {
		say("mem_limit", sprintf("more may help: %s would have held all that was read from the cold device; less than that, some of it",
			size(up(limit + more))))
	} else if (faults > reads / 100) {
		say("mem_limit", "was not what blocks left RAM for: reclaim, demote_age or a message was. More RAM in the machine," \
			" or a longer demote_age, keeps them; a larger limit does not")
	} else if (ram_all && old_ram > ram_all / 4 && (!hits || now["ages_sampled_reads_3"] * 20 < hits)) {
		less = up(max(16 * 1048576, now["pool_bytes"] * (1 - old_ram / ram_all) * 8 / 7))
		if (!limit || less < limit)
			say("mem_limit", sprintf("%s would do: it holds all that is not old", size(less)))
		else
			say("mem_limit", "is right")
	} else {
		say("mem_limit", "is right")
	}
}

function advise_size() {
	if (stored_max > now["blocks"] / 2)
		say("size", sprintf("%s suits swap, which works best when less than half full; empty blocks cost little",
			size(up(stored_max * 8192))))
	else
		say("size", "is enough")
}

function advise_cold(    need) {
	if (now["cold"] == "-")
		return
	# Four fifths live: the cleaner has little to do. 12 segments are reserve and buffers.
	need = max(up(1048576 + live_max / 0.8 + 12 * now["segment_bytes"]), up(1048576 + 24 * now["segment_bytes"]))
	if (live_max > 0.9 * now["segments"] * now["segment_bytes"])
		say("cold device", sprintf("nearly full of live data: %s, for the cleaner's sake", size(need)))
	else if (least <= now["cold_bytes"])
		say("cold device", sprintf("%s back every block, however it compresses; with overcommit, %s would have done",
			size(up(least)), size(need)))
	else
		say("cold device", sprintf("%s would have done; %s back every block, however it compresses", size(need), size(up(least))))
}

function limits_of_this() {
	print "What this cannot know:"
	if (now["cold"] != "-") {
		say("-", "how soon after leaving RAM a block was read again. So the larger mem_limit is an upper bound, and" \
			" nothing is said of what lies between.")
		say("-", "ages at other times than now; and while RAM is short the hand turns faster.")
	}
	if (!samples)
		say("-", "how full the device and the cold device have been: without samples (dmzram record) that is how full they" \
			" are now, and the counters are those since creation.")
	say("-", "what the RAM would have been worth to others.")
}

END {
	look(now)
	if (!samples)
		pool_max = max(pool_max, now["pool_peak_bytes"])
	limit = now["mem_limit_bytes"] + 0
	reads = change("reads")
	faults = change("cold_reads") + change("buffer_reads")
	for (i = 0; i <= 3; i++) {
		ram_all += now["ages_ram_" i]
		hits += now["ages_sampled_reads_" i]
	}
	old_ram = now["ages_ram_3"]
	head()
	facts()
	print "What would have served:"
	advise_limit()
	advise_size()
	advise_cold()
	limits_of_this()
}
