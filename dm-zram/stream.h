/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Streams: per-CPU codec workspaces that survive CPU hotplug.
 *
 * A stream is what one compression or decompression needs: the codec's
 * workspaces and two buffers. There is one for each CPU that is or ever was
 * online while its set existed; a CPU that comes up gets one before it runs
 * anything, and a CPU that goes down leaves its own behind, since a task may
 * still hold it.
 *
 * Locking: dzr_stream.lock, a mutex, is held from dzr_stream_get() to
 * dzr_stream_put(). A task holds at most one stream at a time, and no spinning
 * lock when it gets one. It is a leaf lock apart from what the caller does
 * between get and put, which must not allocate memory that may do I/O.
 */
#ifndef DZR_STREAM_H
#define DZR_STREAM_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "codec.h"

struct dzr_streams;

/**
 * struct dzr_stream - the workspace of one CPU
 * @lock: held by the user of the stream
 * @codec: what the workspaces are for
 * @comp_ws: workspace of ->compress(), NULL if it needs none
 * @decomp_ws: workspace of ->decompress(), NULL if it needs none
 * @buf: DZR_STREAM_BUF bytes: compressed data
 * @block: DZR_BLOCK_SIZE bytes: a plain block, gathered or to be scattered
 * @ready: all of the above is there, and stays
 */
struct dzr_stream {
	struct mutex lock; /* from dzr_stream_get() to dzr_stream_put() */
	const struct dzr_codec *codec;
	void *comp_ws;
	void *decomp_ws;
	u8 *buf;
	u8 *block;
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
 * dzr_stream_compress() - compress a block into the stream's buffer
 * @st: a stream that the caller holds
 * @src: DZR_BLOCK_SIZE bytes; may be @st->block
 * @len: where to put the length of the result in @st->buf
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
 * @src: compressed bytes, of whatever quality; may be @st->buf
 * @len: how many
 * @dst: room for DZR_BLOCK_SIZE bytes; may be @st->block
 *
 * Context: holds the stream; does not sleep.
 * Return: 0, or -EIO if @src is not what ->compress() made of a block.
 */
int dzr_stream_decompress(struct dzr_stream *st, const void *src,
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
