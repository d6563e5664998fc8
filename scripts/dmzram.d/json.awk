# Samples to JSON. A name or value of a sample has no control characters.
function string(s) {
	gsub(/\\/, "&&", s)
	gsub(/"/, "\\\\&", s)
	return "\"" s "\""
}

# Close what is nested, if what comes now is not.
function nest(what) {
	if (nested == what)
		return
	if (nested != "")
		printf "\n      }"
	if (what != "") {
		printf ",\n      \"%s\": {", what
		first = 1
	}
	nested = what
}

function pair(key, value, indent) {
	printf "%s\n%s\"%s\": %s", first ? "" : ",", indent, key, value
	first = 0
}

BEGIN { printf "{\n  \"devices\": [" }

$1 == "name" {
	nest("")
	printf "%s\n    {", devices++ ? "\n    }," : ""
	first = 1
}

{
	key = $1
	value = substr($0, length(key) + 2)
	if (key ~ /^(latency|ages)_/) {
		part = key
		sub(/_.*/, "", part)
		nest(part)
		pair(substr(key, length(part) + 2), value, "        ")
	} else {
		nest("")
		pair(key, key ~ /^(name|device|cold|args)$/ ? string(value) : value, "      ")
	}
}

END {
	nest("")
	printf "%s\n  ]\n}\n", devices ? "\n    }" : ""
}
