// SPDX-License-Identifier: GPL-2.0
/*
 * Pools of host threads for what may block.
 *
 * The thread whose work leaves none without work first starts one more, up to
 * the pool's limit: a work that is submitted while others take long doesn't
 * wait for them. So threads are never created on a kernel stack, and a machine
 * that does nothing in parallel has two in each pool it uses. The first thread
 * of the pool for disks is made at start-up, and makes the first ones of other
 * pools.
 *
 * If it may, one thread at a time that has nothing to do watches for work
 * before it sleeps, as long as that has been of use (spin.h).
 */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "spin.h"
#include "work.h"

int host_work_watch;
static struct host_pool disks = {
	HOST_POOL(disks, "uml-io", 8),
	.may_watch = &host_work_watch,
};

static void start_first(struct host_work *work);

void host_pool_submit(struct host_pool *pool, struct host_work *work)
{
	int wake, start;

	work->next = NULL;
	pthread_mutex_lock(&pool->lock);
	/* Who watches reads the first without the lock. */
	__atomic_store_n(pool->last, work, __ATOMIC_RELAXED);
	pool->last = &work->next;
	/* Who watches will see it. */
	wake = pool->idle && !__atomic_load_n(&pool->watchers, __ATOMIC_SEQ_CST);
	start = !pool->threads;
	if (start)
		pool->threads = 1;
	pthread_mutex_unlock(&pool->lock);
	if (wake)
		pthread_cond_signal(&pool->more);
	if (start) {
		pool->starter.fn = start_first;
		host_work_submit(&pool->starter);
	}
}

void host_work_submit(struct host_work *work)
{
	host_pool_submit(&disks, work);
}

static int may_watch(const struct host_pool *pool)
{
	return pool->may_watch && __atomic_load_n(pool->may_watch, __ATOMIC_RELAXED);
}

static void watch(struct host_pool *pool, unsigned long end)
{
	int nobody = 0;

	if (!__atomic_compare_exchange_n(&pool->watchers, &nobody, 1, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return;
	while (spin_now() < end && !__atomic_load_n(&pool->first, __ATOMIC_RELAXED) &&
	       may_watch(pool))
		__builtin_ia32_pause();
	__atomic_store_n(&pool->watchers, 0, __ATOMIC_SEQ_CST);
}

static void *pool_thread(void *arg)
{
	struct host_pool *pool = arg;
	unsigned int window = 0;
	struct host_work *work;
	unsigned long start;
	int busy, grow, wake;

	pthread_setname_np(pthread_self(), pool->name);
	for (;;) {
		start = spin_now();
		if (window && may_watch(pool))
			watch(pool, start + spin_ticks(window));
		pthread_mutex_lock(&pool->lock);
		while (!pool->first) {
			pool->idle++;
			pthread_cond_wait(&pool->more, &pool->lock);
			pool->idle--;
		}
		work = pool->first;
		__atomic_store_n(&pool->first, work->next, __ATOMIC_RELAXED);
		if (!pool->first)
			pool->last = &pool->first;
		wake = pool->first && pool->idle;
		/* One that was just started is free, too, though not idle yet. */
		busy = __atomic_add_fetch(&pool->busy, 1, __ATOMIC_RELAXED);
		grow = busy == pool->threads && pool->threads < pool->max_threads;
		if (grow)
			pool->threads++;
		pthread_mutex_unlock(&pool->lock);
		window = spin_adapt(window, spin_now() - start);

		if (wake)
			pthread_cond_signal(&pool->more);
		if (grow && host_thread_start(pool_thread, pool)) {
			/* The host is short of threads: go on with those we have. */
			pthread_mutex_lock(&pool->lock);
			pool->threads--;
			pthread_mutex_unlock(&pool->lock);
		}
		work->fn(work);
		/* Not under the lock, which is taken for the next work anyway. */
		__atomic_sub_fetch(&pool->busy, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void run_call(struct host_work *work)
{
	struct host_call *call = (struct host_call *)work;

	call->fn(call);
	__atomic_store_n(&call->done, 1, __ATOMIC_RELEASE);
	/* It may be gone now; waking nobody does no harm. */
	syscall(SYS_futex, &call->done, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

int host_work_call(struct host_call *call, int seconds)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	call->work.fn = run_call;
	host_work_submit(&call->work);
	while (!__atomic_load_n(&call->done, __ATOMIC_ACQUIRE))
		if (syscall(SYS_futex, &call->done, FUTEX_WAIT_BITSET_PRIVATE, 0,
			    seconds ? &end : NULL, NULL, FUTEX_BITSET_MATCH_ANY) < 0 &&
		    errno == ETIMEDOUT)
			return -ETIMEDOUT;
	return 0;
}

/* If the host has no thread for it, the one that asks does its work. */
static void start_first(struct host_work *work)
{
	struct host_pool *pool;

	pool = (struct host_pool *)((char *)work - offsetof(struct host_pool, starter));
	if (host_thread_start(pool_thread, pool))
		pool_thread(pool);
}

int host_work_init(void)
{
	disks.threads = 1;
	return host_thread_start(pool_thread, &disks);
}
