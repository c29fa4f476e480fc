// SPDX-License-Identifier: GPL-2.0
/*
 * Disk requests through io_uring, by its system calls: ./linux needs no
 * library but libc, and the little that liburing would do here is below.
 *
 * The vCPU has a ring. It alone adds to it, enters the host's kernel for it
 * and takes from it, and kernel-half code never interrupts the host half, so
 * nothing here takes a lock.
 *
 * How what is finished makes itself heard depends on what the vCPU does:
 *
 *  - It is idle: it sleeps in io_uring_enter() instead of pause() and takes
 *    what is finished itself (idle_sleep() in ubd_engine_host.c).
 *  - It is not: an eventfd wakes the thread uml-ubd, which posts the queue's
 *    event as any other thread would.
 *
 * The eventfd is switched off while the vCPU is in the ring itself, sleeping
 * or submitting, and left so if nothing is under way afterwards. Finished
 * requests of files may need the vCPU's own thread once more (DEFER_TASKRUN),
 * which therefore looks at both the ring's tail and its flag after it has
 * switched the eventfd on: nothing is missed.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <host/event.h>
#include "../../os-Linux/cpus.h"
#include "../../os-Linux/internal.h"
#include "../../os-Linux/work.h"
#include "ubd_engine_host.h"

#define SQ_SIZE		256
/* More than all disks together can have under way: it never overflows. */
#define CQ_SIZE		16384

/* Added in Linux 6.0 and 6.1; headers may be older than the host. */
#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_TASKRUN_FLAG	(1U << 9)
#define IORING_SETUP_SINGLE_ISSUER	(1U << 12)
#define IORING_SQ_TASKRUN		(1U << 2)
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN	(1U << 13)
#endif

/**
 * struct ring - a vCPU's ring
 * @fd: its descriptor
 * @event_fd: written by the host's kernel when something is finished
 * @queue: the queue whose requests go through it
 * @under_way: submitted and not taken yet
 * @added: added, but not submitted
 * @sqes: the submission entries
 *
 * The other pointers lead into memory shared with the host's kernel.
 */
static struct ring {
	int fd;
	int event_fd;
	struct host_ubd_queue *queue;
	unsigned int under_way;
	unsigned int added;
	struct io_uring_sqe *sqes;
	unsigned int *sq_tail, *sq_flags, *sq_array, sq_mask;
	unsigned int *cq_head, *cq_tail, *cq_flags, cq_mask;
	struct io_uring_cqe *cqes;
} ring;

static int enter(unsigned int submit)
{
	long ret;

	/* Threads that the host makes for a request would be tied for good. */
	if (submit)
		cpus_unpin();
	do {
		ret = syscall(SYS_io_uring_enter, ring.fd, submit, 0, IORING_ENTER_GETEVENTS,
			      NULL, 0);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

/* Also if something has to be done before it can be taken. */
int ubd_ring_anything(void)
{
	return __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE) != *ring.cq_head ||
	       __atomic_load_n(ring.sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_TASKRUN;
}

static void silence(void)
{
	__atomic_store_n(ring.cq_flags, IORING_CQ_EVENTFD_DISABLED, __ATOMIC_RELAXED);
}

int ubd_ring_listen(void)
{
	if (!ring.under_way)
		return 1;
	__atomic_store_n(ring.cq_flags, 0, __ATOMIC_SEQ_CST);
	return !ubd_ring_anything();
}

int ubd_ring_add(struct host_ubd_request *request, const struct ubd_extent *extent)
{
	int write = request->op == HOST_UBD_WRITE;
	struct io_uring_sqe *sqe;
	unsigned int tail, index;

	if (ring.under_way + ring.added >= CQ_SIZE)
		return -EAGAIN;
	if (ring.added == SQ_SIZE)
		ubd_ring_commit();

	tail = *ring.sq_tail;
	index = tail & ring.sq_mask;
	sqe = &ring.sqes[index];
	memset(sqe, 0, sizeof(*sqe));
	sqe->fd = extent->fd;
	sqe->off = extent->offset;
	if (request->nr_segments == 1) {
		sqe->opcode = write ? IORING_OP_WRITE : IORING_OP_READ;
		sqe->addr = (unsigned long)request->segments[0].base;
		sqe->len = request->segments[0].len;
	} else {
		sqe->opcode = write ? IORING_OP_WRITEV : IORING_OP_READV;
		sqe->addr = (unsigned long)request->segments;
		sqe->len = request->nr_segments;
	}
	if (write && request->fua)
		sqe->rw_flags = RWF_DSYNC;
	sqe->user_data = (unsigned long)request;
	ring.sq_array[index] = index;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	ring.added++;
	return 0;
}

/* The host takes no more, it is short of memory: threads do what was added. */
static void take_back(void)
{
	unsigned int tail = *ring.sq_tail - ring.added;

	__atomic_store_n(ring.sq_tail, tail, __ATOMIC_RELEASE);
	while (ring.added) {
		ubd_to_thread((void *)ring.sqes[tail++ & ring.sq_mask].user_data);
		ring.added--;
	}
}

void ubd_ring_commit(void)
{
	int n;

	if (ring.added)
		silence();
	while (ring.added) {
		n = enter(ring.added);
		if (n <= 0) {
			take_back();
			return;
		}
		ring.added -= n;
		ring.under_way += n;
	}
}

/* Returns 1 if @request is finished, with its error set. */
static int completed(struct host_ubd_request *request, int result)
{
	if (result > 0) {
		request->done = result;
		if (request->done == request->len) {
			request->error = ubd_end_write(request);
			return 1;
		}
	} else if (result < 0 && result != -EAGAIN && result != -EINTR) {
		request->error = result;
		ubd_note_lost(request, result);
		return 1;
	}
	/* Cut short, or the end of the file: a thread knows what to do. */
	ubd_to_thread(request);
	return 0;
}

static struct host_ubd_request *take(struct host_ubd_request *list)
{
	unsigned int head, tail;

	if (__atomic_load_n(ring.sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_TASKRUN)
		enter(0);
	head = *ring.cq_head;
	tail = __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE);
	for (; head != tail; head++) {
		const struct io_uring_cqe *cqe = &ring.cqes[head & ring.cq_mask];
		struct host_ubd_request *request = (void *)cqe->user_data;

		ring.under_way--;
		if (completed(request, cqe->res)) {
			request->next = list;
			list = request;
		}
	}
	__atomic_store_n(ring.cq_head, head, __ATOMIC_RELEASE);
	return list;
}

struct host_ubd_request *ubd_ring_finished(void)
{
	struct host_ubd_request *list = NULL;

	ubd_ring_commit();
	do {
		silence();
		list = take(list);
	} while (!ubd_ring_listen());
	return list;
}

int ubd_ring_used(void)
{
	return ring.under_way || ring.added;
}

int ubd_ring_silence(void)
{
	ubd_ring_commit();
	silence();
	return ring.under_way;
}

void ubd_ring_sleep(struct vcpu *vcpu)
{
	host_syscall_pending(vcpu, SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS,
			     0, 0);
}

static void *wake_thread(void *unused)
{
	unsigned long long count;

	for (;;) {
		if (read(ring.event_fd, &count, sizeof(count)) > 0)
			host_event_post(ring.queue->event);
	}
	return NULL;
}

/* Threads can't be made on a kernel stack, but by another thread. */
static struct {
	struct host_work work;
	int result;
} starter;

static void start_thread(struct host_work *work)
{
	int err = host_thread_start(wake_thread, NULL);

	__atomic_store_n(&starter.result, err ? err : 1, __ATOMIC_RELEASE);
}

static int start_wake_thread(void)
{
	int result;

	starter.work.fn = start_thread;
	host_work_submit(&starter.work);
	while (!(result = __atomic_load_n(&starter.result, __ATOMIC_ACQUIRE)))
		sched_yield();
	return result < 0 ? result : 0;
}

static int map_rings(const struct io_uring_params *params)
{
	size_t sq_size = params->sq_off.array + params->sq_entries * sizeof(unsigned int);
	size_t cq_size = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
	int prot = PROT_READ | PROT_WRITE;
	char *base;

	/* One mapping has both since Linux 5.4. */
	if (!(params->features & IORING_FEAT_SINGLE_MMAP))
		return -EOPNOTSUPP;
	base = mmap(NULL, cq_size > sq_size ? cq_size : sq_size, prot, MAP_SHARED | MAP_POPULATE,
		    ring.fd, IORING_OFF_SQ_RING);
	if (base == MAP_FAILED)
		return -errno;
	ring.sqes = mmap(NULL, params->sq_entries * sizeof(*ring.sqes), prot,
			 MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQES);
	if (ring.sqes == MAP_FAILED)
		return -errno;
	ring.sq_tail = (unsigned int *)(base + params->sq_off.tail);
	ring.sq_flags = (unsigned int *)(base + params->sq_off.flags);
	ring.sq_array = (unsigned int *)(base + params->sq_off.array);
	ring.sq_mask = *(unsigned int *)(base + params->sq_off.ring_mask);
	ring.cq_head = (unsigned int *)(base + params->cq_off.head);
	ring.cq_tail = (unsigned int *)(base + params->cq_off.tail);
	ring.cq_flags = (unsigned int *)(base + params->cq_off.flags);
	ring.cq_mask = *(unsigned int *)(base + params->cq_off.ring_mask);
	ring.cqes = (struct io_uring_cqe *)(base + params->cq_off.cqes);
	return 0;
}

static int set_up(struct io_uring_params *params)
{
	static const unsigned int flags[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			IORING_SETUP_TASKRUN_FLAG,
		0,	/* Linux before 6.1 */
	};
	int fd = -1;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags) && fd < 0; i++) {
		*params = (struct io_uring_params){
			.flags = flags[i] | IORING_SETUP_CQSIZE,
			.cq_entries = CQ_SIZE,
		};
		fd = syscall(SYS_io_uring_setup, SQ_SIZE, params);
	}
	return fd < 0 ? -errno : fd;
}

int ubd_ring_start(struct host_ubd_queue *queue)
{
	struct io_uring_params params;
	int err;

	ring.fd = set_up(&params);
	if (ring.fd < 0)
		return ring.fd;
	if (!queue) {
		close(ring.fd);
		return 0;
	}
	ring.queue = queue;
	err = map_rings(&params);
	if (err)
		goto fail;
	err = -EMFILE;
	ring.event_fd = eventfd(0, EFD_CLOEXEC);
	if (ring.event_fd < 0)
		goto fail;
	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_EVENTFD, &ring.event_fd, 1)) {
		err = -errno;
		goto fail;
	}
	err = start_wake_thread();
	if (err)
		goto fail;
	return 0;

fail:
	close(ring.fd);
	return err;
}
