# Samples for a person, at most 80 columns: `status` has one of a device, `top` two, an older one first
# (with then=1), and shows what has changed between them.
#
# Variables: top=1 for the screen of top, keys="text" for its last line.
function v(f) { return now[f] + 0 }
function change(f) { return now[f] - then[f] }

function percent(part, all) { return all > 0 ? sprintf("%.1f%%", 100 * part / all) : "-" }
function whole(part, all) { return all > 0 ? sprintf("%.0f%%", 100 * part / all) : "-" }
function cut(s) { return length(s) > 80 ? substr(s, 1, 79) ">" : s }
function bar(part, all, width,    n, s) {
	n = all > 0 ? int(width * part / all + 0.5) : 0
	while (n-- > 0)
		s = s "#"
	return s
}

function micros(us) {
	if (us < 1000)
		return sprintf("%dus", us)
	return us < 9999.5 ? sprintf("%.1fms", us / 1000) : us < 999500 ? sprintf("%.0fms", us / 1000) : sprintf("%.1fs", us / 1000000)
}

# A rate, or a count that may be large, in at most 7 characters.
function brief(n,    i) {
	if (n < 0)
		n = 0
	if (n < 99999.5)
		return sprintf("%.0f", n)
	for (i = 0; n >= 9999.5 && i < 5; i++)
		n /= 1000
	return sprintf("%.0f%s", n, substr("kMGTP", i, 1))
}

function tier(text, blocks) {
	print cut(sprintf("  %-14s %11.0f  %7s  %6s  %s", text, blocks, human(blocks * 4096), percent(blocks, stored),
		bar(blocks, stored, 32)))
}

function tiers() {
	stored = v("hot_blocks") + v("clean_blocks") + v("cold_blocks") + v("fill_blocks")
	printf "%-16s %11s  %7s  %6s\n", "Blocks", "number", "size", "share"
	tier("in RAM only", v("hot_blocks"))
	tier("RAM and cold", v("clean_blocks"))
	tier("cold only", v("cold_blocks"))
	tier("of one word", v("fill_blocks"))
	printf "  %-14s %11.0f  %7s  %6s of the device\n", "all stored", stored, human(stored * 4096), percent(stored, v("blocks"))
}

function memory(    limit, ram) {
	limit = v("mem_limit_bytes")
	ram = v("hot_blocks") + v("clean_blocks")
	print cut(sprintf("RAM   pool %s%s, peak %s; %s; table %s, fixed %s", human(v("pool_bytes")),
		limit ? " of " human(limit) " (" whole(v("pool_bytes"), limit) ")" : ", no limit", human(v("pool_peak_bytes")),
		ram && v("pool_stored_bytes") ? sprintf("%.2f to 1", ram * 4096 / v("pool_stored_bytes")) : "empty",
		human(v("meta_bytes")), human(v("fixed_bytes"))))
}

function cold(    used, segment) {
	if (now["cold"] == "-") {
		print "Cold  none"
		return
	}
	segment = v("segment_bytes")
	used = (v("segments") - v("segments_free")) * segment
	print cut(sprintf("Cold  used %s of %s (%s), live %s%s%s%s", human(used), human(v("segments") * segment),
		whole(v("segments") - v("segments_free"), v("segments")), human(v("cold_live_bytes")),
		used ? " (" whole(v("cold_live_bytes"), used) " of that)" : "",
		v("segments_bad") ? "; " v("segments_bad") " bad segments" : "",
		v("wear_budget_bytes") ? "; wear left " human(v("wear_left_bytes")) : ""))
}

function ages(    a, all, s, seconds) {
	if (!("ages_ram_0" in now) || now["cold"] == "-")
		return
	seconds = v("ages_rotation_seconds")
	for (a = 0; a <= 3; a++)
		all += v("ages_ram_" a)
	s = "Ages  rotations untouched in RAM:"
	for (a = 0; a <= 3; a++)
		s = s sprintf("  %d%s: %s", a, a == 3 ? "+" : "", whole(v("ages_ram_" a), all))
	print cut(s (seconds ? sprintf("  (%d s each)", seconds) : ""))
}

# One of the rows of traffic: a count of blocks or bytes on the left, and one on the right.
function half(text, f, bytes,    rate) {
	rate = top && seconds ? change(f) / seconds : 0
	return sprintf("%-17s %7s %11s", text, !top ? "" : bytes ? human(rate < 0 ? 0 : rate) : brief(rate),
		bytes ? human(v(f)) : v(f) < 99999999999.5 ? sprintf("%.0f", v(f)) : brief(v(f)))
}
function row(text1, f1, text2, f2, bytes2) { print "  " half(text1, f1, 0) "    " half(text2, f2, bytes2) }

function traffic() {
	print "Traffic" substr(sprintf("%12s %7s %11s    %-17s %7s %11s", "", top ? "now/s" : "", "total", "", top ? "now/s" : "", "total"), 1)
	row("blocks read", "reads", "cold reads", "cold_reads")
	row("blocks written", "writes", "buffer reads", "buffer_reads")
	row("discarded", "discards", "cold written", "cold_write_bytes", 1)
	row("demoted", "demotions", "cold read", "cold_read_bytes", 1)
	row("spilled", "spills", "writes of that", "segment_writes")
	row("promoted", "promotions", "blocks cleaned", "blocks_cleaned")
}

# The percentile of the reads between two samples, or of all: the upper bound of its bucket.
function quantile(q, of_now,    b, sum, all, f) {
	for (b = 1; b <= 67108864; b *= 2) {
		f = "latency_below_" b "_us"
		count[b] = of_now ? change(f) : v(f)
		all += count[b]
	}
	for (b = 1; b <= 67108864; b *= 2) {
		sum += count[b]
		if (all && sum >= all * q)
			return b
	}
	return 0
}

function latency(    s) {
	if (now["cold"] == "-")
		return
	s = v("latency_reads") ? sprintf(", p50 < %s, p99 < %s, longest %s", micros(v("latency_p50_us")),
		micros(v("latency_p99_us")), micros(v("latency_max_us"))) : ""
	print cut(sprintf("Cold reads  in all: %6s of reads%s", percent(v("cold_reads"), v("reads")), s))
	if (!top)
		return
	s = change("latency_reads") > 0 ? sprintf(", p50 < %s, p99 < %s", micros(quantile(0.5, 1)), micros(quantile(0.99, 1))) : ""
	print cut(sprintf("            now:    %6s of reads%s", percent(change("cold_reads"), change("reads")), s))
}

# What somebody should look at, or nothing.
function alerts(    s) {
	if (v("cold_failed"))
		s = s ", the cold device has FAILED"
	if (v("write_fails"))
		s = s ", " v("write_fails") " writes failed"
	if (v("cold_read_errors"))
		s = s ", " v("cold_read_errors") " read errors"
	if (v("cold_bad_objects"))
		s = s ", " v("cold_bad_objects") " bad objects"
	if (v("cold_write_errors"))
		s = s ", " v("cold_write_errors") " write errors"
	if (v("moving_stuck"))
		s = s ", " v("moving_stuck") " segments cannot be moved"
	if (v("wear_thrifty"))
		s = s ", wear budget used up"
	# A log that is cleaned has few free segments, however much of it is dead.
	if (now["cold"] != "-" && v("segments_free") < v("segments") / 32 + 6 &&
	    v("cold_live_bytes") > 0.9 * v("segments") * v("segment_bytes"))
		s = s ", cold device nearly full"
	if (v("cold_devices") > 1)
		s = s ", moving: " v("moving_segments") " segments left"
	return substr(s, 3)
}

function show(    s, title) {
	title = sprintf("%s: %s%s", now["name"], human(v("size_bytes")),
		now["cold"] == "-" ? ", no cold device" : " over " now["cold"] " (" human(v("cold_bytes")) ")")
	if (top)
		title = sprintf("%-71s %8s", substr(title, 1, 71), clock)
	print cut(title)
	print cut("  " (now["args"] == "" ? "all settings as by default" : now["args"]))
	if (top) print ""
	tiers()
	if (top) print ""
	memory()
	cold()
	ages()
	if (top) print ""
	traffic()
	latency()
	s = alerts()
	if (s != "")
		print cut("! " s)
	else if (top)
		print keys
}

$1 == "name" {
	if (shown++) {
		if (top) {
			for (f in now)
				then[f] = now[f]
		} else {
			show()
			print ""
		}
	}
	for (f in now)
		delete now[f]
}
{ now[$1] = substr($0, length($1) + 2) }

END {
	if (!shown)
		exit
	seconds = top ? now["uptime"] - then["uptime"] : 0
	show()
}
