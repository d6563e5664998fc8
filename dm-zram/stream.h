/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Streams: per-CPU codec workspaces that survive CPU hotplug.
 *
 * A stream is what one compression or decompression needs: the codecs'
 * workspaces and two buffers. There is one for each CPU that is or ever was
 * online while its set existed; a CPU that comes up gets one before it runs
 * anything, and a CPU that goes down leaves its own behind, since a task may
 * still hold it.
 *
 * A set compresses with one codec, and restores what that and any of its former
 * ones have made. Another codec comes with a set of its own, made in advance,
 * whose workspaces are exchanged for those of the set in use, one stream after
 * the other.
 *
 * Locking: dzr_stream.lock, a mutex, is held from dzr_stream_get() to
 * dzr_stream_put(). A task holds at most one stream at a time, and no spinning
 * lock when it gets one. It is a leaf lock apart from what the caller does
 * between get and put, which must not allocate memory that may do I/O. An
 * exchange holds those of the two sets, that in use first.
 */
#ifndef DZR_STREAM_H
#define DZR_STREAM_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "codec.h"

struct dzr_streams;

/**
 * struct dzr_workspace - the memory of a stream
 * @codec: what compresses
 * @comp_ws: workspace of its ->compress(), NULL if it needs none
 * @known: bit for each codec whose objects it can restore
 * @decomp_ws: workspaces of their ->decompress(), NULL where none is needed
 * @buf: DZR_STREAM_BUF bytes: compressed data
 * @block: DZR_BLOCK_SIZE bytes: a plain block, gathered or to be scattered
 */
struct dzr_workspace {
	const struct dzr_codec *codec;
	void *comp_ws;
	u8 known;
	void *decomp_ws[DZR_NR_CODECS];
	u8 *buf;
	u8 *block;
};

/**
 * struct dzr_stream - the workspace of one CPU
 * @lock: held by the user of the stream
 * @ws: belongs to the holder of @lock
 * @ready: all of that is there; changes under @lock
 */
struct dzr_stream {
	struct mutex lock; /* from dzr_stream_get() to dzr_stream_put() */
	struct dzr_workspace ws;
	bool ready;
};

/**
 * dzr_streams_create() - make the streams of one device
 * @codec: what they are for
 *
 * Allocates with GFP_KERNEL: a caller that must not start I/O wraps the call
 * in memalloc_noio_save().
 *
 * Context: may sleep; takes cpu_hotplug_lock for reading.
 * Return: the streams, or an ERR_PTR: -ENOMEM, or what the hotplug core says.
 */
struct dzr_streams *dzr_streams_create(const struct dzr_codec *codec);

/**
 * dzr_streams_create_like() - make what a set needs for another codec
 * @s: the set, which is not touched
 * @codec: to compress with
 *
 * Context: as dzr_streams_create().
 * Return: streams for dzr_streams_exchange(), or an ERR_PTR as
 * dzr_streams_create().
 */
struct dzr_streams *dzr_streams_create_like(struct dzr_streams *s,
					    const struct dzr_codec *codec);

/**
 * dzr_streams_fit() - can these still be exchanged?
 * @s: streams in use
 * @other: dzr_streams_create_like() has made them for @s, but there may have
 *	been an exchange since
 *
 * Context: no exchange is under way.
 * Return: false if @other cannot restore all that @s can.
 */
bool dzr_streams_fit(const struct dzr_streams *s,
		     const struct dzr_streams *other);

/**
 * dzr_streams_exchange() - compress with another codec from now on
 * @s: streams, in use or not; there is no other exchange under way
 * @other: made for @s, and dzr_streams_fit() says yes; afterwards they have
 *	what is to be freed
 *
 * When it returns, nobody compresses with the old codec any more. CPUs may come
 * and go meanwhile.
 *
 * Context: may sleep, for a stream at a time; allocates nothing.
 */
void dzr_streams_exchange(struct dzr_streams *s, struct dzr_streams *other);

/**
 * dzr_streams_codec() - what a set compresses with
 * @s: the streams
 *
 * Context: any.
 */
const struct dzr_codec *dzr_streams_codec(const struct dzr_streams *s);

/**
 * dzr_streams_destroy() - free all streams of a device
 * @s: from dzr_streams_create(); NULL is allowed. No stream is in use.
 *
 * Context: may sleep; takes cpu_hotplug_lock for reading.
 */
void dzr_streams_destroy(struct dzr_streams *s);

/**
 * dzr_stream_get() - take a stream for oneself
 * @s: the streams of the device
 *
 * It is this CPU's, or another one's if this CPU has none (its workspace could
 * not be allocated when it came up). The task may migrate afterwards: the
 * stream stays its own until dzr_stream_put().
 *
 * Context: may sleep; returns with the stream's lock held.
 * Return: a stream, never NULL.
 */
struct dzr_stream *dzr_stream_get(struct dzr_streams *s);

/**
 * dzr_stream_put() - let a stream go
 * @st: from dzr_stream_get()
 *
 * Context: the task that got it.
 */
void dzr_stream_put(struct dzr_stream *st);

/**
 * dzr_stream_codec() - what dzr_stream_compress() uses
 * @st: a stream that the caller holds
 *
 * Return: one of enum dzr_codec_id.
 */
static inline u8 dzr_stream_codec(const struct dzr_stream *st)
{
	return st->ws.codec->id;
}

/**
 * dzr_stream_compress() - compress a block into the stream's buffer
 * @st: a stream that the caller holds
 * @src: DZR_BLOCK_SIZE bytes; may be the stream's block
 * @len: where to put the length of the result in the stream's buffer
 *
 * Context: holds the stream; does not sleep.
 * Return: 0 and a length below DZR_BLOCK_SIZE, -ENOSPC if the block does not
 * get any smaller (store it raw), or -EIO if the library fails (the same).
 */
int dzr_stream_compress(struct dzr_stream *st, const void *src,
			unsigned int *len);

/**
 * dzr_stream_decompress() - restore a block
 * @st: a stream that the caller holds
 * @codec: how it is compressed; any number, from a header for example
 * @src: compressed bytes, of whatever quality; may be the stream's buffer
 * @len: how many
 * @dst: room for DZR_BLOCK_SIZE bytes; may be the stream's block
 *
 * Context: holds the stream; does not sleep.
 * Return: 0, or -EIO if @src is not what ->compress() made of a block, or the
 * set has never used @codec.
 */
int dzr_stream_decompress(struct dzr_stream *st, u8 codec, const void *src,
			  unsigned int len, void *dst);

/**
 * dzr_streams_bytes() - memory that the streams hold, for status
 * @s: the streams
 *
 * Context: any.
 * Return: bytes of workspaces and buffers.
 */
size_t dzr_streams_bytes(struct dzr_streams *s);

/**
 * dzr_streams_init() - register with CPU hotplug, when the module is loaded
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int dzr_streams_init(void);

/**
 * dzr_streams_exit() - undo dzr_streams_init(); no streams exist any more
 *
 * Context: may sleep.
 */
void dzr_streams_exit(void);

#endif /* DZR_STREAM_H */
