# shellcheck shell=bash
# Packages of any Debian suite, from the mirror that this machine's apt already uses.
# A private apt (own lists, own cache) does the work: signatures and hashes are checked,
# and the system's sources stay as they are. Sourced after common.sh.

DMZ_APT=$DMZ_CACHE/apt
DMZ_SUITES="bookworm bookworm-security bookworm-backports trixie trixie-backports sid"
# A new kernel is looked for once a week, or when someone says `scripts/kernel refresh`.
DMZ_LISTS_MAX_AGE_MIN=10080

# What this machine's apt fetches: "address|release" lines. It knows after an update only.
# shellcheck disable=SC2016 # these dollars are apt's
mirror_system() {
	apt-get indextargets --format '$(REPO_URI)|$(RELEASE)' 'Created-By: Packages' 'Component: main'
}

# The sources of the private apt: each suite that we look through, at the base address which
# this machine's apt has for the release it runs.
mirror_sources() {
	local list uri rel main="" sec="" suite opt="" ring=/usr/share/keyrings/debian-archive-keyring.gpg
	list=$(mirror_system)
	if [ -z "$list" ]; then
		apt-get -qq update >/dev/null 2>&1 || true
		list=$(mirror_system)
	fi
	while IFS='|' read -r uri rel; do
		case $rel in
		bookworm-security | trixie-security | stable-security) sec=${sec:-$uri} ;;
		bookworm | trixie | forky | stable | testing | sid | unstable) main=${main:-$uri} ;;
		esac
	done <<<"$list"
	[ -n "$main" ] || { say "no Debian mirror is configured in this machine's apt"; return 1; }
	[ ! -e "$ring" ] || opt="[signed-by=$ring] "
	for suite in $DMZ_SUITES; do
		case $suite in
		*-security) [ -z "$sec" ] || echo "deb $opt$sec $suite main" ;;
		*) echo "deb $opt$main $suite main" ;;
		esac
	done
}

# dmz_apt TOOL ARG...: apt-get, apt-cache with private state.
dmz_apt() {
	local tool=$1
	shift
	"$tool" -qq -o Dir::State="$DMZ_APT/state" -o Dir::State::lists="$DMZ_APT/state/lists" -o Dir::State::status=/dev/null \
		-o Dir::Cache="$DMZ_APT/cache" -o Dir::Etc::sourcelist="$DMZ_APT/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o APT::Architecture=amd64 -o APT::Architectures::=amd64 \
		-o Acquire::Languages=none -o Acquire::Retries=3 -o Acquire::http::Timeout=20 \
		-o APT::Get::List-Cleanup=0 -o Debug::NoLocking=1 -o APT::Sandbox::User=root \
		-o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false "$@"
}

mirror_fresh() {
	[ -e "$DMZ_APT/stamp" ] && [ -z "$(find "$DMZ_APT/stamp" -mmin "+$DMZ_LISTS_MAX_AGE_MIN")" ]
}

# Fetch the lists when they are old. Without a mirror, older lists will do.
mirror_refresh() {
	local stamp=$DMZ_APT/stamp
	! mirror_fresh || return 0
	mkdir -p "$DMZ_APT/state/lists/partial" "$DMZ_APT/cache/archives/partial"
	mirror_sources >"$DMZ_APT/sources.list.new" || return 1
	mv "$DMZ_APT/sources.list.new" "$DMZ_APT/sources.list"
	if dmz_apt apt-get update -o APT::Update::Error-Mode=any >"$DMZ_APT/update.log" 2>&1 || mirror_partly; then
		touch "$stamp"
	elif [ -e "$stamp" ]; then
		say "the package mirror cannot be reached; going on with the lists of $(date -r "$stamp" '+%F %R')"
	else
		tail -n 5 "$DMZ_APT/update.log" >&2
		say "the package mirror cannot be reached, and there is no older list of packages"
		return 1
	fi
}

# After a failed update: has it failed for some suites only? One may have been archived.
mirror_partly() {
	local suite good="" bad=""
	for suite in $DMZ_SUITES; do
		if grep -qE "(dists/| )$suite(/| Release)" "$DMZ_APT/update.log"; then
			bad="$bad $suite"
		else
			good="$good $suite"
		fi
	done
	[ -n "$bad" ] && [ -n "$good" ] || return 1
	say "the package mirror has no:$bad; going on with:$good"
}

# mirror_list REGEX: "package version" of each amd64 package whose name matches (a whole-name ERE), newest last.
mirror_list() {
	dmz_apt apt-cache dumpavail | awk -v re="^($1)\$" '
		/^Package: / { p = $2 }
		/^Version: / { if (p ~ re) print p, $2 }'
}

# Read "package version" lines, print the one with the highest version.
mirror_newest() {
	local p v best="" bv=""
	while read -r p v; do
		if [ -z "$best" ] || dpkg --compare-versions "$v" gt "$bv"; then
			best=$p bv=$v
		fi
	done
	[ -n "$best" ] && echo "$best $bv"
}

# mirror_fetch DIR PACKAGE VERSION: download that package and unpack it into DIR.
mirror_fetch() {
	local dir=$1 pkg=$2 ver=$3 tmp
	tmp=$(mktemp -d "$DMZ_CACHE/deb.XXXXXX")
	if ! (cd "$tmp" && dmz_apt apt-get download "$pkg=$ver" >log 2>&1); then
		cat "$tmp/log" >&2
		rm -rf "$tmp"
		say "cannot download $pkg $ver"
		return 1
	fi
	mkdir -p "$dir"
	dpkg -x "$tmp"/*.deb "$dir"
	rm -rf "$tmp"
}
