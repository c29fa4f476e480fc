/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the block device's kernel half share. */
#ifndef __UM_UBD_H
#define __UM_UBD_H

#include <linux/blk-mq.h>
#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include "ubd_host.h"

/**
 * struct ubd_bucket - a token bucket
 * @tokens: what is left, below 0 if more was taken
 * @since: time from which on the refill is due, in ns
 */
struct ubd_bucket {
	s64 tokens;
	u64 since;
};

/**
 * struct ubd_limit - rate limits of a disk; ubd_limit.c
 * @lock: protects the rest
 * @active: whether there is a limit; may be read without the lock
 * @rate: the limits
 * @bytes, @requests: the buckets
 * @timer: starts the stopped queues
 */
struct ubd_limit {
	spinlock_t lock;
	bool active;
	struct host_ubd_rate rate;
	struct ubd_bucket bytes;
	struct ubd_bucket requests;
	struct hrtimer timer;
};

/**
 * struct ubd - a disk
 * @nr: its number
 * @info: what the host half told about it
 * @host: the open file
 * @disk: as the block layer sees it
 * @tags: requests of all its hardware queues
 * @limit: rate limits
 * @pdev: its platform device
 * @gone: it is being removed: nobody may open it (under the disk's open_mutex)
 */
struct ubd {
	int nr;
	struct host_ubd_info info;
	struct host_ubd *host;
	struct gendisk *disk;
	struct blk_mq_tag_set tags;
	struct ubd_limit limit;
	struct platform_device *pdev;
	bool gone;
};

/* ubd.c */

/**
 * ubd_plug() - make the disk that is configured
 * @nr: its number
 * @why: on error set to a text for the user
 *
 * What went wrong is in the log, too; the disk is not configured any more.
 * Returns 0 or a negative errno. Task context, by one caller at a time.
 */
int ubd_plug(int nr, const char **why);

/**
 * ubd_unplug() - remove a disk
 * @nr: its number
 *
 * Returns 0, -ENODEV if there is none, or -EBUSY if somebody has it open.
 * Context as ubd_plug().
 */
int ubd_unplug(int nr);

/** ubd_info() - what is known about an open disk, NULL if there is none. Context as ubd_plug(). */
const struct host_ubd_info *ubd_info(int nr);

/* ubd_queue.c */

/** ubd_queue_init() - start the engine, say which it is; 0 or a negative errno */
int ubd_queue_init(void);

/** ubd_init_tags() - describe the disk's hardware queues in @ubd->tags */
void ubd_init_tags(struct ubd *ubd);

/** ubd_limits() - what the host asks of requests, for the block layer */
void ubd_limits(const struct ubd *ubd, struct queue_limits *lim);

/* ubd_limit.c */

/** ubd_limit_init() - begin with the rate of @ubd->info */
void ubd_limit_init(struct ubd *ubd);

/** ubd_limit_exit() - no request may come any more */
void ubd_limit_exit(struct ubd *ubd);

/**
 * ubd_limit_take() - may a request start?
 * @rq: the request
 *
 * Only if @ubd->limit.active. False: the disk's queues have been stopped and
 * will be started when it may; return BLK_STS_RESOURCE.
 */
bool ubd_limit_take(struct ubd *ubd, struct request *rq);

extern const struct attribute_group ubd_limit_group;

#endif
