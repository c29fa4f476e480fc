// SPDX-License-Identifier: GPL-2.0
/*
 * What our memory cgroups allow.
 *
 * A cgroup that reaches its limit gets a process killed by the host, most
 * likely the kernel process. A guest that has less memory than the limit runs
 * out of memory by itself, and its own OOM killer chooses. So the limit is read at
 * start: memory.max, or memory.limit_in_bytes in the first version of cgroups,
 * of our cgroup and of all it is in.
 */
#include <limits.h>

#include "cgroup.h"
#include "internal.h"

#define MIB	(1UL << 20)
/*
 * What a guest costs besides its memory: both kernels' tables about its pages
 * and processes, the image, buffers of host threads.
 */
#define OVERHEAD_MIN	(24 * MIB)
#define OVERHEAD_PART	16

static unsigned long one_limit(const char *folder, int v2)
{
	return cgroup_number(folder, v2 ? "memory.max" : "memory.limit_in_bytes", NULL);
}

unsigned long memory_limit(void)
{
	unsigned long limit = cgroup_least("memory", one_limit), overhead;

	if (limit > LONG_MAX / 2)
		return ULONG_MAX;
	overhead = limit / OVERHEAD_PART;
	if (overhead < OVERHEAD_MIN)
		overhead = OVERHEAD_MIN;
	return limit > overhead ? limit - overhead : 0;
}
