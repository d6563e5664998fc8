# shellcheck shell=bash disable=SC2154,SC2016 # the variables are those of tests/system/run, the text is for the guest
# A guest of the system tests, seen from a test. Sourced by tests/system/run for each test, after
# common.sh, klog.sh and image.sh.
#
#   machine IMAGE-DIRECTORY [MIB]      start it; it has two empty disks, $DISK1 (1 GiB) and $DISK2 (512 MiB)
#   booted                             wait until it has booted; says how long that took
#   on SECONDS COMMAND...              run a line (or, without COMMAND, the standard input) in it by
#                                      bash -eu; its output, its status; "refused COMMAND" must fail
#   volumes NAME SIZE...               a volume group vg on $DISK1, with these LVs
#   up NAME                            wait until udev and systemd have brought up this dm-zram device
#   put FILE PATH [MODE]               copy a file into it, by way of $DISK2
#   reboot, poweroff                   by systemctl; wait for it
#   healthy                            no failed unit, no error in the journal, so far in this boot
#   fail TEXT...                       the end of the test
#
# DMZ_TIME_SCALE multiplies every limit of time.

patience=${DMZ_TIME_SCALE:-1}
number=0
line=""
qemu=""
failing=""

note() { echo "$test_name: $*"; }

fail() {
	trap - ERR
	[ -z "$failing" ] || exit 1
	echo "$test_name: FAILED: $*"
	failing=1
	if kill -0 "$qemu" 2>/dev/null; then
		echo "the journal has:"
		(on 60 'journalctl -q -b -p warning --no-hostname -o short-monotonic | tail -n 40; swapon; lsblk; dmsetup status') || true
	fi
	echo "the console ends with:"
	tail -n 25 "$work/console" 2>/dev/null | tr -d '\r' || true
	exit 1
}

# User Mode Linux leaves the process group in which it was started, may outlive timeout, and has children of
# its own: it is known by its disk, of which there is but one.
machine_kill() {
	local p IFS=$' \t\n' # a signal may come within "IFS= read"
	[ -n "$qemu" ] || return 0
	for p in $(pgrep -f -- "=$work/disk1" || true); do
		# shellcheck disable=SC2046 # numbers
		kill -KILL $(pgrep -P "$p" || true) "$p" 2>/dev/null || true
	done
	kill -KILL -- "-$qemu" 2>/dev/null || true
	wait "$qemu" 2>/dev/null || true
	qemu=""
}

machine() {
	local mib=${2:-512}
	truncate -s 1G "$work/disk1"
	truncate -s 512M "$work/disk2"
	: >"$work/console"
	# A file for what comes back, which is read again and again: a "read" of a pipe with a limit of time now and
	# then loses half a line, or the end of one.
	mkfifo "$work/agent.in"
	: >"$work/agent.out"
	# No end of file, whoever comes and goes.
	exec 6<>"$work/agent.in" 7<"$work/agent.out"
	set -m
	"machine_$KIND" "$1" "$mib"
	set +m
}

# What both kernels are told.
MACHINE_APPEND="panic=5 systemd.show_status=yes systemd.log_color=no watchdog_thresh=60
	rcupdate.rcu_cpu_stall_timeout=60 workqueue.watchdog_thresh=120"

machine_qemu() {
	local image=$1 append
	append="$QEMU_APPEND root=/dev/vda rw console=ttyS0 loglevel=5 mitigations=off nokaslr oops=panic no_timer_check random.trust_cpu=on "
	append+=$(tr -s ' \t\n' ' ' <<<"$MACHINE_APPEND")
	timeout -k 5 "$((limit * patience))" qemu-system-x86_64 -accel tcg,thread=multi -machine q35 -cpu "$QEMU_CPU" \
		-smp 2 -m "$2" -nodefaults -no-user-config -display none -vga none \
		-kernel "$image/vmlinuz" -initrd "$image/initrd" -append "$append" \
		-chardev "file,id=console,path=$work/console,append=on" -serial chardev:console \
		-device virtio-serial-pci -chardev "pipe,id=agent,path=$work/agent" \
		-device virtserialport,chardev=agent,name=dmz.agent -device virtio-rng-pci \
		-drive "file=$image/root.ext4,format=raw,if=none,id=root,snapshot=on" -device virtio-blk-pci,drive=root \
		-drive "file=$work/disk1,format=raw,if=none,id=disk1,cache=unsafe,discard=unmap" -device virtio-blk-pci,drive=disk1 \
		-drive "file=$work/disk2,format=raw,if=none,id=disk2,cache=unsafe,discard=unmap" -device virtio-blk-pci,drive=disk2 \
		</dev/null >"$work/qemu.log" 2>&1 6>&- 7>&- &
	qemu=$!
}

# User Mode Linux: native speed, one processor because it swaps (see testing.rst).
machine_uml() {
	pin_to_one
	# shellcheck disable=SC2086 # words
	timeout -k 5 "$((limit * patience))" "${PIN[@]}" "$(scripts/kernel uml)/linux" "mem=$2M" ncpus=1 seccomp=auto \
		"ubd0=$work/cow,$1/root.ext4" "ubd1=$work/disk1" "ubd2=$work/disk2" root=/dev/ubda rw rootfstype=ext4 \
		con=null ssl=null ssl0=null,fd:5 console=ttyS0 ssl1=fd:6,fd:7 loglevel=5 $MACHINE_APPEND \
		"umid=dmz-system-$$-$test_name" "uml_dir=$work" </dev/null >"$work/qemu.log" 2>&1 \
		5>>"$work/console" 7>"$work/agent.out" 9>&- &
	qemu=$!
}

# agent_line SECONDS: the next line that the agent sends, in $line
agent_line() {
	local end=$((SECONDS + $1 * patience)) rc part
	line=""
	while :; do
		rc=0
		IFS= read -r part <&7 || rc=$?
		line+=$part
		[ $rc != 0 ] || return 0
		kill -0 "$qemu" 2>/dev/null || return 1
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

booted() {
	local took
	line=""
	until [ "${line#[+?] }" != "$line" ]; do
		agent_line 600 || fail "the guest does not boot"
	done
	took=${line#[+?] }
	on 180 'systemctl is-system-running --wait >/dev/null || :; systemctl is-system-running || :' >"$work/state"
	note "booted after $took s of its time, $(cat "$work/state")"
}

# What each text begins with. refused COMMAND...: it must fail. (A "!" does not end a script with set -e.)
# Its empty disks are $DISK1, of 1 GiB, and $DISK2, of 512 MiB.
GUEST_HEAD='set -eu -o pipefail
refused() { if "$@"; then echo "not refused: $*"; exit 1; fi; }
if [ -b /dev/ubda ]; then DISK1=/dev/ubdb DISK2=/dev/ubdc; else DISK1=/dev/vdb DISK2=/dev/vdc; fi'

on() {
	local limit_s=$1 text
	shift
	if [ $# -gt 0 ]; then text="$*"; else text=$(cat); fi
	number=$((number + 1))
	printf '%s %s %s\n' $number $((limit_s * patience)) "$(printf '%s\n%s\n' "$GUEST_HEAD" "$text" | base64 -w 0)" >&6
	while agent_line $((limit_s + 30)); do
		case $line in
		"|"*) printf '%s\n' "${line#|}" ;;
		"=$number "*) return "${line##* }" ;;
		"+ "*) fail "the guest has booted by itself, at: ${text:0:200}" ;;
		esac
	done
	fail "no answer to: ${text:0:200}"
}

volumes() {
	local text='pvcreate -q $DISK1; vgcreate -q vg $DISK1'
	while [ $# -gt 1 ]; do
		text+="; lvcreate -q -L $2 -n $1 vg"
		shift 2
	done
	on 120 "$text" || fail "the logical volumes cannot be made"
}

up() {
	on 150 "udevadm wait --timeout=$((120 * patience)) --settle /dev/mapper/$1 && [ -b /dev/mapper/$1 ]" || fail "$1 does not come up"
}

# Through the beginning of the second disk, which nobody may use then: a line to the agent is no way for much.
put() {
	dd if="$1" of="$work/disk2" bs=4096 conv=notrunc,sync status=none
	on 60 "mkdir -p '$(dirname "$2")'
		dd if=\$DISK2 iflag=direct bs=4096 count=$((($(stat -c %s "$1") + 4095) / 4096)) status=none | head -c $(stat -c %s "$1") >'$2'
		chmod ${3:-644} '$2'
		echo '$(sha256sum <"$1" | cut -d ' ' -f 1) $2' | sha256sum -c --quiet"
}

# A little later, so that the answer is there before the agent is stopped.
reboot() {
	local start=$SECONDS
	on 30 '(sleep 2; systemctl --no-block reboot) >/dev/null 2>&1 &'
	booted
	note "down and up in $((SECONDS - start)) s"
}

poweroff() {
	local start=$SECONDS end=$((SECONDS + 120 * patience))
	on 30 '(sleep 2; systemctl --no-block poweroff) >/dev/null 2>&1 &'
	while kill -0 "$qemu" 2>/dev/null; do
		[ $SECONDS -lt $end ] || fail "it does not power off"
		sleep 0.5
	done
	wait "$qemu" || fail "qemu ended with $?: $(tail -n 3 "$work/qemu.log")"
	qemu=""
	note "powered off after $((SECONDS - start)) s"
}

# What a healthy guest may say with the priority of an error: nothing about us.
JOURNAL_KNOWN='^$|^-- |RETBleed|Spectre|MDS CPU bug|mce: |x86/cpu: |ACPI|i8042|platform regulatory|PCI: |watchdog0: watchdog did not stop!|Failed to find module .autofs4.|Failed to enable kbrequest'

# healthy [BOOT]: of this boot, or the journal of another one (-1: the one before)
healthy() {
	local said units="systemctl --failed --no-legend --plain"
	[ $# = 0 ] || units=:
	said=$(on 60 "$units; journalctl -q -b ${1:-0} -p err --no-hostname -o short-monotonic") ||
		fail "the journal cannot be read"
	said=$(grep -vE "$JOURNAL_KNOWN" <<<"$said" || true)
	[ -z "$said" ] || fail "not healthy:
$said"
}

# shut_down_well: nothing failed while the guest went down or came up, as the console has it.
shut_down_well() {
	local said
	said=$(tr -d '\r' <"$work/console" | grep -aE '\[(FAILED|DEPEND| TIME )|Failed |Timed out|A stop job is running|Could not detach|Unable to finalize' |
		grep -vE "$JOURNAL_KNOWN" || true)
	[ -z "$said" ] || fail "on the console:
$said"
	klog_check "$work/console" || fail "the kernel complains"
}
