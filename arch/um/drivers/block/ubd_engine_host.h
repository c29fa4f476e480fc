/* SPDX-License-Identifier: GPL-2.0 */
/* Between the engine and the ways in which it does things. Host half only. */
#ifndef __UM_UBD_ENGINE_HOST_H
#define __UM_UBD_ENGINE_HOST_H

#include "ubd_format_host.h"

struct vcpu;

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
 * ubd_do_now() - do a read or write that need not wait for the disk
 * @request: what to do
 * @extents: where it lies
 * @n: number of @extents
 * @busy: other requests are under way
 *
 * On the vCPU it was submitted on. Returns 1 if it is done, all of it and well.
 * Otherwise 0, with @request->done set to what is done of it.
 */
int ubd_do_now(struct host_ubd_request *request, const struct ubd_extent *extents, int n,
	       int busy);

/**
 * ubd_read_cached() - read what the host has in its page cache
 * @request: the read
 * @extents: where it lies
 * @n: number of @extents
 *
 * Does not wait for the disk, but needs 2 KiB of stack. Returns 1, or 0 if
 * something is missing.
 */
int ubd_read_cached(const struct host_ubd_request *request, const struct ubd_extent *extents,
		    int n);

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

/** ubd_ring_used() - whether a write may do without waking somebody: the ring is in use */
int ubd_ring_used(void);

/**
 * ubd_ring_listen() - what is finished from now on is told by the queue's event
 *
 * Returns 0 if there is something already. On the ring's vCPU.
 */
int ubd_ring_listen(void);

/**
 * ubd_ring_silence() - start what was added; what is finished is not told
 *
 * The vCPU will look itself: ubd_ring_anything(). Returns 0 if nothing is under way.
 */
int ubd_ring_silence(void);

/** ubd_ring_anything() - whether something is finished. On the ring's vCPU. */
int ubd_ring_anything(void);

/** ubd_ring_sleep() - sleep until something is finished or an interrupt is pending */
void ubd_ring_sleep(struct vcpu *vcpu);

/**
 * ubd_ring_finished() - take what is finished
 *
 * Returns a list, latest first. On the ring's vCPU.
 */
struct host_ubd_request *ubd_ring_finished(void);

#endif
