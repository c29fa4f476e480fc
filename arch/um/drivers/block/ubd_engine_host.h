/* SPDX-License-Identifier: GPL-2.0 */
/* Between the engine and the ways in which it does things. Host half only. */
#ifndef __UM_UBD_ENGINE_HOST_H
#define __UM_UBD_ENGINE_HOST_H

#include "ubd_format_host.h"

/**
 * ubd_finish() - return a request through its queue
 *
 * From any host thread; @request->error is set.
 */
void ubd_finish(struct host_ubd_request *request);

/**
 * ubd_to_thread() - have a host thread do a request
 * @request: the first @request->done bytes of it are done
 */
void ubd_to_thread(struct host_ubd_request *request);

/**
 * ubd_ring_start() - set up io_uring
 * @queue: its event is posted when something is finished, or NULL to try only
 *
 * On the vCPU whose ring it will be. Returns 0 or a negative errno.
 */
int ubd_ring_start(struct host_ubd_queue *queue);

/**
 * ubd_ring_add() - put a read or write into the ring
 * @request: what to do
 * @extent: where
 *
 * It is started by the next ubd_ring_commit(). On the ring's vCPU. Returns 0,
 * or -EAGAIN if the ring takes no more.
 */
int ubd_ring_add(struct host_ubd_request *request, const struct ubd_extent *extent);

/** ubd_ring_commit() - start what was added, if anything. On the ring's vCPU. */
void ubd_ring_commit(void);

/**
 * ubd_ring_finished() - take what is finished
 *
 * Returns a list, latest first. On the ring's vCPU.
 */
struct host_ubd_request *ubd_ring_finished(void);

#endif
