// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that host threads make. Finished ones raise an interrupt.
 */
#include <linux/interrupt.h>
#include <linux/wait.h>
#include <asm/events.h>
#include "hostfs.h"

static struct host_hostfs_queue queue;
static struct um_event_irq event_irq;
static atomic_t under_way;
static DECLARE_WAIT_QUEUE_HEAD(all_done);

static irqreturn_t calls_irq(int irq, void *dev)
{
	struct host_hostfs_request *host, *next;

	for (host = host_hostfs_finished(&queue); host; host = next) {
		struct hostfs_request *request;

		next = host->next;
		request = container_of(host, struct hostfs_request, host);
		request->done(request);
		if (atomic_dec_and_test(&under_way))
			wake_up(&all_done);
	}
	um_event_rearm(&event_irq);
	return IRQ_HANDLED;
}

void hostfs_start(struct hostfs_request *request)
{
	request->host.queue = &queue;
	atomic_inc(&under_way);
	host_hostfs_start(&request->host);
}

/**
 * struct waiting_call - a call somebody sleeps for
 * @request: the call
 * @returned: it did
 */
struct waiting_call {
	struct hostfs_request request;
	struct completion returned;
};

static void wake_caller(struct hostfs_request *request)
{
	complete(&container_of(request, struct waiting_call, request)->returned);
}

/*
 * Can't be interrupted: the call uses memory of its caller. A host that never
 * answers has tasks in state D, as a hard NFS mount has.
 */
long hostfs_wait_call(bool remote, host_hostfs_fn fn, int nr, ...)
{
	struct waiting_call call = {
		.request.host.fn = fn,
		.request.host.remote = remote,
		.request.done = wake_caller,
	};
	va_list args;
	int i;

	va_start(args, nr);
	for (i = 0; i < nr; i++)
		call.request.host.args[i] = va_arg(args, long);
	va_end(args);
	init_completion(&call.returned);
	hostfs_start(&call.request);
	wait_for_completion(&call.returned);
	return call.request.host.result;
}

int hostfs_calls_init(void)
{
	int err = um_event_request(&event_irq, -1, 0, calls_irq, "hostfs", &queue);

	if (!err)
		queue.event = event_irq.event;
	return err;
}

/* Somebody may still be closing a file. */
void hostfs_calls_exit(void)
{
	wait_event(all_done, !atomic_read(&under_way));
	um_event_free(&event_irq);
}
