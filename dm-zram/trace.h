/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: trace/events/dm_zram. What each means is in dm-zram.rst; their
 * names begin with dzr_, since tracepoints of all modules share one name space
 * (BPF finds them by name alone).
 *
 * One that is off costs a jump that is not taken. Arguments are what is at hand
 * anyway; the two times that are taken for them, of reads and segment writes,
 * are once an I/O.
 *
 * Enumerations are passed as integers: only trace.c has to know them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dm_zram

#if !defined(DZR_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define DZR_TRACE_H

#include <linux/kdev_t.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/tracepoint.h>
#include <linux/types.h>

TRACE_DEFINE_ENUM(DZR_CAUSE_LIMIT);
TRACE_DEFINE_ENUM(DZR_CAUSE_PRESSURE);
TRACE_DEFINE_ENUM(DZR_CAUSE_AGE);
TRACE_DEFINE_ENUM(DZR_CAUSE_MESSAGE);

#define dzr_show_cause(cause) __print_symbolic(cause, \
	{ DZR_CAUSE_LIMIT, "limit" }, \
	{ DZR_CAUSE_PRESSURE, "pressure" }, \
	{ DZR_CAUSE_AGE, "age" }, \
	{ DZR_CAUSE_MESSAGE, "message" })

TRACE_DEFINE_ENUM(DZR_FAULT_OK);
TRACE_DEFINE_ENUM(DZR_FAULT_IO);
TRACE_DEFINE_ENUM(DZR_FAULT_DAMAGED);

#define dzr_show_fault(error) __print_symbolic(error, \
	{ DZR_FAULT_OK, "none" }, \
	{ DZR_FAULT_IO, "io" }, \
	{ DZR_FAULT_DAMAGED, "damaged" })

TRACE_DEFINE_ENUM(DZR_CLEANED);
TRACE_DEFINE_ENUM(DZR_CLEAN_DAMAGED);
TRACE_DEFINE_ENUM(DZR_CLEAN_UNREAD);
TRACE_DEFINE_ENUM(DZR_CLEAN_NO_ROOM);

#define dzr_show_clean(end) __print_symbolic(end, \
	{ DZR_CLEANED, "emptied" }, \
	{ DZR_CLEAN_DAMAGED, "damaged" }, \
	{ DZR_CLEAN_UNREAD, "unread" }, \
	{ DZR_CLEAN_NO_ROOM, "no_room" })

TRACE_DEFINE_ENUM(DZR_CLEAN_SPACE);
TRACE_DEFINE_ENUM(DZR_CLEAN_MOVE);

#define dzr_show_clean_cause(cause) __print_symbolic(cause, \
	{ DZR_CLEAN_SPACE, "space" }, \
	{ DZR_CLEAN_MOVE, "move" })

TRACE_EVENT(dzr_demote,
	TP_PROTO(dev_t dev, u32 block, u32 len, u32 segment, u8 age, int cause),
	TP_ARGS(dev, block, len, segment, age, cause),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u32, block)
		__field(u32, len)
		__field(u32, segment)
		__field(u8, age)
		__field(int, cause)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->block = block;
		__entry->len = len;
		__entry->segment = segment;
		__entry->age = age;
		__entry->cause = cause;
	),
	TP_printk("dev=%d:%d block=%u len=%u segment=%u age=%u cause=%s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->block,
		  __entry->len, __entry->segment, __entry->age,
		  dzr_show_cause(__entry->cause))
);

TRACE_EVENT(dzr_preclean,
	TP_PROTO(dev_t dev, u32 block, u32 len, u32 segment, u8 age),
	TP_ARGS(dev, block, len, segment, age),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u32, block)
		__field(u32, len)
		__field(u32, segment)
		__field(u8, age)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->block = block;
		__entry->len = len;
		__entry->segment = segment;
		__entry->age = age;
	),
	TP_printk("dev=%d:%d block=%u len=%u segment=%u age=%u",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->block,
		  __entry->len, __entry->segment, __entry->age)
);

TRACE_EVENT(dzr_drop,
	TP_PROTO(dev_t dev, u32 block, u8 age, int cause),
	TP_ARGS(dev, block, age, cause),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u32, block)
		__field(u8, age)
		__field(int, cause)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->block = block;
		__entry->age = age;
		__entry->cause = cause;
	),
	TP_printk("dev=%d:%d block=%u age=%u cause=%s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->block,
		  __entry->age, dzr_show_cause(__entry->cause))
);

TRACE_EVENT(dzr_promote,
	TP_PROTO(dev_t dev, u32 block, u32 len, u32 segment, u8 age,
		 bool clean),
	TP_ARGS(dev, block, len, segment, age, clean),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u32, block)
		__field(u32, len)
		__field(u32, segment)
		__field(u8, age)
		__field(bool, clean)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->block = block;
		__entry->len = len;
		__entry->segment = segment;
		__entry->age = age;
		__entry->clean = clean;
	),
	TP_printk("dev=%d:%d block=%u len=%u segment=%u age=%u clean=%u",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->block,
		  __entry->len, __entry->segment, __entry->age,
		  __entry->clean)
);

TRACE_EVENT(dzr_spill,
	TP_PROTO(dev_t dev, u32 block, u32 len, u32 segment),
	TP_ARGS(dev, block, len, segment),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u32, block)
		__field(u32, len)
		__field(u32, segment)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->block = block;
		__entry->len = len;
		__entry->segment = segment;
	),
	TP_printk("dev=%d:%d block=%u len=%u segment=%u",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->block,
		  __entry->len, __entry->segment)
);

TRACE_EVENT(dzr_fault,
	TP_PROTO(dev_t dev, u32 block, u32 segment, u8 age, u64 latency_us,
		 int error),
	TP_ARGS(dev, block, segment, age, latency_us, error),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u32, block)
		__field(u32, segment)
		__field(u8, age)
		__field(u64, latency_us)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->block = block;
		__entry->segment = segment;
		__entry->age = age;
		__entry->latency_us = latency_us;
		__entry->error = error;
	),
	TP_printk("dev=%d:%d block=%u segment=%u age=%u latency_us=%llu error=%s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->block,
		  __entry->segment, __entry->age, __entry->latency_us,
		  dzr_show_fault(__entry->error))
);

TRACE_EVENT(dzr_segment_write,
	TP_PROTO(dev_t dev, u32 segment, u32 bytes, u64 since_ns, int status),
	TP_ARGS(dev, segment, bytes, since_ns, status),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u32, segment)
		__field(u32, bytes)
		__field(u64, latency_us)
		__field(int, status)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->segment = segment;
		__entry->bytes = bytes;
		__entry->latency_us = div_u64(ktime_get_ns() - since_ns,
					      NSEC_PER_USEC);
		__entry->status = status;
	),
	TP_printk("dev=%d:%d segment=%u bytes=%u latency_us=%llu status=%d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->segment,
		  __entry->bytes, __entry->latency_us, __entry->status)
);

TRACE_EVENT(dzr_clean,
	TP_PROTO(dev_t dev, u32 segment, u32 live_bytes, u32 moved, int cause,
		 int end),
	TP_ARGS(dev, segment, live_bytes, moved, cause, end),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(u32, segment)
		__field(u32, live_bytes)
		__field(u32, moved)
		__field(int, cause)
		__field(int, end)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->segment = segment;
		__entry->live_bytes = live_bytes;
		__entry->moved = moved;
		__entry->cause = cause;
		__entry->end = end;
	),
	TP_printk("dev=%d:%d segment=%u live_bytes=%u moved=%u cause=%s end=%s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->segment,
		  __entry->live_bytes, __entry->moved,
		  dzr_show_clean_cause(__entry->cause),
		  dzr_show_clean(__entry->end))
);

TRACE_EVENT(dzr_compact,
	TP_PROTO(dev_t dev, unsigned long freed, unsigned long moved,
		 u64 max_hold_ns),
	TP_ARGS(dev, freed, moved, max_hold_ns),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, freed)
		__field(unsigned long, moved)
		__field(u64, max_hold_ns)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->freed = freed;
		__entry->moved = moved;
		__entry->max_hold_ns = max_hold_ns;
	),
	TP_printk("dev=%d:%d freed=%lu moved=%lu max_hold_ns=%llu",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->freed,
		  __entry->moved, __entry->max_hold_ns)
);

#endif /* DZR_TRACE_H */

/* Found by the -I of Kbuild. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
