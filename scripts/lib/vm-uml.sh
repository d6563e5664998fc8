# shellcheck shell=bash disable=SC2154,SC2034,SC2054 # the variables are those of scripts/vm, which sources this
# Start a User Mode Linux guest: sets $guest, the process group.
#
# Descriptors: 3 and 4 are the command's input and output (console tty0), 5 is the kernel's log
# (serial line ttyS0).

# Each page of a process in the guest can be a mapping of the process that plays it on the host. Where
# the host allows no more of them, the page fault is repeated for ever.
MAPS=/proc/sys/vm/max_map_count MAPS_WANTED=1048576
more_maps() {
	[ "$(cat $MAPS)" -lt $MAPS_WANTED ] || return 0
	{ echo $MAPS_WANTED >$MAPS; } 2>/dev/null ||
		echo "vm: vm.max_map_count of the host is low: a process of more than 250 MiB may hang in the guest" >&2
}

# pin: a guest with one processor goes to one of the host's: it goes back and forth between the kernel and
# its processes, which are processes of the host, and to wake one on another processor that is idle takes
# several times as long as all the rest. A free one, if there is one: a lock says who has it.
pin=()
pin_to_one() {
	local allowed range n
	[ "$cpus" = 1 ] && [ ${#pin[@]} = 0 ] || return 0
	allowed=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
	mkdir -p "$DMZ_CACHE/lock"
	for range in ${allowed//,/ }; do
		for ((n = ${range%-*}; n <= ${range#*-}; n++)); do
			exec 9>"$DMZ_CACHE/lock/cpu.$n"
			if flock -n 9; then
				pin=(taskset -c "$n")
				return 0
			fi
		done
	done
	exec 9>&-
}

vm_start() {
	more_maps
	pin_to_one
	local args=("mem=$mem" "ncpus=$cpus" seccomp=auto rootfstype=hostfs rootflags=/ rw quiet loglevel=7
		"init=$DMZ_TOP/scripts/lib/uml-init" con=null con0=fd:3,fd:4 ssl=null ssl0=null,fd:5 console=ttyS0
		oops=panic panic=-1 "umid=dmz$$" "uml_dir=$work"
		# The host may be busy: more patience for whoever watches, as in vm-qemu.sh.
		watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=60 workqueue.watchdog_thresh=120
		# It does not know which processors share a cache, so each is taken to have its own, and a work
		# to stay with the one that queued it.
		workqueue.default_affinity_scope=system
		"dmz_ctl=$ctl" "dmz_top=$DMZ_TOP" "dmz_mod=$kernel/root/lib/modules/$release")
	local rw="${rw_dirs[*]+"${rw_dirs[*]}"}"
	[ -z "$rw" ] || args+=("dmz_rw=$rw")
	[ -z "$cold_dev" ] || args+=("ubd1=$work/cold")
	[ -z "$disk2_dev" ] || args+=("ubd2=$work/disk2")
	case $kind:$kmemleak in
	uml-debug:) args+=(kmemleak=off) ;;
	uml-debug:*) args+=(kmemleak=on) ;;
	esac
	"${runner[@]}" ${pin[@]+"${pin[@]}"} "$kernel/linux" "${args[@]}" </dev/null >>"$klog" 2>&1 5>>"$klog" 9>&- &
	guest=$!
}
