// SPDX-License-Identifier: GPL-2.0
/*
 * The host's CPUs that are ours.
 *
 * The thread that runs the kernel half ties itself to one at times. Where it may
 * be is then to be remembered: others are given that, and not what the thread has at
 * the moment. Somebody else may use taskset on us meanwhile, which shows when the
 * thread is no longer tied as it was: that is to be obeyed. It does not show if they
 * choose the very CPU.
 */
#include "cpus.h"

static int pinned = -1;
static cpu_set_t allowed;	/* when we were tied */

int cpus_pinned(void)
{
	return pinned >= 0;
}

/* Still tied as we did it? */
static int is_ours(const cpu_set_t *cpus)
{
	return pinned >= 0 && CPU_COUNT(cpus) == 1 && CPU_ISSET(pinned, cpus);
}

static void current_cpus(cpu_set_t *cpus)
{
	if (sched_getaffinity(0, sizeof(*cpus), cpus))
		CPU_ZERO(cpus);
}

void cpus_allowed(cpu_set_t *cpus)
{
	current_cpus(cpus);
	if (is_ours(cpus))
		*cpus = allowed;
}

void cpus_pin(int cpu)
{
	cpu_set_t cpus;

	cpus_allowed(&allowed);
	if (!CPU_COUNT(&allowed))
		return;
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	pinned = sched_setaffinity(0, sizeof(cpus), &cpus) ? -1 : cpu;
}

void cpus_unpin(void)
{
	cpu_set_t cpus;

	if (pinned < 0)
		return;
	current_cpus(&cpus);
	if (is_ours(&cpus))
		sched_setaffinity(0, sizeof(allowed), &allowed);
	pinned = -1;
}
