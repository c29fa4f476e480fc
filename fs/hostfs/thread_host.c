// SPDX-License-Identifier: GPL-2.0
/*
 * Calls by host threads (hostfs_host.h). They have pools of their own: a server that
 * doesn't answer must hold up neither the disks nor the files that are local ones.
 */
#include <stddef.h>

#include <host/event.h>
#include "../../arch/um/os-Linux/work.h"
#include "host.h"

#define LOCAL_THREADS	16
#define REMOTE_THREADS	64

static struct host_pool local_pool = { HOST_POOL(local_pool, "uml-hostfs", LOCAL_THREADS) };
static struct host_pool remote_pool = { HOST_POOL(remote_pool, "uml-hostfs-far", REMOTE_THREADS) };

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
	host_pool_submit(request->remote ? &remote_pool : &local_pool, work);
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
