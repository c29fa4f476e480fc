// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting without sleeping, and the futexes for waiting with it.
 *
 * Handing over between two CPUs that watch a word takes a fifth of a
 * microsecond; waking a sleeper takes 7 to 15. So both sides watch for a while
 * before they sleep: not at first, longer when it would have helped last time,
 * not at all after a longer wait. Somebody else might need the CPU: with one
 * CPU nobody spins, nor when the host has more to run than CPUs, as seen in
 * /proc/loadavg every now and then. Time is counted in TSC ticks where something
 * may take long; reading them costs a tenth of a system call, so those who watch
 * count their own loops.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "seccomp.h"

#define NSEC_PER_SEC	1000000000UL
#define WINDOW_MIN	5000
#define WINDOW_MAX	50000
#define CALIBRATE_NS	200000
#define LOAD_PERIOD_NS	50000000
#define PAUSES		1000

static unsigned long ticks_per_us = 1000;
static unsigned int pause_ns = 30;
static unsigned long pause_ticks;	/* of sixteen */
static int nr_cpus = 1;
static int load_fd = -1;
static unsigned long load_next;
static int allowed;

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

#define CGROUP_ROOT	"/sys/fs/cgroup"
#define MANY_CPUS	(1 << 20)

/* A small file as a string; the number of its bytes, or -1. */
static int read_text(const char *path, char *text, int size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	return n;
}

/* CPUs' worth of time that one cgroup grants, or many. */
static int quota_cpus(const char *folder)
{
	char path[512], text[64], *end;
	long quota, period;

	snprintf(path, sizeof(path), "%s/cpu.max", folder);
	if (read_text(path, text, sizeof(text)) <= 0)
		return MANY_CPUS;
	quota = strtol(text, &end, 10);
	if (end == text)
		return MANY_CPUS;	/* "max" */
	period = strtol(end, NULL, 10);
	return period > 0 ? quota / period : 1;
}

/* The least of our cgroup and those it is in. */
static int cgroup_cpus(void)
{
	char text[256], folder[sizeof(CGROUP_ROOT) + sizeof(text)] = CGROUP_ROOT, *line;
	int cpus = MANY_CPUS, one;

	read_text("/proc/self/cgroup", text, sizeof(text));
	line = strstr(text, "0::/");
	if (line) {
		strcpy(folder + strlen(CGROUP_ROOT), line + 3);
		folder[strcspn(folder, "\n")] = 0;
	}
	for (;;) {
		one = quota_cpus(folder);
		if (one < cpus)
			cpus = one;
		if (strlen(folder) <= strlen(CGROUP_ROOT))
			return cpus;
		*strrchr(folder, '/') = 0;
	}
}

void spin_init(void)
{
	cpu_set_t cpus;
	unsigned long ns, ticks, start_ns = monotonic_ns(), start = spin_now();

	do {
		ns = monotonic_ns() - start_ns;
	} while (ns < CALIBRATE_NS);
	ticks = spin_now() - start;
	ticks_per_us = ticks * 1000 / ns;
	if (!ticks_per_us)
		ticks_per_us = 1;

	/* As the loops do it: with a look at the word in between. */
	start = spin_now();
	for (int i = 0; i < PAUSES && !__atomic_load_n(&allowed, __ATOMIC_RELAXED); i++)
		__builtin_ia32_pause();
	ticks = spin_now() - start;
	pause_ticks = ticks * 16 / PAUSES;
	pause_ns = ticks * 1000 / ticks_per_us / PAUSES;
	if (!pause_ns)
		pause_ns = 1;

	nr_cpus = sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : CPU_COUNT(&cpus);
	if (cgroup_cpus() < nr_cpus)
		nr_cpus = cgroup_cpus();
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

int spin_allowed(void)
{
	return allowed;
}

void spin_look(unsigned long now)
{
	cpu_set_t cpus;

	if (now < load_next || nr_cpus < 2)
		return;
	load_next = now + spin_ticks(LOAD_PERIOD_NS);
	/* taskset may have moved us meanwhile. */
	if (!sched_getaffinity(0, sizeof(cpus), &cpus) && CPU_COUNT(&cpus) < 2)
		allowed = 0;
	else
		/* We and a runner that runs are not others. */
		allowed = load_fd < 0 || nr_running() <= nr_cpus;
}

void spin_everywhere(int pid)
{
	cpu_set_t cpus;

	/* Where we may be now, not at the start: see taskset. */
	if (!sched_getaffinity(0, sizeof(cpus), &cpus))
		sched_setaffinity(pid, sizeof(cpus), &cpus);
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
