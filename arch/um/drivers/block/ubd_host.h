/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contract of the block device: host files as disks. Errors are negative
 * errno values.
 */
#ifndef __UM_UBD_HOST_H
#define __UM_UBD_HOST_H

#define HOST_UBD_MAX		16
#define HOST_UBD_SEGMENTS	128

/* Flags of a disk: the letters of the option, and what came out of opening. */
#define HOST_UBD_READ_ONLY	1	/* r */
#define HOST_UBD_SYNC		2	/* s: writes are on the medium when done */
#define HOST_UBD_DATA		4	/* d: never look for a COW header */
#define HOST_UBD_SHARED		8	/* c: take no lock */
#define HOST_UBD_NO_TRIM	16	/* t: no discard, no write-zeroes */

struct host_ubd;
struct host_event;

/**
 * struct host_ubd_info - what is known about a disk
 * @file: name on the host
 * @serial: serial number, or ""
 * @flags: HOST_UBD_*
 * @size: bytes; valid after host_ubd_open()
 */
struct host_ubd_info {
	const char *file;
	const char *serial;
	int flags;
	unsigned long long size;
};

/**
 * host_ubd_configured() - the command line's word about a disk
 * @nr: its number, below HOST_UBD_MAX
 * @info: filled in
 *
 * Returns 1, or 0 when the disk is not configured.
 */
int host_ubd_configured(int nr, struct host_ubd_info *info);

/**
 * host_ubd_open() - open and lock a disk's file
 * @nr: its number
 * @info: @flags on input may gain HOST_UBD_SYNC; @flags and @size are set
 * @ubd: set to the open disk
 *
 * A file that can't be written is opened read-only. Error -EAGAIN: somebody
 * else holds a lock on it; then @info->size is his process id, or 0 if the
 * host doesn't tell. -EMEDIUMTYPE: it is a COW file. Task context; may wait for the host's disk.
 */
int host_ubd_open(int nr, struct host_ubd_info *info, struct host_ubd **ubd);

/** host_ubd_close() - no request may be under way. Task context. */
void host_ubd_close(struct host_ubd *ubd);

/** struct host_ubd_queue - where finished requests of one hardware queue gather */
struct host_ubd_queue {
	struct host_event *event;		/* posted when something was added */
	struct host_ubd_request *done;		/* host half's */
};

enum host_ubd_op {
	HOST_UBD_READ,
	HOST_UBD_WRITE,
	HOST_UBD_FLUSH,
	HOST_UBD_DISCARD,
	HOST_UBD_ZERO,
};

/** struct host_ubd_segment - memory of a transfer; laid out as struct iovec */
struct host_ubd_segment {
	void *base;
	unsigned long len;
};

/**
 * struct host_ubd_request - one request; stays untouched until it is finished
 * @ubd: the disk
 * @queue: where it is returned
 * @op: what to do
 * @fua: a write must be on the medium when it is finished
 * @keep: HOST_UBD_ZERO: keep the blocks allocated
 * @error: result: 0 or a negative errno
 * @nr_segments: how many of @segments are used
 * @offset: byte offset on the disk
 * @len: bytes
 * @next, @private: the host half's
 * @segments: memory to transfer from or to
 */
struct host_ubd_request {
	struct host_ubd *ubd;
	struct host_ubd_queue *queue;
	enum host_ubd_op op;
	unsigned char fua;
	unsigned char keep;
	int error;
	unsigned int nr_segments;
	unsigned long long offset;
	unsigned long long len;
	struct host_ubd_request *next;
	void *private[2];
	struct host_ubd_segment segments[HOST_UBD_SEGMENTS];
};

/**
 * host_ubd_submit() - start a request
 *
 * Never waits for the disk. Returns 1 when the request is finished already
 * (its data was in the host's memory): it is not returned through the queue
 * then. Otherwise 0. Any context but a signal handler.
 */
int host_ubd_submit(struct host_ubd_request *request);

/**
 * host_ubd_finished() - take all finished requests of a queue
 *
 * Returns a list linked by @next, oldest first; NULL if there is none.
 * Interrupt context.
 */
struct host_ubd_request *host_ubd_finished(struct host_ubd_queue *queue);

#endif
