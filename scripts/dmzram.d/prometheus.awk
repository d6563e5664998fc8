# Samples to the text format of Prometheus. All lines of a metric belong together, whatever the device.
function label(s) {
	gsub(/\\/, "&&", s)
	gsub(/"/, "\\\\&", s)
	return s
}

function metric(name, kind, help) {
	printf "# HELP dmzram_%s %s\n# TYPE dmzram_%s %s\n", name, help, name, kind
}

# All devices' values of one field, if there are any.
function field(f, name, kind, help,    d, told) {
	for (d = 1; d <= devices; d++) {
		if (!((d, f) in value))
			continue
		if (!told++)
			metric(name, kind, help)
		printf "dmzram_%s{device=\"%s\"} %s\n", name, label(value[d, "name"]), value[d, f]
	}
}

function info(    d) {
	if (!devices)
		return
	metric("info", "gauge", "What the device is made of; always 1.")
	for (d = 1; d <= devices; d++)
		printf "dmzram_info{device=\"%s\",dm=\"%s\",cold=\"%s\",args=\"%s\"} 1\n", label(value[d, "name"]),
			value[d, "device"], label(value[d, "cold"]), label(value[d, "args"])
}

# The histogram: counts below powers of two, in microseconds. What they add up to in seconds is not known.
function latency(    d, b, sum, name, told) {
	for (d = 1; d <= devices; d++) {
		if (!((d, "latency_reads") in value))
			continue
		if (!told++)
			metric("cold_read_latency_seconds", "histogram",
				"How long reads of the cold device took, since creation or reset_peak.")
		sum = 0
		name = label(value[d, "name"])
		for (b = 1; b <= 67108864; b *= 2) {
			sum += value[d, "latency_below_" b "_us"]
			printf "dmzram_cold_read_latency_seconds_bucket{device=\"%s\",le=\"%.6f\"} %.0f\n", name, b / 1000000, sum
		}
		sum += value[d, "latency_beyond_us"]
		printf "dmzram_cold_read_latency_seconds_bucket{device=\"%s\",le=\"+Inf\"} %.0f\n", name, sum
		printf "dmzram_cold_read_latency_seconds_count{device=\"%s\"} %.0f\n", name, sum
	}
}

# Blocks by age, as the message ages counts them.
function ages(    d, a, told) {
	for (d = 1; d <= devices; d++)
		for (a = 0; a <= 3; a++) {
			if (!((d, "ages_ram_" a) in value))
				continue
			if (!told++)
				metric("ram_age_blocks", "gauge",
					"Blocks in RAM by rotations of the clock hand that saw them untouched.")
			printf "dmzram_ram_age_blocks{device=\"%s\",rotations=\"%d\"} %s\n", label(value[d, "name"]), a,
				value[d, "ages_ram_" a]
		}
}

$1 == "name" { devices++ }
{ value[devices, $1] = substr($0, length($1) + 2); order[++lines] = $1 }

END {
	info()
	field("size_bytes", "size_bytes", "gauge", "Size of the device.")
	field("cold_bytes", "cold_device_bytes", "gauge", "Size of the cold device.")
	field("segment_bytes", "segment_bytes", "gauge", "Size of a segment of the log.")
	while ((getline line <fields) > 0) {
		if (line ~ /^#/)
			continue
		split(line, word)
		known[word[1]] = 1
		name = word[1] (word[2] == "counter" ? "_total" : "")
		field(word[1], name, word[2], substr(line, length(word[1]) + length(word[2]) + 3))
	}
	# What a newer module has and we do not know.
	for (i = 1; i <= lines; i++) {
		f = order[i]
		if (f in known || f ~ /^(name|time|device|cold|args|size_bytes|cold_bytes|segment_bytes|(latency|ages)_.*)$/)
			continue
		known[f] = 1
		field(f, f, "untyped", "A field of the status that this dmzram does not know.")
	}
	latency()
	ages()
}
