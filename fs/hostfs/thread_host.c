// SPDX-License-Identifier: GPL-2.0
/*
 * Calls by host threads (hostfs_host.h). They have a pool of their own: a
 * server that doesn't answer must not hold up the disks.
 */
#include <stddef.h>

#include <host/event.h>
#include "../../arch/um/os-Linux/work.h"
#include "host.h"

#define THREADS		16

static struct host_pool pool = { HOST_POOL(pool, "uml-hostfs", THREADS) };

_Static_assert(sizeof(struct host_work) <= sizeof(((struct host_hostfs_request *)0)->private),
	       "private");

static void run(struct host_work *work)
{
	struct host_hostfs_request *request;
	struct host_hostfs_queue *queue;

	request = (void *)((char *)work - offsetof(struct host_hostfs_request, private));
	request->result = request->fn(request->args[0], request->args[1], request->args[2],
				      request->args[3], request->args[4], request->args[5]);
	queue = request->queue;
	request->next = __atomic_load_n(&queue->done, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&queue->done, &request->next, request, 1,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	host_event_post(queue->event);
}

void host_hostfs_start(struct host_hostfs_request *request)
{
	struct host_work *work = (struct host_work *)request->private;

	work->fn = run;
	host_pool_submit(&pool, work);
}

struct host_hostfs_request *host_hostfs_finished(struct host_hostfs_queue *queue)
{
	struct host_hostfs_request *request, *oldest = NULL;

	request = __atomic_exchange_n(&queue->done, NULL, __ATOMIC_ACQUIRE);
	while (request) {
		struct host_hostfs_request *next = request->next;

		request->next = oldest;
		oldest = request;
		request = next;
	}
	return oldest;
}
