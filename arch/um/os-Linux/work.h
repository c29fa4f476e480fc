/* SPDX-License-Identifier: GPL-2.0 */
/* Host threads for work that may block. Host half only. */
#ifndef __UM_WORK_H
#define __UM_WORK_H

#include <pthread.h>

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
 * struct host_pool - some threads and the works they are to do
 * @name: of its threads, at most 15 characters
 * @max_threads: how many works are done at a time
 * @may_watch: as host_work_watch; NULL: never
 */
struct host_pool {
	const char *name;
	int max_threads;
	const int *may_watch;
	/* private: */
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct host_work *first, **last;
	int threads, idle;
	int busy;		/* goes down without the lock */
	int watchers;		/* 0 or 1 */
	struct host_work starter;
};

/* The first initializers of the pool @pool. */
#define HOST_POOL(pool, pool_name, max)				\
	.name = pool_name,					\
	.max_threads = max,					\
	.lock = PTHREAD_MUTEX_INITIALIZER,			\
	.more = PTHREAD_COND_INITIALIZER,			\
	.last = &(pool).first

/**
 * host_pool_submit() - have a pool do it
 * @pool: which
 * @work: not submitted already
 *
 * Works are started in the order they were submitted and run in parallel.
 * Never blocks for long; any context but a signal handler.
 */
void host_pool_submit(struct host_pool *pool, struct host_work *work);

/** host_work_submit() - have the pool for disks do it */
void host_work_submit(struct host_work *work);

/**
 * host_work_watch - may a thread for disks without work look out for more before it
 * sleeps?
 *
 * Waking it costs more than many a work. For those who submit many in a row to
 * set, and to clear when others need the CPUs (spin_allowed()).
 */
extern int host_work_watch;

/**
 * struct host_call - a function to be called by the pool, while somebody waits
 * @work: for the pool
 * @fn: may block, allocate and use as much stack as it likes; must not call
 *	into the kernel half
 * @done: it has returned
 */
struct host_call {
	struct host_work work;
	void (*fn)(struct host_call *call);
	int done;
};

/**
 * host_work_call() - have the pool call a function, and wait for it
 * @call: @fn is set, the rest 0
 * @seconds: give up after so long, 0: never
 *
 * For what is too much for a kernel stack. Returns 0, or -ETIMEDOUT: @call
 * must stay for ever then. Task context, or when the machine ends; not on a
 * thread of the pool.
 */
int host_work_call(struct host_call *call, int seconds);

/** host_work_init() - start the pool for disks; 0 or a negative errno. Once, at start-up. */
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
