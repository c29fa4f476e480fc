// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the pools of host threads (arch/um/os-Linux/work.c), with the sanitizer
 * that finds races. TAP.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "spin.h"
#include "work.h"

#define MAX		8		/* threads of the pool for disks */
#define PATIENCE	2000		/* in 5 ms */

/* What the rest of the host half would give. */

static int refuse_threads;		/* the host has no more */

int host_thread_start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	if (__atomic_load_n(&refuse_threads, __ATOMIC_SEQ_CST))
		return -EAGAIN;
	if (pthread_create(&thread, NULL, fn, arg))
		return -EAGAIN;
	pthread_detach(thread);
	return 0;
}

unsigned long spin_ticks(unsigned int ns)
{
	return ns;
}

unsigned int spin_adapt(unsigned int window, unsigned long ticks)
{
	return 20000;			/* always watch, if it is allowed */
}

/**
 * struct job - a work that waits until it is let go
 * @gate: what it waits for
 */
struct job {
	struct host_work work;
	int *gate;
	int number;
};

static int running, ended, done, order[1024];

static void run_job(struct host_work *work)
{
	struct job *job = (struct job *)work;

	__atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST);
	while (job->gate && !__atomic_load_n(job->gate, __ATOMIC_SEQ_CST))
		usleep(500);
	order[__atomic_fetch_add(&ended, 1, __ATOMIC_SEQ_CST)] = job->number;
	__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
}

static int becomes(const int *what, int value)
{
	for (int i = 0; i < PATIENCE && __atomic_load_n(what, __ATOMIC_SEQ_CST) != value; i++)
		usleep(5000);
	return __atomic_load_n(what, __ATOMIC_SEQ_CST) == value;
}

static void begin(void)
{
	ended = 0;
	done = 0;
}

static struct job jobs[1024];

static void submit(struct host_pool *pool, int first, int n, int *gate)
{
	for (int i = first; i < first + n; i++) {
		jobs[i] = (struct job){ .work.fn = run_job, .gate = gate, .number = i };
		if (pool)
			host_pool_submit(pool, &jobs[i].work);
		else
			host_work_submit(&jobs[i].work);
	}
}

/* Each work finds a thread while the others are stuck, up to the limit. */
static void test_spare(void)
{
	int gate = 0, last = 0, good = 1;

	for (int i = 0; i < MAX; i++) {
		submit(NULL, i, 1, i == MAX - 1 ? &last : &gate);
		good &= becomes(&running, i + 1);
	}
	check(good, "a work that comes while all others are stuck is begun");
	submit(NULL, MAX, 3, NULL);
	usleep(50000);
	check(becomes(&running, MAX) && becomes(&done, 0), "not more at a time than the pool may have threads");
	__atomic_store_n(&last, 1, __ATOMIC_SEQ_CST);
	check(becomes(&done, 4) && order[0] == MAX - 1 && order[1] == MAX && order[3] == MAX + 2,
	      "the first that is free does the rest, in order");
	__atomic_store_n(&gate, 1, __ATOMIC_SEQ_CST);
	check(becomes(&done, MAX + 3) && becomes(&running, 0), "and all end");
}

/* No threads to be had: the pool that has some goes on, a new one borrows one. */
static void test_shortage(void)
{
	static struct host_pool small = { HOST_POOL(small, "small", 2) };
	static struct host_pool other = { HOST_POOL(other, "other", 2) };
	int gate = 0;

	begin();
	submit(&small, 0, 2, &gate);
	check(becomes(&running, 2), "another pool has threads of its own");
	__atomic_store_n(&gate, 1, __ATOMIC_SEQ_CST);
	check(becomes(&done, 2), "and they do its works");

	begin();
	__atomic_store_n(&refuse_threads, 1, __ATOMIC_SEQ_CST);
	submit(&other, 0, 3, NULL);
	check(becomes(&done, 3), "a host without threads: works are done all the same");
	submit(NULL, 3, 20, NULL);
	check(becomes(&done, 23), "those of the first pool, too");
	__atomic_store_n(&refuse_threads, 0, __ATOMIC_SEQ_CST);
}

/* Many, from several sides, with and without watching for them. */
static void *flood(void *first)
{
	submit(NULL, (long)first, 250, NULL);
	return NULL;
}

static void test_flood(void)
{
	int good = 1;

	for (int round = 0; round < 20; round++) {
		pthread_t threads[4];

		__atomic_store_n(&host_work_watch, round & 1, __ATOMIC_SEQ_CST);
		begin();
		for (long i = 0; i < 4; i++)
			pthread_create(&threads[i], NULL, flood, (void *)(i * 250));
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		good &= becomes(&done, 1000) && becomes(&running, 0);
	}
	check(good, "none is lost");
}

static void answer(struct host_call *call)
{
	usleep(1000);
}

static void hang(struct host_call *call)
{
	sleep(1000);
}

static void test_call(void)
{
	static struct host_call stuck = { .fn = hang };
	struct host_call call = { .fn = answer };

	check(!host_work_call(&call, 0) && call.done, "a call is waited for");
	check(host_work_call(&stuck, 1) == -ETIMEDOUT, "but no longer than is allowed");
}

int main(void)
{
	if (host_work_init())
		return 2;
	test_spare();
	test_shortage();
	test_flood();
	test_call();
	return check_end();
}
