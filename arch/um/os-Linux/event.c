// SPDX-License-Identifier: GPL-2.0
/*
 * The event service (host/event.h).
 *
 * One thread sleeps on an epoll descriptor. Watches that became ready, and
 * those that host threads or signal handlers post, are pushed on a lock-free
 * stack; then UM_IRQ_EVENT is raised. The vCPU takes the whole stack at once
 * in host_event_next() and hands the watches out in the order they came.
 *
 * Pushing takes no lock, so that a signal handler may do it. The mutex only
 * orders epoll's bookkeeping against destruction, and is never held while
 * waiting: the thread first polls the epoll descriptor without the lock and
 * then collects with it. Signal handlers never take it, so the vCPU can't
 * meet itself there.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <host/event.h>
#include <host/vcpu.h>
#include "cpus.h"
#include "internal.h"
#include "work.h"

#define SLAB_SIZE	65536
#define BATCH		32
#define STACK_SIZE	65536

/**
 * struct host_event - one watch
 * @next: link in the free list, the pushed stack or the ready list
 * @cookie: the kernel half's name for it
 * @fd: our duplicate of the descriptor (one file may have several watches),
 *	or -1
 * @epoll_mask: what to wait for
 * @always: epoll can't watch this file: it is always ready
 * @armed: report the next readiness (under lock)
 * @queued: 1 while in the pushed stack or the ready list
 */
struct host_event {
	struct host_event *next;
	unsigned long cookie;
	int fd;
	unsigned int epoll_mask;
	bool always;
	bool armed;
	int queued;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct host_event *free_list;		/* under lock */
static struct host_event *ready_first;		/* under lock */
static struct host_event **ready_last = &ready_first;
static struct host_event *pushed;		/* atomic */
static int epoll_fd = -1;

/* False if it is queued already. */
static bool push(struct host_event *event)
{
	if (__atomic_exchange_n(&event->queued, 1, __ATOMIC_ACQ_REL))
		return false;

	event->next = __atomic_load_n(&pushed, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&pushed, &event->next, event, true,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return true;
}

void host_event_post(struct host_event *event)
{
	if (push(event))
		host_vcpu_raise(&host_boot_vcpu, UM_IRQ_EVENT);
}

void host_event_post_here(struct host_event *event)
{
	if (push(event))
		__atomic_or_fetch(&host_boot_vcpu.pending, 1u << UM_IRQ_EVENT, __ATOMIC_SEQ_CST);
}

/* Move what was pushed to the end of the ready list, oldest first. */
static void collect_pushed(void)
{
	struct host_event *event = __atomic_exchange_n(&pushed, NULL, __ATOMIC_ACQUIRE);
	struct host_event *oldest = NULL;
	struct host_event **last = ready_last;

	while (event) {
		struct host_event *next = event->next;

		event->next = oldest;
		oldest = event;
		event = next;
	}
	*last = oldest;
	for (event = oldest; event; event = event->next)
		last = &event->next;
	ready_last = last;
}

int host_event_next(unsigned long *cookie)
{
	struct host_event *event;

	pthread_mutex_lock(&lock);
	collect_pushed();
	event = ready_first;
	if (event) {
		ready_first = event->next;
		if (!ready_first)
			ready_last = &ready_first;
		*cookie = event->cookie;
		/* From here on a post queues it again. */
		__atomic_store_n(&event->queued, 0, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&lock);
	return !!event;
}

static struct host_event *alloc_event(void)
{
	struct host_event *event;

	pthread_mutex_lock(&lock);
	if (!free_list) {
		event = mmap(NULL, SLAB_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (event != MAP_FAILED) {
			for (size_t i = 0; i < SLAB_SIZE / sizeof(*event); i++) {
				event[i].next = free_list;
				free_list = &event[i];
			}
		}
	}
	event = free_list;
	if (event)
		free_list = event->next;
	pthread_mutex_unlock(&lock);
	return event;
}

static void free_event(struct host_event *event)
{
	pthread_mutex_lock(&lock);
	event->next = free_list;
	free_list = event;
	pthread_mutex_unlock(&lock);
}

struct host_event *host_event_create(int fd, int mask, unsigned long cookie)
{
	struct host_event *event = alloc_event();
	struct epoll_event ee;

	if (!event)
		return NULL;

	*event = (struct host_event){ .cookie = cookie, .fd = -1 };
	if (fd < 0)
		return event;

	if (mask & HOST_EVENT_IN)
		event->epoll_mask |= EPOLLIN | EPOLLRDHUP;
	if (mask & HOST_EVENT_OUT)
		event->epoll_mask |= EPOLLOUT;

	event->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (event->fd < 0)
		goto fail;

	/*
	 * A one-shot watch for nothing. Even that may report an error or a
	 * hang-up; the thread ignores it because @armed is not set.
	 */
	ee = (struct epoll_event){ .events = EPOLLONESHOT, .data.ptr = event };
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event->fd, &ee) < 0) {
		if (errno != EPERM)
			goto fail;
		event->always = true;
		close(event->fd);
		event->fd = -1;
	}
	return event;

fail:
	if (event->fd >= 0)
		close(event->fd);
	free_event(event);
	return NULL;
}

void host_event_rearm(struct host_event *event)
{
	struct epoll_event ee = {
		.events = event->epoll_mask | EPOLLONESHOT,
		.data.ptr = event,
	};

	if (event->always) {
		host_event_post(event);
		return;
	}
	if (event->fd < 0)
		return;

	pthread_mutex_lock(&lock);
	event->armed = true;
	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, event->fd, &ee);
	pthread_mutex_unlock(&lock);
}

static void forget_queued(struct host_event *event)
{
	struct host_event **link;

	collect_pushed();
	for (link = &ready_first; *link; link = &(*link)->next) {
		if (*link != event)
			continue;
		*link = event->next;
		if (!event->next)
			ready_last = link;
		return;
	}
}

void host_event_destroy(struct host_event *event)
{
	pthread_mutex_lock(&lock);
	if (event->fd >= 0) {
		epoll_ctl(epoll_fd, EPOLL_CTL_DEL, event->fd, NULL);
		close(event->fd);
	}
	forget_queued(event);
	pthread_mutex_unlock(&lock);
	free_event(event);
}

static void report_ready(void)
{
	struct epoll_event ready[BATCH];
	int i, n;

	pthread_mutex_lock(&lock);
	n = epoll_wait(epoll_fd, ready, BATCH, 0);
	for (i = 0; i < n; i++) {
		struct host_event *event = ready[i].data.ptr;

		if (!event->armed)
			continue;
		event->armed = false;
		host_event_post(event);
	}
	pthread_mutex_unlock(&lock);
}

static void *event_thread(void *unused)
{
	struct pollfd pfd = { .fd = epoll_fd, .events = POLLIN };

	pthread_setname_np(pthread_self(), "uml-event");
	for (;;) {
		if (poll(&pfd, 1, -1) > 0)
			report_ready();
	}
	return NULL;
}

int host_thread_start(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	cpu_set_t cpus;
	int err;

	/* A thread inherits masks of its creator: of signals, and of CPUs. */
	sigfillset(&all);
	/* A crash in a helper thread has to be reported, not to be silent. */
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGFPE);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (cpus_pinned()) {
		cpus_allowed(&cpus);
		pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	}
	err = pthread_create(&thread, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

int host_event_init(void)
{
	int err;

	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0) {
		err = -errno;
		fprintf(stderr, "linux: cannot create an epoll descriptor: %s\n", strerror(errno));
		return err;
	}
	err = host_thread_start(event_thread, NULL);
	if (!err)
		err = host_work_init();
	if (err)
		fprintf(stderr, "linux: cannot start a host thread: %s (raise ulimit -u)\n",
			strerror(-err));
	return err;
}
