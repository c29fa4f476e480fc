// SPDX-License-Identifier: GPL-2.0
/*
 * A pool of host threads for what may block (disk input and output).
 *
 * It begins with one thread. A thread that takes a work while others wait in
 * the queue and nobody is idle first starts one more, up to MAX_THREADS; so
 * threads are never created on a kernel stack, and a machine that does
 * nothing in parallel has one.
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

#define MAX_THREADS	8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct host_work *first;
static struct host_work **last = &first;
static int threads, idle;
static int watchers;		/* 0 or 1 */
int host_work_watch;

void host_work_submit(struct host_work *work)
{
	int wake;

	work->next = NULL;
	pthread_mutex_lock(&lock);
	*last = work;
	last = &work->next;
	/* Who watches will see it. */
	wake = idle && !__atomic_load_n(&watchers, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&lock);
	if (wake)
		pthread_cond_signal(&more);
}

static void watch(unsigned long end)
{
	int nobody = 0;

	if (!__atomic_compare_exchange_n(&watchers, &nobody, 1, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return;
	while (spin_now() < end && !__atomic_load_n(&first, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&host_work_watch, __ATOMIC_RELAXED))
		__builtin_ia32_pause();
	__atomic_store_n(&watchers, 0, __ATOMIC_SEQ_CST);
}

static void *pool_thread(void *unused)
{
	unsigned int window = 0;
	struct host_work *work;
	unsigned long start;
	int grow, wake;

	pthread_setname_np(pthread_self(), "uml-io");
	for (;;) {
		start = spin_now();
		if (window && __atomic_load_n(&host_work_watch, __ATOMIC_RELAXED))
			watch(start + spin_ticks(window));
		pthread_mutex_lock(&lock);
		while (!first) {
			idle++;
			pthread_cond_wait(&more, &lock);
			idle--;
		}
		work = first;
		first = work->next;
		if (!first)
			last = &first;
		wake = first && idle;
		grow = first && !idle && threads < MAX_THREADS;
		if (grow)
			threads++;
		pthread_mutex_unlock(&lock);
		window = spin_adapt(window, spin_now() - start);

		if (wake)
			pthread_cond_signal(&more);
		if (grow && host_thread_start(pool_thread, NULL)) {
			/* The host is short of threads: go on with those we have. */
			pthread_mutex_lock(&lock);
			threads--;
			pthread_mutex_unlock(&lock);
		}
		work->fn(work);
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

int host_work_init(void)
{
	threads = 1;
	return host_thread_start(pool_thread, NULL);
}
