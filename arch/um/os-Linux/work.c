// SPDX-License-Identifier: GPL-2.0
/*
 * A pool of host threads for what may block (disk input and output).
 *
 * It begins with one thread. A thread that takes a work while others wait in
 * the queue and nobody is idle first starts one more, up to MAX_THREADS; so
 * threads are never created on a kernel stack, and a machine that does
 * nothing in parallel has one.
 */
#include <pthread.h>
#include <stddef.h>

#include "work.h"

#define MAX_THREADS	8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct host_work *first;
static struct host_work **last = &first;
static int threads, idle;

void host_work_submit(struct host_work *work)
{
	int wake;

	work->next = NULL;
	pthread_mutex_lock(&lock);
	*last = work;
	last = &work->next;
	wake = idle;
	pthread_mutex_unlock(&lock);
	if (wake)
		pthread_cond_signal(&more);
}

static void *pool_thread(void *unused)
{
	struct host_work *work;
	int grow;

	pthread_setname_np(pthread_self(), "uml-io");
	for (;;) {
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
		grow = first && !idle && threads < MAX_THREADS;
		if (grow)
			threads++;
		pthread_mutex_unlock(&lock);

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

int host_work_init(void)
{
	threads = 1;
	return host_thread_start(pool_thread, NULL);
}
