# shellcheck shell=bash
# The kernels that the bench runs, in the cache. Sourced after common.sh and mirror.sh.
#
#   kernel_dir KIND    prints the directory of a ready kernel, made first when it is not there:
#       linux | vmlinuz   what boots
#       build/            KDIR for out-of-tree modules
#       root/             lib/modules/<release>, with modules.dep
#       release           one line, `uname -r` in the guest
#
# KIND: uml, uml-debug, uml-lockstat, qemu-6.1, qemu-6.12. A directory is built under another name and renamed
# when it is complete, so one that exists is good. Its name holds the package version and a hash
# of the configuration and of the way it is made.

DMZ_KINDS="uml uml-debug uml-lockstat qemu-6.1 qemu-6.12"
DMZ_CONF=$DMZ_TOP/scripts/kernel.d

# Raise this when the recipe below changes what it leaves in a kernel's directory.
DMZ_RECIPE=2

# Where the big tree is only there for Kconfig and make, its sources stay in the archive.
uml_tar_excludes() {
	local d
	for d in drivers/{gpu,net/ethernet,net/wireless,media,staging,infiniband,iio} sound 'arch/[a-tv-wyz]*'; do
		echo "--exclude=*/$d/*.[chS]"
	done
	echo '--exclude=*/arch/*/boot/dts/*'
	echo '--exclude=*/Documentation/*/*'
	echo '--exclude=*/tools/testing/selftests/*'
	echo '--exclude=*/tools/perf/*'
}

# kernel_pick KIND: "package version", the newest that the mirror has.
kernel_pick() {
	case $1 in
	uml | uml-* | source) mirror_list 'linux-source-[7-9][.][0-9]+' ;;
	qemu-6.1) mirror_list 'linux-image-6[.]1[.][0-9]+-[0-9]+-amd64' ;;
	qemu-6.12) mirror_list 'linux-image-6[.]12[.][0-9]+[+]deb12([.][0-9]+)?-amd64' ;;
	esac | mirror_newest
}

# kernel_tag KIND: what the configuration adds to the name. The patches are for all kinds of uml.
kernel_tag() {
	case $1 in
	source) echo "r$DMZ_RECIPE-$(hash_of "$DMZ_CONF"/*.patch)" ;;
	uml) echo "r$DMZ_RECIPE-$(hash_of "$DMZ_CONF/uml.config" "$DMZ_CONF"/*.patch)" ;;
	uml-*) echo "r$DMZ_RECIPE-$(hash_of "$DMZ_CONF/$1.config" "$DMZ_CONF/uml.config" "$DMZ_CONF"/*.patch)" ;;
	*) echo "r$DMZ_RECIPE-$(hash_of "$DMZ_CONF/guest-modules")" ;;
	esac
}

# The name of the newest kernel that is in the cache, for when there is no mirror.
kernel_cached() {
	local f best="" t
	t=$(kernel_tag "$1")
	for f in "$DMZ_CACHE/kernel/$1"_*_"$t"; do
		[ -d "$f" ] || continue
		if [ -z "$best" ] || [ "$f" -nt "$best" ]; then best=$f; fi
	done
	[ -n "$best" ] && echo "$best"
}

kernel_dir() {
	local kind=$1 pick dir
	case " $DMZ_KINDS source " in
	*" $kind "*) ;;
	*) die "no such kernel: $kind (one of: $DMZ_KINDS)" ;;
	esac
	mkdir -p "$DMZ_CACHE/kernel"
	# The quick way: a cached kernel and lists that are fresh enough to have looked lately.
	if [ -s "$DMZ_CACHE/kernel/$kind.pick" ] && mirror_fresh; then
		read -r pick <"$DMZ_CACHE/kernel/$kind.pick"
		dir=$DMZ_CACHE/kernel/${kind}_${pick#* }_$(kernel_tag "$kind")
		[ ! -d "$dir" ] || { echo "$dir"; return; }
	fi
	with_lock "$kind" kernel_make "$kind"
}

kernel_make() {
	local kind=$1 pick dir
	for _ in 1 2; do
		with_lock mirror mirror_refresh || break
		if ! pick=$(kernel_pick "$kind"); then
			say "kernel $kind: the mirror's lists have no package for it"
			rm -f "$DMZ_APT/stamp"
			continue
		fi
		dir=$DMZ_CACHE/kernel/${kind}_${pick#* }_$(kernel_tag "$kind")
		if [ -d "$dir" ] || make_one "$kind" "$pick" "$dir"; then
			echo "$pick" >"$DMZ_CACHE/kernel/$kind.pick"
			echo "$dir"
			return
		fi
		# A package that a mirror no longer has: look at its lists once more, if they are old.
		[ -n "$(find "$DMZ_APT/stamp" -mmin +30)" ] || break
		rm -f "$DMZ_APT/stamp"
	done
	dir=$(kernel_cached "$kind") || die "kernel $kind: it cannot be made, and the cache has none"
	say "kernel $kind: using $(basename "$dir") from the cache"
	echo "$dir"
}

make_one() {
	local kind=$1 pkg=${2% *} ver=${2#* } dir=$3 tmp log start rc=0
	tmp=$(new_build_dir "$dir")
	log=$DMZ_CACHE/kernel/$kind.log
	start=$(date +%s)
	say "kernel $kind: preparing $pkg $ver (log: $log)"
	# A shell of its own: `set -e` holds in it, whoever called us.
	DMZ_PROG=$DMZ_PROG bash -c "set -eu; . '$DMZ_TOP/scripts/lib/common.sh'; . '$DMZ_TOP/scripts/lib/mirror.sh'
		. '$DMZ_TOP/scripts/lib/kernels.sh'; make_${kind%%-*} \"\$@\"" make \
		"$kind" "$pkg" "$ver" "$tmp" "$dir" >"$log" 2>&1 </dev/null || rc=$?
	if [ $rc != 0 ]; then
		tail -n 30 "$log" >&2
		rm -rf "$tmp"
		say "kernel $kind: failed, see $log"
		return 1
	fi
	mv "$tmp" "$dir"
	prune_old "$kind" "$dir"
	say "kernel $kind: ready after $(($(date +%s) - start)) s"
}

# Keep the newest two of a kind: another checkout may use the older one. And a source that a kernel
# was built from, for as long as that is there.
prune_old() {
	find "$DMZ_CACHE/kernel" -maxdepth 1 -type d -name "$1_*" ! -path "$2" -printf '%T@ %p\n' |
		sort -rn | sed 1d | cut -d' ' -f2- | while read -r d; do
		if [ "$1" = source ] && grep -qsF "$d/" "$DMZ_CACHE"/kernel/uml*/build/Makefile; then continue; fi
		rm -rf "$d"
	done
}

# make_KIND kind package version directory final-name

make_source() {
	local pkg=$2 ver=$3 dir=$4 excl p
	mirror_fetch "$dir/deb" "$pkg" "$ver"
	mapfile -t excl < <(uml_tar_excludes)
	tar -C "$dir" --strip-components=1 --wildcards "${excl[@]}" -xf "$dir/deb/usr/src/$pkg.tar.xz"
	rm -rf "$dir/deb"
	# On a kernel where one does not apply, it is left out: what makes UML right may have been done
	# there by others, and `tests/run bench` looks whether it was.
	for p in "$DMZ_CONF"/*.patch; do
		if patch -d "$dir" -p1 -s --dry-run <"$p"; then
			patch -d "$dir" -p1 -s <"$p"
		else
			echo "NOT APPLIED: $p"
		fi
	done
}

make_uml() {
	local kind=$1 dir=$4 final=$5 src frags rel
	src=$(kernel_dir source)
	frags=("$DMZ_CONF/uml.config")
	[ "$kind" = uml ] || frags+=("$DMZ_CONF/$kind.config")
	export ARCH=um KBUILD_BUILD_USER=dmz KBUILD_BUILD_HOST=dmz
	mkdir "$dir/build"
	make -s -C "$src" O="$dir/build" defconfig
	(cd "$dir/build" && "$src/scripts/kconfig/merge_config.sh" -m -Q .config "${frags[@]}" >/dev/null)
	make -s -C "$src" O="$dir/build" olddefconfig
	config_check "$dir/build/.config" "${frags[@]}"
	make -C "$src" O="$dir/build" -j"$(nproc)" linux modules
	make -s -C "$src" O="$dir/build" INSTALL_MOD_PATH="$dir/root" modules_install
	make -s -C "$src" O="$dir/build" modules_prepare
	# `make modules` leaves a complete Module.symvers; without one, the kernel's own will do.
	[ -s "$dir/build/Module.symvers" ] || cp "$dir/build/vmlinux.symvers" "$dir/build/Module.symvers"
	rel=$(cat "$dir/build/include/config/kernel.release")
	echo "$rel" >"$dir/release"
	rm -f "$dir/root/lib/modules/$rel/build" "$dir/root/lib/modules/$rel/source"
	mv "$dir/build/linux" "$dir/linux"
	# Objects are of no use to an external module.
	find "$dir/build" \( -name '*.o' -o -name '*.ko' -o -name '*.a' -o -name '.*.cmd' -o -name '*.mod*' \) \
		-type f ! -path '*/scripts/*' -delete
	rm -f "$dir/build"/vmlinux* "$dir/build"/.tmp_vmlinux* "$dir/build/System.map"
	# What the build wrote down of its place must be true after the rename.
	grep -rlI --include='*.cmd' --include='Makefile' --include='*.mk' "$dir" "$dir/build" |
		xargs -r sed -i "s|$dir|$final|g"
}

make_qemu() {
	local pkg=$2 ver=$3 dir=$4 final=$5 rel hdr dep common kbuild
	rel=${pkg#linux-image-}
	hdr=linux-headers-$rel
	dep=$(dmz_apt apt-cache show "$hdr=$ver" | sed -n 's/^Depends: //p')
	common=$(grep -oE 'linux-headers-[^ ,]+-common' <<<"$dep" | head -n 1)
	kbuild=$(grep -oE 'linux-kbuild-[^ ,]+' <<<"$dep" | head -n 1)
	mirror_fetch "$dir" "$hdr" "$ver"
	mirror_fetch "$dir" "$common" "$ver"
	mirror_fetch "$dir" "$kbuild" "$ver"
	mirror_fetch "$dir/deb" "$pkg" "$ver"
	echo "$rel" >"$dir/release"
	cp "$dir/deb/boot/vmlinuz-$rel" "$dir/vmlinuz"
	guest_modules "$dir/deb" "$dir/root" "$rel"
	rm -rf "${dir:?}/deb" "${dir:?}/usr/share" "${dir:?}/lib"
	# Its use would be BTF in our module, for which pahole would be needed.
	rm -f "$dir/usr/src/$hdr/vmlinux"
	ln -s "usr/src/$hdr" "$dir/build"
	sed -i "s|/usr/src/|$final/usr/src/|g" "$dir/usr/src/$hdr/Makefile"
}

# guest_modules FROM TO RELEASE: the modules of the list and what they need, unpacked, with modules.dep.
guest_modules() {
	local from=$1 to=$2 rel=$3 out=$2/lib/modules/$3 m
	mkdir -p "$out"
	[ ! -d "$from/usr/lib/modules" ] || from=$from/usr
	depmod -b "$from" "$rel"
	sed 's/#.*//' "$DMZ_CONF/guest-modules" | tr -s ' \t' '\n' | while read -r m; do
		modprobe -a -d "$from" -S "$rel" --show-depends "$m" 2>/dev/null || true
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r m; do
		(cd "$from" && cp --parents "${m#"$from"/}" "$to/")
	done
	find "$out" -name '*.ko.xz' -exec unxz {} +
	find "$out" -name '*.ko.zst' -exec zstd -q -d --rm {} +
	cp "$from/lib/modules/$rel"/modules.builtin* "$from/lib/modules/$rel/modules.order" "$out/"
	depmod -b "$to" "$rel"
}

# Say which of the wanted options Kconfig did not take. They are wishes, not conditions: an option
# may be renamed or gone in a newer kernel.
config_check() {
	local config=$1 line
	shift
	sed -n 's/^\(CONFIG_[A-Za-z0-9_]*=[^n].*\)/\1/p' "$@" | sort -u | while read -r line; do
		grep -qxF -- "$line" "$config" && continue
		case $line in CONFIG_LOCALVERSION=*) continue ;; esac
		echo "NOT TAKEN: $line (is: $(grep -E "^(# )?${line%%=*}[= ]" "$config" || echo absent))"
	done
}
