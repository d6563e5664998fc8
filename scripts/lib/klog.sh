# shellcheck shell=bash
# Reading a guest's kernel log. Sourced after common.sh.

# What no healthy kernel says.
KLOG_BAD='WARNING: |BUG: |kernel BUG at|Oops|KASAN|UBSAN|Kernel panic'
KLOG_BAD+='|possible (circular|recursive) locking|possible irq lock inversion|possible deadlock'
KLOG_BAD+='|inconsistent lock state|inconsistent \{|suspicious RCU usage|bad unlock balance|held lock freed'
KLOG_BAD+='|lock held when returning|Invalid wait context|non-static key|nested lock was not taken'
KLOG_BAD+='|too low!|turning off the locking correctness validator'
KLOG_BAD+='|scheduling while atomic|sleeping function called|Voluntary context switch within RCU'
KLOG_BAD+='|blocked for more than|soft lockup|hard LOCKUP|workqueue lockup|detected (expedited )?stall|self-detected stall'
KLOG_BAD+='|general protection|unable to handle|Segfault with no mm|Unable to find a vma'
KLOG_BAD+='|list_(add|del) corruption|ODEBUG|refcount_t:|Bad page state|Bad page map|Object .* (overwritten|corrupt)'
KLOG_BAD+='|DEBUG_LOCKS_WARN_ON|stack-protector|Bad swap|bad: scheduling'

# klog_clean FILE: the log without what is known, and not about us.
klog_clean() {
	local known
	known=$(sed '/^#/d; /^$/d' "$DMZ_TOP/scripts/kernel.d/klog-known")
	# UML frees a little memory on a processor that is not online yet, and with kmemleak that is a
	# call_rcu(). One report, in the first seconds, before any of our code is there.
	tr -d '\r' <"$1" | awk '
		{ line[NR] = $0 }
		/Callback enqueued on offline CPU!!/ && substr($0, 2) + 0 < 5 {
			for (i = NR - 3; i < NR; i++) sub(/WARNING: suspicious RCU usage/, "(known)", line[i])
		}
		END { for (i = 1; i <= NR; i++) print line[i] }' | if [ -n "$known" ]; then grep -avE "$known"; else cat; fi
}

# klog_check FILE: true when it is clean; prints what is not, with a little of what follows.
klog_check() {
	local lines clean
	clean=$(klog_clean "$1")
	lines=$(grep -anE "$KLOG_BAD" <<<"$clean") || return 0
	say "the kernel complains:"
	grep -aE -B4 -A25 "$KLOG_BAD" <<<"$clean" | head -n 100 >&2
	say "in short:"
	head -n 20 <<<"$lines" >&2
	return 1
}

# klog_leaks FILE: kmemleak's report; true when no record has a frame of ours in it.
klog_leaks() {
	local ours
	ours=$(awk 'function out() { if (rec ~ /dm_zram|dzr_|dzs_/) printf "%s", rec; rec = "" }
		/^unreferenced object/ { out() } { rec = rec $0 "\n" } END { out() }' "$1")
	[ -n "$ours" ] || return 0
	say "memory of ours has leaked:"
	head -n 80 <<<"$ours" >&2
	return 1
}
