/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Segment accounting: which segments of the log are free, how much of each is
 * alive, and which one to clean next.
 *
 * A segment goes FREE -> OPEN -> SEALED -> FREE; a failed write makes it BAD,
 * for good. It holds a reference for each live object, each pin (somebody
 * reads it or cleans it), and one while it is OPEN. When the last reference of
 * a SEALED segment goes, the segment is free again: that alone makes it safe
 * to read an object whose segment is pinned, and to reuse one which is not.
 *
 * Numbers of segments come in extents, one for each cold device: the active one,
 * where segments are opened, and, while a log moves to another device, the
 * retiring one. A retiring segment that was free, or that loses its last
 * reference, is ABSENT: it is on no list. When all are, the extent can be
 * forgotten. The numbers are for the next to use.
 *
 * 16 bytes a segment, in chunks of DZR_SEGS_CHUNK. They are allocated before an
 * extent is added, and nothing is allocated later.
 *
 * Locks: segs->lock guards the free lists, the states and the extents; it is the
 * innermost lock of the log. Reference and live counts are atomics.
 *
 * Pure: compiles unmodified in user space (tests/unit).
 */
#ifndef DZR_SEGMENT_H
#define DZR_SEGMENT_H

#include <linux/types.h>

#define DZR_NO_SEGMENT		U32_MAX

/* Segments accounted in one piece of memory. An extent begins with a chunk. */
#define DZR_SEGS_CHUNK		2048U

struct dzr_segs;
struct dzr_segs_room;

/**
 * dzr_segs_create - create the accounting of a log
 * @nr: number of segments, at least @reserve + 1
 * @capacity: bytes of objects that a segment can hold
 * @reserve: free segments that only the cleaner may take
 * @min_gain: dead bytes that make cleaning a segment worth while when space
 *	is short; at least what two of the largest objects take, so that each
 *	cleaning gains more than the tail that may be lost in the copy
 *
 * Context: process; may sleep (GFP_KERNEL).
 * Return: the accounting, or NULL without memory.
 */
struct dzr_segs *dzr_segs_create(u32 nr, u32 capacity, u32 reserve,
				 u32 min_gain);

/**
 * dzr_segs_destroy - free the accounting
 * @segs: the accounting, or NULL
 */
void dzr_segs_destroy(struct dzr_segs *segs);

/**
 * dzr_segs_alloc - open a free segment
 * @segs: the accounting
 * @reserve: take from the cleaner's reserve, too
 *
 * The oldest freed comes first. The segment has one reference, which
 * dzr_segs_seal() or dzr_segs_spoil() takes back, and a new sequence number.
 *
 * Context: any but interrupts; takes segs->lock.
 * Return: the segment, or DZR_NO_SEGMENT.
 */
u32 dzr_segs_alloc(struct dzr_segs *segs, bool reserve);

/**
 * dzr_segs_alloc_above - as dzr_segs_alloc(), leaving part of the reserve
 * @segs: the accounting
 * @keep: free segments that must be left
 *
 * Context: any but interrupts; takes segs->lock.
 * Return: the segment, or DZR_NO_SEGMENT.
 */
u32 dzr_segs_alloc_above(struct dzr_segs *segs, u32 keep);

/**
 * dzr_segs_seq - sequence number of a segment
 * @segs: the accounting
 * @seg: a segment that is open, pinned, or holds a live object
 *
 * Context: any.
 */
u32 dzr_segs_seq(struct dzr_segs *segs, u32 seg);

/**
 * dzr_segs_get_object - count a live object
 * @segs: the accounting
 * @seg: its segment, open or pinned
 * @bytes: what it takes in the segment
 *
 * Context: any.
 */
void dzr_segs_get_object(struct dzr_segs *segs, u32 seg, u32 bytes);

/**
 * dzr_segs_put_object - an object is dead
 * @segs: the accounting
 * @seg: its segment
 * @bytes: as for dzr_segs_get_object()
 *
 * Context: any but interrupts; may take segs->lock.
 * Return: true if the segment became free, or absent.
 */
bool dzr_segs_put_object(struct dzr_segs *segs, u32 seg, u32 bytes);

/**
 * dzr_segs_weigh - say what a segment counts for, if that is more than it holds
 * @segs: the accounting
 * @seg: the segment, open and full
 * @bytes: sum of dzr_segs_get_object()
 *
 * Members of a group count for what each would take alone, which is more than
 * the group takes. What of the segment is live is then a matter of proportion.
 *
 * Context: any.
 */
void dzr_segs_weigh(struct dzr_segs *segs, u32 seg, u32 bytes);

/**
 * dzr_segs_live - bytes of live objects in a segment
 * @segs: the accounting
 * @seg: the segment
 *
 * Context: any; one read.
 * Return: bytes; where there are groups, the part of the capacity that is live.
 */
u32 dzr_segs_live(struct dzr_segs *segs, u32 seg);

/**
 * dzr_segs_pin - keep a segment from being reused
 * @segs: the accounting
 * @seg: a segment with an object that cannot die now (its entry is locked)
 *
 * Context: any.
 */
void dzr_segs_pin(struct dzr_segs *segs, u32 seg);

/**
 * dzr_segs_unpin - undo dzr_segs_pin() or dzr_segs_pick()
 * @segs: the accounting
 * @seg: the segment
 *
 * Context: any but interrupts; may take segs->lock.
 * Return: true if the segment became free, or absent.
 */
bool dzr_segs_unpin(struct dzr_segs *segs, u32 seg);

/**
 * dzr_segs_seal - an open segment is on the device
 * @segs: the accounting
 * @seg: the segment
 *
 * Context: any but interrupts; takes segs->lock.
 * Return: true if the segment became free, or absent.
 */
bool dzr_segs_seal(struct dzr_segs *segs, u32 seg);

/**
 * dzr_segs_spoil - an open segment could not be written: never use it again
 * @segs: the accounting
 * @seg: the segment
 *
 * Context: any but interrupts; takes segs->lock.
 * Return: true if the segment became absent, which one that retires does.
 */
bool dzr_segs_spoil(struct dzr_segs *segs, u32 seg);

/**
 * dzr_segs_shun - do not pick a segment until it is free, or begins to retire
 * @segs: the accounting
 * @seg: a pinned segment
 * @damaged: an object in it is not what it should be: do not try again. Else it
 *	could not be read, which is tried again when space is short, or when it
 *	retires.
 *
 * Context: any but interrupts; takes segs->lock.
 * Return: true if it was shunned before.
 */
bool dzr_segs_shun(struct dzr_segs *segs, u32 seg, bool damaged);

/**
 * dzr_segs_pick - choose the segment whose cleaning pays most
 * @segs: the accounting
 * @must: space is short, take what gains anything; otherwise a quarter of the
 *	segment must be dead
 * @freed: on return, whether another segment became free because the look held
 *	its last reference: whoever waits for one has to be told
 *
 * What pays is a matter of what is dead, of what is live and has to be copied,
 * and of the age, counted in segments opened since: dead^2 / live * age. Old
 * segments lose less than young ones if left alone. Of those that are as old,
 * the one with the most dead is taken, and where all blocks are overwritten as
 * often that is close to greedy. cleaner.rst has the figures.
 *
 * Looks at a bounded window at a time, going round; all segments are looked at
 * before it gives up. When space is short, those come first of which even objects
 * of their own would leave enough; then those of which groups may. Those that
 * could not be read come last, in turns.
 *
 * Context: process; no lock held throughout.
 * Return: the segment, pinned, or DZR_NO_SEGMENT.
 */
u32 dzr_segs_pick(struct dzr_segs *segs, bool must, bool *freed);

/**
 * dzr_segs_coming - is a segment spare, or will one be without any cleaning?
 * @segs: the accounting
 *
 * Some have nothing live, but a pin; or are being discarded. Whoever unpins or
 * discards kicks those who wait. All that has nothing live when this begins is
 * found, unless somebody has opened it by the end.
 *
 * Context: process; takes segs->lock. As dzr_segs_pick(): one caller at a time.
 */
bool dzr_segs_coming(struct dzr_segs *segs);

/**
 * dzr_segs_pays - is it time to clean a segment, or will waiting pay?
 * @segs: the accounting
 * @seg: from dzr_segs_pick()
 * @want: spare segments wanted
 *
 * A segment that is left alone goes on losing objects, so cleaning it later
 * costs less; what is cleaned ahead only lies idle. So the more segments are
 * spare, the more of the victim must be dead: a quarter when there is hardly
 * one, all of it when there are @want, and 1/4 + 3/4 * sqrt(spare / @want) in
 * between. When there is none, anything pays.
 *
 * Context: any; no lock, the numbers may be of slightly different moments.
 */
bool dzr_segs_pays(struct dzr_segs *segs, u32 seg, u32 want);

/**
 * dzr_segs_take_stale - take a free segment whose content was not discarded
 * @segs: the accounting
 *
 * Until dzr_segs_discarded() the segment cannot be opened.
 *
 * Context: any but interrupts; takes segs->lock.
 * Return: the segment, or DZR_NO_SEGMENT.
 */
u32 dzr_segs_take_stale(struct dzr_segs *segs);

/**
 * dzr_segs_discarded - give back a segment from dzr_segs_take_stale()
 * @segs: the accounting
 * @seg: the segment
 *
 * Context: any but interrupts; takes segs->lock.
 */
void dzr_segs_discarded(struct dzr_segs *segs, u32 seg);

/**
 * dzr_segs_room_create - memory for more segments
 * @segs: the accounting
 * @nr: number of segments
 *
 * Enough for dzr_segs_move() to @nr segments, and for dzr_segs_grow() by @nr,
 * whatever is forgotten until then.
 *
 * Context: process; may sleep (GFP_KERNEL). If an extent is added, or grows, or
 * they change their roles, then or later, it must not be used any more.
 * Return: the memory, or NULL.
 */
struct dzr_segs_room *dzr_segs_room_create(struct dzr_segs *segs, u32 nr);

/**
 * dzr_segs_room_destroy - free what of it was not used
 * @room: the memory, or NULL
 */
void dzr_segs_room_destroy(struct dzr_segs_room *room);

/**
 * dzr_segs_place - where would a new extent begin?
 * @segs: the accounting
 * @nr: number of segments
 *
 * The lowest place that is free, so that numbers do not grow from move to move.
 *
 * Context: process; no extent is added or forgotten meanwhile.
 * Return: its first segment, or DZR_NO_SEGMENT if numbers do not suffice.
 */
u32 dzr_segs_place(struct dzr_segs *segs, u32 nr);

/**
 * dzr_segs_grow - more segments at the end of the active extent
 * @segs: the accounting, with nothing retiring
 * @room: from dzr_segs_room_create()
 * @nr: how many the extent has from now on; as many more as @room is for
 *
 * Context: process; takes segs->lock. One caller at a time of this and those
 * below.
 */
void dzr_segs_grow(struct dzr_segs *segs, struct dzr_segs_room *room, u32 nr);

/**
 * dzr_segs_move - add an extent, which is the active one from now on
 * @segs: the accounting, with nothing retiring
 * @room: from dzr_segs_room_create() for @nr
 * @nr: its segments
 *
 * What was active is retiring, and nothing of it is shunned: a move looks for
 * itself. Nobody is in dzr_segs_pick().
 *
 * Context: process; takes segs->lock, in bounded steps.
 * Return: as dzr_segs_place() would have.
 */
u32 dzr_segs_move(struct dzr_segs *segs, struct dzr_segs_room *room, u32 nr);

/**
 * dzr_segs_turn_back - the retiring extent is active again, and the other retires
 * @segs: the accounting, with something retiring
 *
 * What the move has shunned stays so: cleaning it for space would find no more.
 *
 * Context: as dzr_segs_move().
 */
void dzr_segs_turn_back(struct dzr_segs *segs);

/**
 * dzr_segs_forget - drop the retiring extent with its memory
 * @segs: the accounting; nobody uses a number of the extent any more, nor is in
 *	dzr_segs_pick_retiring()
 *
 * Context: process; may sleep.
 * Return: false if there is no such extent, or if it is not empty.
 */
bool dzr_segs_forget(struct dzr_segs *segs);

/**
 * dzr_segs_left - how many retiring segments are not empty yet?
 * @segs: the accounting
 *
 * Context: any; one read.
 */
u32 dzr_segs_left(struct dzr_segs *segs);

/**
 * dzr_segs_retires - is this segment of the retiring extent?
 * @segs: the accounting
 * @seg: a segment that is open, pinned, or holds a live object
 *
 * Context: any.
 */
bool dzr_segs_retires(struct dzr_segs *segs, u32 seg);

/**
 * dzr_segs_pick_retiring - choose a retiring segment to be emptied
 * @segs: the accounting
 * @again: one that could not be read; they take turns. Else the next of the
 *	others, in the order of their numbers.
 *
 * Context: as dzr_segs_pick().
 * Return: the segment, pinned, or DZR_NO_SEGMENT.
 */
u32 dzr_segs_pick_retiring(struct dzr_segs *segs, bool again);

/**
 * struct dzr_segs_totals - how full the log is
 * @segments: segments of the active extent
 * @free: free ones, the reserve included
 * @bad: those that could not be written
 * @reserve: free ones that only the cleaner may take
 * @stale: free ones that were not discarded since
 * @live_bytes: live objects of both extents, headers and padding included
 * @most_bytes: the most that they may take when all are moved: of a group of which
 *	little lives, each member what it takes alone
 * @left: retiring segments that are not empty
 * @stuck: those of them that could not be read, or are damaged
 */
struct dzr_segs_totals {
	u32 segments;
	u32 free;
	u32 bad;
	u32 reserve;
	u32 stale;
	u64 live_bytes;
	u64 most_bytes;
	u32 left;
	u32 stuck;
};

/**
 * dzr_segs_totals - how full the log is
 * @segs: the accounting
 * @totals: the answer
 *
 * Context: process; no lock, numbers may be of slightly different moments.
 */
void dzr_segs_totals(struct dzr_segs *segs, struct dzr_segs_totals *totals);

/**
 * dzr_segs_bytes - memory of the accounting
 * @segs: the accounting
 *
 * Return: bytes.
 */
u64 dzr_segs_bytes(struct dzr_segs *segs);

/**
 * dzr_segs_spare - free segments above the cleaner's reserve
 * @segs: the accounting
 *
 * Context: any; one read.
 * Return: their number, negative when the reserve has been broken into.
 */
s64 dzr_segs_spare(struct dzr_segs *segs);

#endif /* DZR_SEGMENT_H */
