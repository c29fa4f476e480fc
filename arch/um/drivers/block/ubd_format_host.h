/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What stands between the disk that the guest sees and host files: a format.
 *
 * The engine (ubd_engine_host.c) gets requests in bytes of the disk. It asks
 * the disk's format where these lie (map()). If that is a few plain ranges of
 * files, the engine does the rest itself, by whatever is fastest: at once if
 * the host has the data in memory, through io_uring, or on a host thread. If
 * more is to be done (a bitmap has to be on the medium, too), map() says so by
 * returning 0, and the engine calls perform() on a host thread, which does the
 * whole request and may block.
 *
 * So a format for plain images needs no perform() at all, and one with
 * copy-on-write needs it for discards, for writes that are to be on the medium at
 * once, and for what is too scattered; its reads and writes go the fast way. It is
 * told of a write that is done, to note in memory who has the sectors now.
 *
 * Adding a format: a file with a struct ubd_format, whose address goes into
 * ubd_formats[] in ubd_open_host.c before that of the raw format, which takes
 * any file. Host half only.
 */
#ifndef __UM_UBD_FORMAT_HOST_H
#define __UM_UBD_FORMAT_HOST_H

#include <stdint.h>

#include "ubd_host.h"

/* How many plain ranges of files one request may be made of. */
#define UBD_EXTENTS	8

struct ubd_format;

/**
 * struct ubd_hold - when writes may wait on the vCPU again; ubd_now_host.c
 * @until: not before this time, in ns
 * @length: for how long they may not, or might not last time
 */
struct ubd_hold {
	unsigned long long until;
	unsigned long long length;
};

/**
 * struct host_ubd - an open disk
 * @nr: its number
 * @flags: HOST_UBD_*
 * @fd: the file that is written: the image or the COW file; locked
 * @is_device: @fd is a block device of the host
 * @size: bytes of the disk; need not be a multiple of anything
 * @format: its format
 * @private: the format's own
 * @cant_ask: the host can't say whether a write would wait for the disk
 * @hold: whether writes do
 */
struct host_ubd {
	int nr;
	int flags;
	int fd;
	int is_device;
	uint64_t size;
	const struct ubd_format *format;
	void *private;
	int cant_ask;
	struct ubd_hold hold;
};

/**
 * struct ubd_extent - a plain range of a file
 * @fd: the file, open for what is to be done
 * @offset: first byte in the file
 * @len: bytes
 *
 * Reading past the end of a file yields zeroes; writing there extends it.
 */
struct ubd_extent {
	int fd;
	unsigned long long offset;
	unsigned long long len;
};

/**
 * struct ubd_format - how a disk lies in files
 * @name: one word, for the log
 * @create: the file @info->file does not exist, and @info->backing is given:
 *	make it. 1: made; 0: not of this format; or a negative errno with *@why
 *	set. May block. May be NULL.
 * @probe: whether the open file @disk->fd (or the wish for it, as @info says)
 *	is of this format. 1, 0, or a negative errno with *@why set.
 * @open: prepare @disk. @disk->fd is open and locked, as @disk->flags say, and
 *	@info->limits are the file's. Sets @disk->size; may open further files,
 *	make @info->limits stricter, set HOST_UBD_READ_ONLY in @disk->flags and
 *	set @info->backing. 0, or a negative errno with *@why set and nothing
 *	left behind. May block. NULL: the disk is the file.
 * @close: undo open(); @disk->fd is closed afterwards by the caller. No
 *	request is under way. May block. May be NULL.
 * @map: where a request lies. Fills @extents, in order, whose lengths add up
 *	to @request->len, and returns their number, 1 to UBD_EXTENTS; doing
 *	@request->op on each, and written(), must be all there is to do for the
 *	request. A flush
 *	is one extent, whose file is synced. 0: leave it to perform(). Must not
 *	block or take long. Called on a vCPU or any host thread, several at a
 *	time, and perhaps twice for one request: it must change nothing.
 * @written: a write that map() described is done. To be called before anybody is
 *	told. From any host thread and the vCPU; must not block for long. Returns 0 or
 *	a negative errno. May be NULL.
 * @perform: do a request for which map() returned 0, entirely. On a host thread
 *	that may block, several at a time. Returns 0 or a negative errno. A write
 *	with @request->fua set, and every write to a disk with HOST_UBD_SYNC, is
 *	on the medium with all that is needed to find it when this returns. Must
 *	not touch @request->next, @done and @private. May be NULL if map() never returns 0.
 *
 * @lost: the engine's sync of a file that map() named failed with @err, or a write
 *	that had to be on the medium at once: data may be lost, and the next sync
 *	would succeed. From any host thread and the vCPU; must not block. May be NULL.
 *
 * create(), probe(), open() and close() are called on a host thread, too, and
 * may allocate and use as much stack as they like. What they have to say to the
 * user, beyond *@why, goes to ubd_log().
 *
 * The guest never has two overlapping requests under way of which one is a
 * write, unless it does not care which of them wins.
 */
struct ubd_format {
	const char *name;
	int (*create)(const struct host_ubd_info *info, const char **why);
	int (*probe)(struct host_ubd *disk, const struct host_ubd_info *info, const char **why);
	int (*open)(struct host_ubd *disk, struct host_ubd_info *info, const char **why);
	void (*close)(struct host_ubd *disk);
	int (*map)(const struct host_ubd_request *request, struct ubd_extent *extents);
	int (*written)(const struct host_ubd_request *request);
	int (*perform)(struct host_ubd_request *request);
	void (*lost)(struct host_ubd *disk, int err);
};

extern const struct ubd_format ubd_raw_format;
extern const struct ubd_format ubd_cow_format;

/* Helpers for perform(); ubd_io_host.c. */

/**
 * ubd_transfer() - move a part of a request between its memory and a file
 * @request: its @op says which way
 * @skip: from this byte of the request on
 * @extent: where to; @len as much as is to be transferred
 * @dsync: a write must be on the medium when this returns
 *
 * Blocks. Returns 0 or a negative errno.
 */
int ubd_transfer(const struct host_ubd_request *request, unsigned long long skip,
		 const struct ubd_extent *extent, int dsync);

/** ubd_zero() - zeroes for bytes @skip to @skip + @len of a read */
void ubd_zero(const struct host_ubd_request *request, unsigned long long skip,
	      unsigned long long len);

/**
 * ubd_punch() - free a range of a file
 * @disk: whose file it is
 * @extent: the range
 * @op: HOST_UBD_DISCARD or HOST_UBD_ZERO
 * @keep: HOST_UBD_ZERO: zeroes, but keep the blocks allocated
 *
 * A range of a file reads as zeroes afterwards; so does one of a block device
 * after HOST_UBD_ZERO. The file's length does not change. Blocks. Returns 0 or a negative errno;
 * -EOPNOTSUPP: the host's file system can't do it.
 */
int ubd_punch(const struct host_ubd *disk, const struct ubd_extent *extent,
	      enum host_ubd_op op, int keep);

/** ubd_sync() - have all that was written on the medium. Blocks. 0 or -errno. */
int ubd_sync(int fd);

/**
 * ubd_note_lost() - a plain range could not be written or synced
 * @request: what failed
 * @err: the host's error
 *
 * Tells the format if it was to be on the medium. That there was no room is no loss:
 * nothing was written.
 */
void ubd_note_lost(const struct host_ubd_request *request, int err);

/**
 * ubd_end_write() - all of a request that map() described is done, and well
 *
 * Tells the format of a write. Returns 0 or a negative errno.
 */
int ubd_end_write(const struct host_ubd_request *request);

/* Helpers for open(); ubd_open_host.c. */

/**
 * ubd_log() - a line for the kernel's log, printed when the disk is open or refused
 * @level: printk's: 3 error, 5 notice, 6 information
 * @text: one line, without newline
 *
 * Only while a disk is being opened.
 */
void ubd_log(int level, const char *text);

/**
 * ubd_file_open() - open a file of a disk
 * @name: the file
 * @flags: HOST_UBD_*, of which READ_ONLY, SYNC, DIRECT and SHARED count. If
 *	READ_ONLY is not set and the file can't be written, it becomes set.
 * @why: on error set to a short text
 *
 * Returns a descriptor that programs we start don't inherit, or a negative
 * errno. May block.
 */
int ubd_file_open(const char *name, int *flags, const char **why);

/**
 * ubd_file_lock() - lock a file against other machines
 * @fd: the file
 * @flags: HOST_UBD_READ_ONLY: others may read it, too; HOST_UBD_SHARED: no lock
 * @holder: on -EAGAIN set to the process id of who has it, or 0
 *
 * The lock belongs to the open file and ends with it. Returns 0, -EAGAIN or another negative errno.
 */
int ubd_file_lock(int fd, int flags, unsigned long long *holder);

#endif
