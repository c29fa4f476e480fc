// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting without sleeping, and the futexes for waiting with it.
 *
 * Handing over between two CPUs that watch a word takes a fifth of a
 * microsecond; waking a sleeper takes 7 to 30. So where runners are far (place.c) both
 * sides watch for a while before they sleep: longer when it would have helped last
 * time, not at all after a longer wait. Somebody else might need the CPU: with one
 * CPU nobody spins, nor when the host has more to run than CPUs, as seen twice in a
 * row in /proc/loadavg. Time is counted in TSC ticks where something
 * may take long; reading them costs a tenth of a system call, so those who watch
 * count their own loops.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../cgroup.h"
#include "../../cpus.h"
#include "seccomp.h"

#define NSEC_PER_SEC	1000000000UL
#define WINDOW_MIN	5000
#define WINDOW_MAX	50000
#define CALIBRATE_NS	200000
#define LOAD_PERIOD_NS	50000000
#define PAUSES		500
#define CALIBRATE_RUNS	5

static unsigned long ticks_per_us = 1000;
static unsigned int pause_ns = 30;
static unsigned long pause_ticks;	/* of sixteen */
static int nr_cpus = 1;
static int load_fd = -1;
static unsigned long load_next;
static int allowed;
static int crowded;		/* at the last look */

void futex_wake(unsigned int *word)
{
	host_costs.wakes++;
	/* Both sides of one word may sleep on it for a moment. */
	syscall(SYS_futex, word, FUTEX_WAKE, 2, NULL, NULL, 0);
}

/* Signals don't count: a timer's would keep the time from ever being over. */
int futex_wait(unsigned int *word, unsigned int value, unsigned int ms)
{
	struct timespec end;
	long ret;

	host_costs.sleeps++;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += ms % 1000 * 1000000L;
	if (end.tv_nsec >= (long)NSEC_PER_SEC) {
		end.tv_nsec -= NSEC_PER_SEC;
		end.tv_sec++;
	}
	do {
		ret = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value, &end, NULL,
			      FUTEX_BITSET_MATCH_ANY);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

static unsigned long monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* CPUs' worth of time that one cgroup grants; the first version's -1 is no number. */
static unsigned long quota_cpus(const char *folder, int v2)
{
	unsigned long quota, period = 0;

	if (v2) {
		quota = cgroup_number(folder, "cpu.max", &period);
	} else {
		quota = cgroup_number(folder, "cpu.cfs_quota_us", NULL);
		period = cgroup_number(folder, "cpu.cfs_period_us", NULL);
	}
	return quota == ULONG_MAX || !period ? ULONG_MAX : quota / period;
}

void spin_init(void)
{
	cpu_set_t cpus;
	unsigned long ns, ticks, start_ns = monotonic_ns(), start = spin_now(), granted;

	do {
		ns = monotonic_ns() - start_ns;
	} while (ns < CALIBRATE_NS);
	ticks = spin_now() - start;
	ticks_per_us = ticks * 1000 / ns;
	if (!ticks_per_us)
		ticks_per_us = 1;

	/* As the loops do it: with a look at the word in between. Undisturbed once. */
	pause_ticks = ~0UL;
	for (int run = 0; run < CALIBRATE_RUNS; run++) {
		start = spin_now();
		for (int i = 0; i < PAUSES && !__atomic_load_n(&allowed, __ATOMIC_RELAXED); i++)
			__builtin_ia32_pause();
		ticks = spin_now() - start;
		if (ticks * 16 / PAUSES < pause_ticks)
			pause_ticks = ticks * 16 / PAUSES;
	}
	pause_ns = pause_ticks * 1000 / 16 / ticks_per_us;
	if (!pause_ns)
		pause_ns = 1;

	cpus_allowed(&cpus);
	nr_cpus = CPU_COUNT(&cpus);
	granted = cgroup_least("cpu", quota_cpus);
	if (granted < (unsigned long)nr_cpus)
		nr_cpus = granted;
	load_fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	spin_look(spin_now());
}

/* "0.20 0.18 0.12 1/80 11206": the fourth is how many want to run now. */
static int nr_running(void)
{
	char text[128];
	ssize_t n = pread(load_fd, text, sizeof(text) - 1, 0);
	const char *p = text;

	if (n <= 0)
		return 0;
	text[n] = 0;
	for (int i = 0; i < 3 && p; i++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p ? atoi(p) : 0;
}

int spin_possible(void)
{
	return nr_cpus > 1;
}

int spin_allowed(void)
{
	return allowed;
}

void spin_look(unsigned long now)
{
	int was_crowded = crowded;
	cpu_set_t cpus;

	if (now < load_next || nr_cpus < 2)
		return;
	load_next = now + spin_ticks(LOAD_PERIOD_NS);
	/*
	 * We and a runner that runs are not others. Nor are agents and stubs that come
	 * and go, but those are not there each time.
	 */
	crowded = load_fd >= 0 && nr_running() > nr_cpus;
	allowed = !crowded || !was_crowded;
	/* taskset may have moved us meanwhile. */
	cpus_allowed(&cpus);
	if (CPU_COUNT(&cpus) < 2)
		allowed = 0;
}

unsigned long spin_ticks(unsigned int ns)
{
	return ns * ticks_per_us / 1000;
}

unsigned int spin_pauses(unsigned int ns)
{
	return ns / pause_ns;
}

unsigned long spin_paused(unsigned int pauses)
{
	return pauses * pause_ticks / 16;
}

unsigned int spin_adapt(unsigned int window, unsigned long ticks)
{
	if (ticks > spin_ticks(WINDOW_MAX))
		return 0;
	if (!window)
		return WINDOW_MIN;
	return window * 2 < WINDOW_MAX ? window * 2 : WINDOW_MAX;
}
