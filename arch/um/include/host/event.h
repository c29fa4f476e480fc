/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The event service: one host thread waits (epoll) for host descriptors and
 * turns readiness into UM_IRQ_EVENT on a vCPU.
 *
 * Every watch is one-shot: after it was reported it stays silent until
 * host_event_rearm(). Host threads that finished work for the kernel half
 * report through a watch, too (host_event_post()).
 */
#ifndef __HOST_EVENT_H
#define __HOST_EVENT_H

#define HOST_EVENT_IN		1
#define HOST_EVENT_OUT		4

struct host_event;

/**
 * host_event_create() - make a watch
 * @fd: descriptor to watch, or -1 for one that is only posted by host threads
 * @mask: HOST_EVENT_IN and/or HOST_EVENT_OUT
 * @cookie: returned by host_event_next(); the kernel half's irq number
 *
 * Starts disarmed. A descriptor epoll refuses (a regular file, /dev/null) is
 * taken as always ready. Returns NULL when out of memory. Task context.
 */
struct host_event *host_event_create(int fd, int mask, unsigned long cookie);

/** host_event_rearm() - report the next readiness. Any context. */
void host_event_rearm(struct host_event *event);

/**
 * host_event_destroy() - forget a watch
 *
 * It is never reported again after this returns. Does not close the
 * descriptor. Task context.
 */
void host_event_destroy(struct host_event *event);

/** host_event_post() - report @event now; from any host thread, no signals needed */
void host_event_post(struct host_event *event);

/**
 * host_event_post_here() - host_event_post() without a signal
 *
 * For the vCPU itself, with interrupts off: it looks at what is pending
 * before it does anything else.
 */
void host_event_post_here(struct host_event *event);

/**
 * host_event_next() - take one reported watch
 * @cookie: where to put its cookie
 *
 * Returns 1, or 0 when nothing (more) is ready. Interrupt context.
 */
int host_event_next(unsigned long *cookie);

#endif
