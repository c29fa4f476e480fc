// SPDX-License-Identifier: GPL-2.0
/*
 * Clocks and timers. Two POSIX timers signal the vCPU thread: the clock event,
 * and a short retry that signal.c arms when an interrupt hit the host half.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <host/time.h>
#include "internal.h"

#define NSEC_PER_SEC	1000000000ULL
#define NAG_NS		200000

static timer_t clock_event, nag;

static unsigned long long read_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

unsigned long long host_clock_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

unsigned long long host_realtime_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

static void arm(timer_t timer, unsigned long long ns)
{
	struct itimerspec its = {
		.it_value = { .tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC },
	};

	timer_settime(timer, 0, &its, NULL);
}

void host_timer_oneshot(unsigned long long delta_ns)
{
	arm(clock_event, delta_ns ? delta_ns : 1);
}

void host_timer_stop(void)
{
	arm(clock_event, 0);
}

void host_timer_nag(void)
{
	arm(nag, NAG_NS);
}

static int make_timer(timer_t *timer, int value)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGALRM,
		.sigev_value.sival_int = value,
	};

	event._sigev_un._tid = host_boot_vcpu.host_tid;
	return timer_create(CLOCK_MONOTONIC, &event, timer);
}

int host_time_init(void)
{
	if (make_timer(&clock_event, 0) || make_timer(&nag, 1)) {
		host_warn("can't create a timer: %s", strerror(errno));
		return -1;
	}
	return 0;
}
