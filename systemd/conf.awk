# SPDX-License-Identifier: GPL-2.0
# Reads /etc/dm-zram.conf and its drop-ins for the generator and for dm-zram-setup.
#
# The files come in order of rank; a later key replaces an earlier one of its section. -v ram=BYTES.
# Writes a line "NAME KEY VALUE" for each section and key, all checked: sizes in bytes, the cold device
# as a path. What is wrong is a line "NAME ! FILE:LINE: TEXT", NAME being "-" outside of sections.

BEGIN {
	n = split("size limit cold cold-timeout swap-priority mount-point fs-type fs-options mkfs-options arguments", word)
	for (i = 1; i <= n; i++)
		known[word[i]] = 1
}

FNR == 1 { section = "" }

{
	sub(/\r$/, "")
	gsub(/^[ \t]+|[ \t]+$/, "")
}

/^$/ || /^[#;]/ { next }

/^\[.*\]$/ {
	section = substr($0, 2, length($0) - 2)
	if (section !~ /^[A-Za-z0-9][A-Za-z0-9_.-]*$/ || length(section) > 100) {
		wrong("-", "[" section "]: a name of letters, digits, \"_\", \".\" and \"-\" is needed")
		section = "-"
	} else if (!(section in seen)) {
		seen[section] = 1
		order[++sections] = section
	}
	next
}

{
	if (section == "-")
		next
	at = index($0, "=")
	key = tolower(substr($0, 1, at - 1))
	sub(/[ \t]+$/, "", key)
	value = substr($0, at + 1)
	sub(/^[ \t]+/, "", value)
	if (!at)
		wrong(section ? section : "-", "\"" $0 "\" is not \"key = value\"")
	else if (!section)
		wrong("-", "\"" key "\" stands before the first [name]")
	else if (!(key in known))
		wrong(section, "there is no key \"" key "\"")
	else {
		# What replaces a wrong value makes it good.
		set[section, key] = value
		place[section, key] = FILENAME ":" FNR
	}
}

END {
	for (s = 1; s <= sections; s++)
		emit(order[s])
	for (i = 1; i <= errors; i++)
		print error[i]
}

function wrong(name, text) { fault(name, FILENAME ":" FNR, text) }

function fault(name, where, text) { error[++errors] = name " ! " where ": " text }

function has(name, key) { return ((name SUBSEP key) in set) && set[name, key] != "" }

function bad(name, key, text) { fault(name, place[name, key], key ": " text) }

function emit(name,    i, key, value) {
	print name, "name", name
	for (i = 1; i <= n; i++) {
		key = word[i]
		if (!has(name, key))
			continue
		value = set[name, key]
		if (key == "size" || key == "limit")
			value = key == "size" && value == "max" ? value : bytes(name, key, value)
		else if (key == "cold")
			value = device(name, value)
		else if (key == "arguments") {
			if (!settings(name, value))
				continue
		} else if (value ~ /[^A-Za-z0-9_.,:=@%+\/ -]/)
			bad(name, key, "\"" value "\" has characters that cannot be used here")
		if (key == "swap-priority" && (value !~ /^[0-9]+$/ || value + 0 > 32767))
			bad(name, key, "\"" value "\" is not a number from 0 to 32767")
		if (key == "cold-timeout" && (value !~ /^[0-9]+$/ || value + 0 < 1 || value + 0 > 86400))
			bad(name, key, "\"" value "\" is not a number of seconds from 1 to 86400")
		if (key == "mount-point" && (value !~ /^\/./ || value ~ /\/\.\.?(\/|$)| /))
			bad(name, key, "\"" value "\" is not an absolute path")
		if (key == "fs-type" && value !~ /^[a-z0-9]+$/)
			bad(name, key, "\"" value "\" is not the name of a file system")
		print name, key, value
	}
	if (has(name, "mount-point") && has(name, "swap-priority"))
		bad(name, "swap-priority", "it has a mount-point, so it is no swap")
	if (!has(name, "mount-point") && (has(name, "fs-type") || has(name, "fs-options") || has(name, "mkfs-options")))
		fault(name, first(name), "a file system needs a mount-point")
	if (!has(name, "cold") && set[name, "size"] == "max")
		bad(name, "size", "max is as much as the cold device can back, and there is none")
}

function first(name) {
	return place[name, has(name, "fs-type") ? "fs-type" : has(name, "fs-options") ? "fs-options" : "mkfs-options"]
}

# Arguments of the table line as key=value, for dmzram.
function settings(name, value,    w, i, m, good) {
	m = split(value, w, " ")
	good = 1
	for (i = 1; i <= m; i++)
		if (w[i] !~ /^[a-z_]+(=[A-Za-z0-9%._-]+)?$/) {
			bad(name, "arguments", "\"" w[i] "\" is not key=value")
			good = 0
		}
	return good
}

# The path that a cold device is found by.
function device(name, value,    tag, rest) {
	if (value == "-" || value == "none")
		return "-"
	if (value !~ /^[A-Za-z0-9_.:=@+\/-]+$/ || value ~ /(^|\/)\.\.?(\/|$)|\/\/|\/$/) {
		bad(name, "cold", "\"" value "\" has characters that a device cannot have here")
		return "-"
	}
	if (value ~ /^\/dev\/./)
		return value
	if (value ~ /^[A-Z]+=./) {
		tag = substr(value, 1, index(value, "=") - 1)
		rest = substr(value, index(value, "=") + 1)
		if ((tag == "UUID" || tag == "LABEL" || tag == "PARTUUID" || tag == "PARTLABEL") && rest !~ /\//)
			return "/dev/disk/by-" tolower(tag) "/" rest
	} else if (value ~ /^[^\/=]+\/[^\/=]+$/)
		return "/dev/" value
	bad(name, "cold", "\"" value "\" is neither VG/LV, /dev/..., nor UUID=, LABEL=, PARTUUID= or PARTLABEL=")
	return "-"
}

# ---- expressions: numbers with K, M, G, T; ram; N% (of RAM); + - * / ( ); min(,), max(,)

function bytes(name, key, text,    v) {
	rest = tolower(text)
	complaint = ""
	v = sum()
	skip()
	if (complaint == "" && rest != "")
		complaint = "what is \"" rest "\" at the end of \"" text "\"?"
	if (complaint == "" && key == "size" && v < 1048576)
		complaint = "\"" text "\" is less than 1M"
	if (complaint == "" && (v < 0 || v > 17592186044416))
		complaint = "\"" text "\" is not from 0 to 16T"
	if (complaint != "") {
		bad(name, key, complaint)
		return 0
	}
	return sprintf("%.0f", key == "size" ? int(v / 4096) * 4096 : int(v))
}

function skip() { sub(/^[ \t]+/, "", rest) }

function next_is(c) {
	skip()
	if (substr(rest, 1, 1) != c)
		return 0
	rest = substr(rest, 2)
	return 1
}

function want(c) {
	if (!next_is(c) && complaint == "")
		complaint = "\"" c "\" is missing before \"" rest "\""
}

function sum(    v) {
	v = product()
	while (complaint == "") {
		if (next_is("+"))
			v += product()
		else if (next_is("-"))
			v -= product()
		else
			break
	}
	return v
}

function product(    v, d) {
	v = value_of()
	while (complaint == "") {
		if (next_is("*"))
			v *= value_of()
		else if (next_is("/")) {
			d = value_of()
			if (d == 0 && complaint == "")
				complaint = "division by 0"
			v = complaint == "" ? v / d : 0
		} else
			break
	}
	return v
}

function value_of(    v, w, unit, f) {
	if (next_is("(")) {
		v = sum()
		want(")")
		return v
	}
	if (match(rest, /^[0-9]+(\.[0-9]+)?/)) {
		v = substr(rest, 1, RLENGTH) + 0
		rest = substr(rest, RLENGTH + 1)
		if (match(rest, /^[kmgt](i?b)?/)) {
			unit = index("kmgt", substr(rest, 1, 1))
			rest = substr(rest, RLENGTH + 1)
			while (unit-- > 0)
				v *= 1024
		} else if (substr(rest, 1, 1) == "%") {
			rest = substr(rest, 2)
			v *= ram / 100
		}
		return v
	}
	if (match(rest, /^[a-z]+/)) {
		f = substr(rest, 1, RLENGTH)
		rest = substr(rest, RLENGTH + 1)
		if (f == "ram")
			return ram + 0
		if (f == "min" || f == "max") {
			want("(")
			v = sum()
			while (complaint == "" && next_is(",")) {
				w = sum()
				if (f == "min" ? w < v : w > v)
					v = w
			}
			want(")")
			return v
		}
		complaint = "what is \"" f "\"?"
	} else if (complaint == "")
		complaint = rest == "" ? "a number is missing at the end" : "what is \"" rest "\"?"
	return 0
}
