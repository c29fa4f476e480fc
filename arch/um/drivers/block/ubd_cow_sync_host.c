// SPDX-License-Identifier: GPL-2.0
/*
 * Writing the bitmaps of COW disks when nobody asks for it.
 *
 * What a guest has written, but not flushed, is in the COW file's data, but not
 * in its bitmap (cow_flush.c). On a plain image such data outlive the end of
 * this process, if not of the host. So that users of COW files lose no more
 * than a moment's work by SIGKILL, and nothing by any other end, the bitmap is
 * written some seconds after it changed, and when the machine ends. A guest
 * that flushes more often, as file systems with a journal do, or one that
 * doesn't write, causes no work here.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <host/process.h>
#include "../../os-Linux/work.h"
#include "ubd_cow_host.h"
#include "ubd_host.h"

#define DELAY_SECONDS	5
#define EXIT_SECONDS	10

static struct cow *disks[HOST_UBD_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* of disks[] */
static int changed;						/* futex: there is work */
static int started;

static void flush_all(void)
{
	int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < HOST_UBD_MAX; i++)
		if (disks[i] && !cow_settled(disks[i]))
			cow_flush(disks[i]);	/* an error comes again at the guest's flush */
	pthread_mutex_unlock(&lock);
}

static void *sync_thread(void *unused)
{
	pthread_setname_np(pthread_self(), "uml-cow");
	for (;;) {
		while (!__atomic_exchange_n(&changed, 0, __ATOMIC_ACQ_REL))
			syscall(SYS_futex, &changed, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
		sleep(DELAY_SECONDS);
		flush_all();
	}
	return NULL;
}

void ubd_cow_sync_soon(void)
{
	if (__atomic_load_n(&changed, __ATOMIC_RELAXED) ||
	    __atomic_exchange_n(&changed, 1, __ATOMIC_ACQ_REL))
		return;
	syscall(SYS_futex, &changed, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void flush_call(struct host_call *call)
{
	flush_all();
}

/* The ending thread may be on a kernel stack, and the host's disk may hang. */
static void at_exit(void)
{
	static struct host_call call = { .fn = flush_call };

	host_work_call(&call, EXIT_SECONDS);
}

static struct host_exit_node exit_node = { .fn = at_exit };

void ubd_cow_sync_add(int nr, struct cow *cow)
{
	pthread_mutex_lock(&lock);
	disks[nr] = cow;
	if (!started) {
		started = 1;
		host_at_exit(&exit_node);
		/* Without the thread there are still flushes and the end. */
		host_thread_start(sync_thread, NULL);
	}
	pthread_mutex_unlock(&lock);
}

void ubd_cow_sync_remove(int nr)
{
	pthread_mutex_lock(&lock);
	disks[nr] = NULL;
	pthread_mutex_unlock(&lock);
}
