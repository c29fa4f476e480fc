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
#define HOST_UBD_DIRECT		32	/* ubd_opt: O_DIRECT */
#define HOST_UBD_ACCEPT		64	/* ubd_opt: take a backing file that was changed */

struct host_ubd;
struct host_event;

/**
 * struct host_ubd_limits - what the host's file asks of requests; bytes
 * @logical: block size: offsets and lengths are multiples of it
 * @physical: what the medium writes in one go
 * @io_min: what is written without reading before
 * @io_opt: preferred length, or 0
 * @memory: addresses are multiples of it
 * @discard: granularity of discard
 * @rotational: seeks are slow
 */
struct host_ubd_limits {
	unsigned int logical;
	unsigned int physical;
	unsigned int io_min;
	unsigned int io_opt;
	unsigned int memory;
	unsigned int discard;
	unsigned int rotational;
};

/**
 * struct host_ubd_rate - limits per second, 0: none; and what may come at once
 * @bytes: bytes per second
 * @requests: requests per second
 * @burst_bytes: 0: a tenth of a second's
 * @burst_requests: 0: a tenth of a second's, at least 1
 */
struct host_ubd_rate {
	unsigned long long bytes;
	unsigned long long requests;
	unsigned long long burst_bytes;
	unsigned long long burst_requests;
};

/**
 * struct host_ubd_info - what is known about a disk
 * @file: name on the host
 * @backing: name of the file below a COW file, or ""
 * @serial: serial number, or ""
 * @flags: HOST_UBD_*
 * @rate: rate limits to begin with
 * @size: bytes; valid after host_ubd_open()
 * @limits: valid after host_ubd_open()
 * @format: name of the file's format; valid after host_ubd_open()
 */
struct host_ubd_info {
	const char *file;
	const char *backing;
	const char *serial;
	int flags;
	struct host_ubd_rate rate;
	unsigned long long size;
	struct host_ubd_limits limits;
	const char *format;
};

/**
 * host_ubd_configured() - what is configured for a disk
 * @nr: its number, below HOST_UBD_MAX
 * @info: filled in
 *
 * The strings stay until host_ubd_forget(). Returns 1, or 0 when the disk is
 * not configured.
 */
int host_ubd_configured(int nr, struct host_ubd_info *info);

/**
 * host_ubd_configure() - configure a disk
 * @text: "<n><flags>=<file>[,<backing>[,<serial>]]", as after "ubd"
 * @nr: set to its number
 * @why: on error set to what is wrong, in words that users and programs know
 *
 * Only remembers it; host_ubd_open() opens it. Returns 0, a negative errno, or
 * 1 if @text names no disk.
 */
int host_ubd_configure(const char *text, int *nr, const char **why);

/** host_ubd_forget() - the disk @nr, which must not be open, is not configured any more */
void host_ubd_forget(int nr);

/**
 * host_ubd_number() - the number that a disk's name ends with
 * @text: "3", "0x3" or "d"
 *
 * Returns it, -EINVAL if @text is something else, or -ERANGE if there is no
 * such disk.
 */
int host_ubd_number(const char *text);

/** struct host_ubd_queue - where finished requests gather; one per vCPU */
struct host_ubd_queue {
	struct host_event *event;		/* posted when something was added */
	/* The host half's: */
	struct host_ubd_request *done;		/* finished by threads */
	unsigned int at_threads;		/* how many they have */
	int watched;				/* the vCPU looks at done by itself */
};

/**
 * host_ubd_start() - choose the engine: how requests are performed
 * @queue: where finished requests will gather; @event is set
 * @why: set to why it is not io_uring, or to NULL
 * @err: set to the error number behind @why, or to 0
 *
 * Once, before a disk is opened, on the vCPU whose queue it is. Returns the
 * engine's name.
 */
const char *host_ubd_start(struct host_ubd_queue *queue, const char **why, int *err);

/**
 * host_ubd_open() - open and lock a disk's file
 * @nr: its number
 * @info: @flags on input may gain HOST_UBD_SYNC; @flags, @size and what
 *	follows are set
 * @ubd: set to the open disk
 * @why: on error set to a short text, e.g. "no such file"
 *
 * A file that can't be written is opened read-only. Error -EAGAIN: somebody
 * else holds a lock on it; then @info->size is his process id, or 0 if the
 * host doesn't tell. -EMEDIUMTYPE: it is a COW file, but not a good one. Task
 * context, by one caller at a time; may wait for the host's disk.
 */
int host_ubd_open(int nr, struct host_ubd_info *info, struct host_ubd **ubd,
		  const char **why);

/**
 * host_ubd_log() - what the last host_ubd_open() has to say to the user
 * @level: set to printk's level of the line
 * @line: set to a line, without newline; stays until the next host_ubd_open()
 *
 * Returns 1, or 0 when there are no more. Task context.
 */
int host_ubd_log(int *level, const char **line);

/** host_ubd_close() - no request may be under way. Task context; may wait for the host's disk. */
void host_ubd_close(struct host_ubd *ubd);

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
 * @alone: somebody waits for this request, and no other comes with it
 * @error: result: 0 or a negative errno
 * @nr_segments: how many of @segments are used
 * @offset: byte offset on the disk
 * @len: bytes
 * @next, @done, @private: the host half's
 * @segments: memory to transfer from or to
 */
struct host_ubd_request {
	struct host_ubd *ubd;
	struct host_ubd_queue *queue;
	enum host_ubd_op op;
	unsigned char fua;
	unsigned char keep;
	unsigned char alone;
	int error;
	unsigned int nr_segments;
	unsigned long long offset;
	unsigned long long len;
	struct host_ubd_request *next;
	unsigned long long done;
	void *private[2];
	struct host_ubd_segment segments[HOST_UBD_SEGMENTS];
};

/**
 * host_ubd_submit() - start a request
 *
 * A write that makes a plain image begin like a COW file ends with -EPERM,
 * unless the disk has HOST_UBD_DATA: the image would be opened as one.
 *
 * Waits for the disk only in a write that is @alone, and only if it hardly ever
 * has to. Returns 1 when the request is finished already
 * (its data was in the host's memory): it is not returned through the queue
 * then. Otherwise 0; what was submitted may rest until host_ubd_commit(). Any
 * context but a signal handler, on the vCPU of the request's queue.
 */
int host_ubd_submit(struct host_ubd_request *request);

/**
 * host_ubd_commit() - start what was submitted
 *
 * Context as host_ubd_submit(). Some may be finished when it returns: a look
 * at host_ubd_finished() is worth it.
 */
void host_ubd_commit(struct host_ubd_queue *queue);

/**
 * host_ubd_finished() - take all finished requests of a queue
 *
 * Returns a list linked by @next, oldest first; NULL if there is none. Any
 * context but a signal handler, on the queue's vCPU.
 */
struct host_ubd_request *host_ubd_finished(struct host_ubd_queue *queue);

#endif
