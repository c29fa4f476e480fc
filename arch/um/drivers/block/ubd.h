/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the block device's kernel half share. */
#ifndef __UM_UBD_H
#define __UM_UBD_H

#include <linux/blk-mq.h>
#include "ubd_host.h"

/**
 * struct ubd - a disk
 * @nr: its number
 * @info: what the host half told about it
 * @host: the open file
 * @disk: as the block layer sees it
 * @tags: requests of all its hardware queues
 */
struct ubd {
	int nr;
	struct host_ubd_info info;
	struct host_ubd *host;
	struct gendisk *disk;
	struct blk_mq_tag_set tags;
};

/* ubd_queue.c */

/** ubd_queue_init() - start the engine, say which it is; 0 or a negative errno */
int ubd_queue_init(void);

/** ubd_init_tags() - describe the disk's hardware queues in @ubd->tags */
void ubd_init_tags(struct ubd *ubd);

/** ubd_limits() - what the host asks of requests, for the block layer */
void ubd_limits(const struct ubd *ubd, struct queue_limits *lim);

#endif
