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

vm_start() {
	more_maps
	[ "$cpus" != 1 ] || pin_to_one
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
	"${runner[@]}" "${PIN[@]}" "$kernel/linux" "${args[@]}" </dev/null >>"$klog" 2>&1 5>>"$klog" 9>&- &
	guest=$!
}
