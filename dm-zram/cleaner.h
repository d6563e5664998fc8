/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Insides of the cleaner, shared by its files:
 *
 *   cleaner.c	victims for the sake of space, and what is done to any victim
 *   grouplog.c	groups in it
 *   logmove.c	victims that have to leave their device
 *   salvage.c	victims that cannot be read as a whole
 */
#ifndef DZR_CLEANER_H
#define DZR_CLEANER_H

#include <linux/bio.h>
#include <linux/workqueue.h>

#include "btable.h"

struct dzr_log;
struct dzr_object_header;

/**
 * enum dzr_clean_state - what the cleaner does
 * @DZR_CLEAN_IDLE: no victim
 * @DZR_CLEAN_READING: the victim is being read
 * @DZR_CLEAN_READ: the read has ended
 * @DZR_CLEAN_MOVING: live objects are moved
 */
enum dzr_clean_state {
	DZR_CLEAN_IDLE,
	DZR_CLEAN_READING,
	DZR_CLEAN_READ,
	DZR_CLEAN_MOVING,
};

/**
 * enum dzr_clean_end - how the cleaning of a segment has ended
 * @DZR_CLEANED: no live object is left in it
 * @DZR_CLEAN_DAMAGED: some of it could not be understood
 * @DZR_CLEAN_UNREAD: it could not be read, or is not what it should be
 * @DZR_CLEAN_NO_ROOM: there was no segment to move its objects to
 */
enum dzr_clean_end {
	DZR_CLEANED,
	DZR_CLEAN_DAMAGED,
	DZR_CLEAN_UNREAD,
	DZR_CLEAN_NO_ROOM,
};

/**
 * enum dzr_clean_cause - why a segment is emptied
 * @DZR_CLEAN_SPACE: most of it is dead, and segments are wanted
 * @DZR_CLEAN_MOVE: its device is to be let go
 */
enum dzr_clean_cause {
	DZR_CLEAN_SPACE,
	DZR_CLEAN_MOVE,
};

/* A segment that cannot be read as a whole is read in pieces of that many bytes. */
#define DZR_PIECE		4096U

/**
 * struct dzr_cleaner - the cleaner of a log
 * @work: runs one step
 * @ended: the victim's read has ended
 * @state: see &enum dzr_clean_state; changed by @work and the read's end
 * @cause: why it does that
 * @victim: the segment being cleaned, pinned
 * @cursor: offset of the next object
 * @end: end of the last object
 * @live: bytes of live objects in it at first
 * @moved: live objects copied
 * @damaged: something in the victim could not be understood
 * @salvage: what is alive in the victim is looked for everywhere
 * @piece: the one that is being read
 * @holes: how many could not be read
 * @arrived: the read of the victim has ended
 * @data: the victim's content
 * @scratch: a block on its way out of a group, compressed
 * @status: outcome of the read
 * @bio: the read
 * @vecs: for @bio
 */
struct dzr_cleaner {
	struct work_struct work;
	struct work_struct ended;
	enum dzr_clean_state state;
	enum dzr_clean_cause cause;
	u32 victim;
	u32 cursor;
	u32 end;
	u32 live;
	u32 moved;
	bool damaged;
	bool salvage;
	u32 piece;
	u32 holes;
	bool arrived;
	u8 *data;
	u8 *scratch;
	blk_status_t status;
	struct bio bio;
	struct bio_vec *vecs;
};

/**
 * dzr_move_choose - a segment to be moved to the active device
 * @log: the log
 *
 * Says that the move is over, if it is.
 *
 * Context: the cleaner, when it has nothing that is more urgent.
 * Return: the segment, pinned, or DZR_NO_SEGMENT; the cleaner is woken again
 * when there may be one.
 */
u32 dzr_move_choose(struct dzr_log *log);

/**
 * dzr_move_rest - let a move rest
 * @log: the log
 * @ms: for how long
 *
 * Context: the cleaner.
 */
void dzr_move_rest(struct dzr_log *log, unsigned int ms);

/**
 * dzr_move_unread - a segment that is to be moved could not be read
 * @log: the log
 * @again: not for the first time
 *
 * Context: the cleaner.
 */
void dzr_move_unread(struct dzr_log *log, bool again);

/**
 * dzr_move_wake - the end of a rest
 * @work: of the log
 */
void dzr_move_wake(struct work_struct *work);

/**
 * dzr_clean_group - move what is live of a group out of the victim
 * @log: the log
 * @off: the group's offset in the victim
 * @good: its checksum holds; set to false if it cannot be understood
 *
 * Context: the cleaner.
 * Return: 0, or why it must wait, as dzr_log_reserve(): call again, then.
 */
int dzr_clean_group(struct dzr_log *log, u32 off, bool *good);

/**
 * dzr_cleaner_fill - use the end of the open segment for smaller objects
 * @log: the log
 * @len: bytes of the object at the cursor
 *
 * Context: the cleaner.
 */
void dzr_cleaner_fill(struct dzr_log *log, u32 len);

/**
 * dzr_cleaner_copy - copy an object of one block to the cleaner's stream
 * @log: the log
 * @block: the block
 * @codec: how the data is compressed
 * @data: the data
 * @len: bytes of data
 * @old: where the entry says it is
 *
 * Context: the cleaner.
 * Return: 0, or why it must wait, as dzr_log_reserve().
 */
int dzr_cleaner_copy(struct dzr_log *log, u32 block, u8 codec,
		     const void *data, u32 len, dzr_loc_t old);

/**
 * dzr_cleaner_moved - a block of the victim has moved
 * @log: the log
 * @old: where it was, which no entry holds any more
 *
 * Context: the cleaner.
 */
void dzr_cleaner_moved(struct dzr_log *log, dzr_loc_t old);

/**
 * dzr_cleaner_read - read the victim, or a part of it
 * @log: the log
 * @off: where the part begins
 * @bytes: its length
 *
 * Context: the cleaner. Its work runs again when the read has ended.
 */
void dzr_cleaner_read(struct dzr_log *log, u32 off, u32 bytes);

/**
 * dzr_cleaner_len - look at an object of the victim
 * @c: the cleaner
 * @off: its offset
 *
 * Return: bytes of its data; 0: there is none.
 */
u32 dzr_cleaner_len(struct dzr_cleaner *c, u32 off);

/**
 * dzr_cleaner_object - deal with the object at the cursor
 * @log: the log
 * @len: bytes of its data
 *
 * Context: the cleaner.
 * Return: 0, or why it must wait, as dzr_log_reserve().
 */
int dzr_cleaner_object(struct dzr_log *log, u32 len);

/**
 * dzr_cleaner_finish - let go of the victim
 * @log: the log
 * @end: what has become of it
 *
 * Context: the cleaner.
 */
void dzr_cleaner_finish(struct dzr_log *log, enum dzr_clean_end end);

/**
 * dzr_salvage_begin - the victim could not be read: read it in pieces
 * @log: the log
 *
 * Context: the cleaner.
 */
void dzr_salvage_begin(struct dzr_log *log);

/**
 * dzr_salvage_scan - the victim is in memory, as far as it can be read
 * @log: the log
 *
 * Its objects are looked for wherever they may be.
 *
 * Context: the cleaner.
 */
void dzr_salvage_scan(struct dzr_log *log);

/**
 * dzr_salvage_arrived - a piece of the victim has been read, or not
 * @log: the log
 *
 * Context: the cleaner.
 * Return: true if it was the last.
 */
bool dzr_salvage_arrived(struct dzr_log *log);

/**
 * dzr_salvage_look - find the next object behind the cursor that is alive and good
 * @log: the log
 *
 * Context: the cleaner. Looks at a bounded part of the victim.
 * Return: bytes of its data; 0: none up to the cursor.
 */
u32 dzr_salvage_look(struct dzr_log *log);

/**
 * dzr_salvage_end - all that could be had of the victim has moved
 * @log: the log
 *
 * Context: the cleaner.
 */
void dzr_salvage_end(struct dzr_log *log);

/**
 * dzr_group_live - which members of a group of the victim are live?
 * @log: the log
 * @off: the group's offset in the victim
 * @hdr: its header, valid
 *
 * Context: the cleaner.
 * Return: bit for each.
 */
u8 dzr_group_live(struct dzr_log *log, u32 off,
		  const struct dzr_object_header *hdr);

/**
 * dzr_cleaner_init - create the cleaner of a log
 * @log: the log
 *
 * Return: 0 or -ENOMEM.
 */
int dzr_cleaner_init(struct dzr_log *log);

/**
 * dzr_cleaner_exit - free it
 * @log: the log; its cleaner has been stopped
 */
void dzr_cleaner_exit(struct dzr_log *log);

/**
 * dzr_cleaner_wake - run the cleaner if there is need
 * @log: the log
 *
 * Context: any.
 */
void dzr_cleaner_wake(struct dzr_log *log);

/**
 * dzr_cleaner_sees - something could be read, or need not be
 * @log: the log; not blind from now on
 *
 * Context: process, no lock held.
 */
void dzr_cleaner_sees(struct dzr_log *log);

#endif /* DZR_CLEANER_H */
