// SPDX-License-Identifier: GPL-2.0
/*
 * How requests are performed (ubd_host.h).
 *
 * The disk's format tells where a request lies (ubd_format_host.h). Then
 *
 *  - what the host's page cache can serve is done where it was submitted
 *    (ubd_now_host.c);
 *  - other reads and writes of one plain range go through io_uring
 *    (ubd_uring_host.c) where the host has it, those that come together by one
 *    call of the host;
 *  - all else is work for the thread pool.
 *
 * Data moves directly between the file and guest memory. Requests finished by
 * threads are pushed on their queue's lock-free stack, and whoever pushes the
 * first posts the queue's event.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include <host/event.h>
#include <host/options.h>
#include "../../os-Linux/internal.h"
#include "../../os-Linux/spin.h"
#include "../../os-Linux/work.h"
#include "ubd_engine_host.h"

enum engine { ENGINE_AUTO, ENGINE_URING, ENGINE_THREADS };

static enum engine engine;
static struct host_ubd_queue *vcpu_queue;

/* The works live in the requests' private part. */
struct request_work {
	struct host_work work;
};

_Static_assert(sizeof(struct request_work) <= sizeof(((struct host_ubd_request *)0)->private),
	       "private");

static int is_durable(const struct host_ubd_request *request)
{
	return request->fua || request->ubd->flags & HOST_UBD_SYNC;
}

void ubd_note_lost(const struct host_ubd_request *request, int err)
{
	const struct host_ubd *disk = request->ubd;

	if (!err || !disk->format->lost || request->op == HOST_UBD_READ)
		return;
	if (request->op != HOST_UBD_FLUSH &&
	    (!is_durable(request) || err == -ENOSPC || err == -EDQUOT || err == -EFBIG ||
	     err == -EOPNOTSUPP))
		return;
	disk->format->lost(request->ubd, err);
}

int ubd_end_write(const struct host_ubd_request *request)
{
	const struct ubd_format *format = request->ubd->format;

	return request->op == HOST_UBD_WRITE && format->written ? format->written(request) : 0;
}

static int perform_on(struct host_ubd_request *request, unsigned long long skip,
		      const struct ubd_extent *extent)
{
	int err;

	switch (request->op) {
	case HOST_UBD_READ:
	case HOST_UBD_WRITE:
		return ubd_transfer(request, skip, extent, request->fua);
	case HOST_UBD_FLUSH:
		return ubd_sync(extent->fd);
	case HOST_UBD_DISCARD:
	case HOST_UBD_ZERO:
		err = ubd_punch(request->ubd, extent, request->op, request->keep);
		return err || !is_durable(request) ? err : ubd_sync(extent->fd);
	}
	return -EOPNOTSUPP;
}

/* All of it but the first @request->done bytes. Blocks. */
static int perform(struct host_ubd_request *request)
{
	const struct ubd_format *format = request->ubd->format;
	struct ubd_extent extents[UBD_EXTENTS];
	unsigned long long at = 0;
	int i, n = format->map(request, extents), err = 0;

	if (!n)
		return format->perform(request);
	for (i = 0; i < n && !err; i++) {
		struct ubd_extent *extent = &extents[i];
		unsigned long long end = at + extent->len;

		if (at < request->done) {
			unsigned long long skip = request->done - at;

			if (skip >= extent->len && extent->len) {
				at = end;
				continue;
			}
			extent->offset += skip;
			extent->len -= skip;
			at += skip;
		}
		err = perform_on(request, at, extent);
		ubd_note_lost(request, err);
		at = end;
	}
	return err ? err : ubd_end_write(request);
}

void ubd_finish(struct host_ubd_request *request)
{
	struct host_ubd_queue *queue = request->queue;
	struct host_ubd_request *next = __atomic_load_n(&queue->done, __ATOMIC_RELAXED);

	do {
		request->next = next;
	} while (!__atomic_compare_exchange_n(&queue->done, &next, request, 1,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	/* It is not ours any more. If there were others, somebody has posted. */
	if (!next && !__atomic_load_n(&queue->watched, __ATOMIC_SEQ_CST))
		host_event_post(queue->event);
}

static void run_work(struct host_work *work)
{
	struct host_ubd_request *request;

	request = (void *)((char *)work - offsetof(struct host_ubd_request, private));
	request->error = perform(request);
	ubd_finish(request);
}

void ubd_to_thread(struct host_ubd_request *request)
{
	struct host_work *work = (struct host_work *)request->private;

	work->fn = run_work;
	request->queue->at_threads++;
	host_work_submit(work);
}

/*
 * A single write to the host's page cache takes little longer than to wake
 * somebody for it, and the ring has to: the pool may have a thread that watches.
 */
static int suits_ring(const struct host_ubd_request *request)
{
	return request->op == HOST_UBD_READ || request->ubd->flags & HOST_UBD_DIRECT ||
	       ubd_ring_used() || !host_work_watch;
}

int host_ubd_submit(struct host_ubd_request *request)
{
	struct ubd_extent extents[UBD_EXTENTS];
	int n = 0;

	request->error = 0;
	request->done = 0;
	if (request->op <= HOST_UBD_WRITE)
		n = request->ubd->format->map(request, extents);
	if (n && ubd_do_now(request, extents, n, request->queue->at_threads || ubd_ring_used())) {
		request->error = ubd_end_write(request);
		return 1;
	}
	if (n == 1 && engine == ENGINE_URING && suits_ring(request) && !ubd_ring_add(request, extents))
		return 0;
	ubd_to_thread(request);
	return 0;
}

void host_ubd_commit(struct host_ubd_queue *queue)
{
	if (engine == ENGINE_URING)
		ubd_ring_commit();
}

struct host_ubd_request *host_ubd_finished(struct host_ubd_queue *queue)
{
	struct host_ubd_request *oldest = NULL, *request, *next;

	if (engine == ENGINE_URING)
		oldest = ubd_ring_finished();
	if (!__atomic_load_n(&queue->done, __ATOMIC_RELAXED))
		return oldest;
	request = __atomic_exchange_n(&queue->done, NULL, __ATOMIC_ACQUIRE);
	for (; request; request = next) {
		next = request->next;
		request->next = oldest;
		oldest = request;
		queue->at_threads--;
	}
	return oldest;
}

static int anything(const struct host_ubd_queue *queue)
{
	return __atomic_load_n(&queue->done, __ATOMIC_SEQ_CST) ||
	       (engine == ENGINE_URING && ubd_ring_anything());
}

/* Watch for a while; returns 1 if something came. */
static int spin(const struct vcpu *vcpu, const struct host_ubd_queue *queue, unsigned long end)
{
	while (spin_now() < end) {
		if (anything(queue) || __atomic_load_n(&vcpu->pending, __ATOMIC_RELAXED))
			return 1;
		__builtin_ia32_pause();
	}
	return 0;
}

/*
 * The vCPU has nothing to do (host_idle_sleep). While requests are under way
 * it first watches for their end, if that has been of use: to be woken takes
 * longer than much of what it waits for.
 */
static void idle_sleep(struct vcpu *vcpu)
{
	struct host_ubd_queue *queue = vcpu_queue;
	int ring = engine == ENGINE_URING && ubd_ring_silence();
	static unsigned int window;
	unsigned long start;

	if (!ring && !queue->at_threads) {
		host_work_watch = 0;
		host_syscall_pending(vcpu, SYS_pause, 0, 0, 0, 0, 0, 0);
		return;
	}
	start = spin_now();
	spin_look(start);
	host_work_watch = spin_allowed();
	if (host_work_watch && window) {
		__atomic_store_n(&queue->watched, 1, __ATOMIC_SEQ_CST);
		spin(vcpu, queue, start + spin_ticks(window));
		__atomic_store_n(&queue->watched, 0, __ATOMIC_SEQ_CST);
	}
	if (!anything(queue)) {
		if (ring)
			ubd_ring_sleep(vcpu);
		else
			host_syscall_pending(vcpu, SYS_pause, 0, 0, 0, 0, 0, 0);
	}
	window = spin_adapt(window, spin_now() - start);
	if ((ring && !ubd_ring_listen()) || __atomic_load_n(&queue->done, __ATOMIC_SEQ_CST))
		host_event_post_here(queue->event);
}

const char *host_ubd_start(struct host_ubd_queue *queue, const char **why, int *err)
{
	*why = NULL;
	*err = 0;
	vcpu_queue = queue;
	host_idle_sleep = idle_sleep;
	if (engine != ENGINE_THREADS) {
		*err = -ubd_ring_start(queue);
		if (!*err) {
			engine = ENGINE_URING;
			return "io_uring";
		}
		*why = "the host has no io_uring for us";
	} else {
		*why = "as ubd_engine= says";
	}
	engine = ENGINE_THREADS;
	return "host threads";
}

static int parse_engine(const char *value)
{
	int err;

	if (!strcmp(value, "auto")) {
		engine = ENGINE_AUTO;
	} else if (!strcmp(value, "threads")) {
		engine = ENGINE_THREADS;
	} else if (!strcmp(value, "io_uring")) {
		err = ubd_ring_start(NULL);
		if (err)
			return host_option_error("the host refuses io_uring (%s); use ubd_engine=auto",
						 strerror(-err));
		engine = ENGINE_URING;
	} else {
		return host_option_error("use auto, io_uring or threads");
	}
	return 0;
}

HOST_OPTION(ubd_engine,
	.name = "ubd_engine=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_engine,
	.synopsis = "ubd_engine=auto|io_uring|threads",
	.help = "How disk requests are performed on the host: through io_uring, or by a pool of\n"
		"threads. auto, the default, takes io_uring if the host has it. The boot log\n"
		"says which it is.");
