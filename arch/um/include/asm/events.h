/* SPDX-License-Identifier: GPL-2.0 */
/* Interrupts of drivers: a host descriptor that became ready. */
#ifndef __ASM_UM_EVENTS_H
#define __ASM_UM_EVENTS_H

#include <linux/interrupt.h>
#include <host/event.h>

/**
 * struct um_event_irq - a watched host descriptor and its interrupt
 * @event: the watch
 * @irq: its interrupt number
 * @dev: cookie of the handler
 */
struct um_event_irq {
	struct host_event *event;
	int irq;
	void *dev;
};

/**
 * um_event_request() - call a handler when a host descriptor is ready
 * @e: filled in
 * @fd: descriptor, or -1 for a watch that host threads post
 * @mask: HOST_EVENT_IN and/or HOST_EVENT_OUT
 * @fn: interrupt handler; the watch stays silent until um_event_rearm()
 * @name: for /proc/interrupts
 * @dev: passed to @fn
 *
 * The watch is armed when this returns 0. Task context.
 */
int um_event_request(struct um_event_irq *e, int fd, int mask,
		     irq_handler_t fn, const char *name, void *dev);

/** um_event_rearm() - report the next readiness. Any context. */
void um_event_rearm(struct um_event_irq *e);

/** um_event_free() - undo um_event_request(); does not close the descriptor */
void um_event_free(struct um_event_irq *e);

#endif
