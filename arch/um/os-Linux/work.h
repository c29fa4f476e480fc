/* SPDX-License-Identifier: GPL-2.0 */
/* Host threads for work that may block. Host half only. */
#ifndef __UM_WORK_H
#define __UM_WORK_H

/**
 * struct host_work - something to be done by a host thread
 * @fn: does it; may block; must not call into the kernel half. It owns @work
 *	and may submit or free it again.
 * @next: link, used by the pool
 */
struct host_work {
	void (*fn)(struct host_work *work);
	struct host_work *next;
};

/**
 * host_work_submit() - have the pool do it
 * @work: not submitted already
 *
 * Works are started in the order they were submitted and run in parallel.
 * Never blocks for long; any context but a signal handler.
 */
void host_work_submit(struct host_work *work);

/**
 * host_work_watch - may a thread without work look out for more before it sleeps?
 *
 * Waking it costs more than many a work. For those who submit many in a row to
 * set, and to clear when others need the CPUs (spin_allowed()).
 */
extern int host_work_watch;

/** host_work_init() - start the pool; 0 or a negative errno. Once, at start-up. */
int host_work_init(void);

/**
 * host_thread_start() - start a detached thread with all signals blocked
 * @fn: its function; must not call into the kernel half
 * @arg: its argument
 *
 * Returns 0 or a negative errno. Not on a kernel stack.
 */
int host_thread_start(void *(*fn)(void *), void *arg);

#endif
