// SPDX-License-Identifier: GPL-2.0
/*
 * Populating guest memory and giving it back: what the kernel half's
 * mm/backing.c and mm/report.c ask the host for.
 *
 * A host that is out of memory does not refuse it but ends a process, most
 * likely us, as we are large. So we stop before: when what the host could
 * still give, its swap included, comes near to nothing. A memory file on a
 * tmpfs of limited size is refused by the tmpfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include <host/event.h>
#include <host/memory.h>
#include <host/options.h>
#include "internal.h"
#include "work.h"

#define MIB		(1UL << 20)
/* A part of the host's memory is left alone, but neither less nor more than this. */
#define RESERVE_PART	128
#define RESERVE_MIN	(16 * MIB)
#define RESERVE_MAX	(64 * MIB)

static int meminfo_fd = -1;

static int parse_free_memory(const char *rest)
{
	return host_option_either(rest, "return", "keep", &host_memory.give_back);
}

HOST_OPTION(free_memory, "free_memory=", 0, HOST_OPT_CONSUME, parse_free_memory,
	    "free_memory=return|keep",
	    "What becomes of memory that the guest has used and freed: it is returned to\n"
	    "the host within seconds (the default), or kept for the next use.\n"
	    "Example: free_memory=keep");

void backing_init(void)
{
	meminfo_fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
}

/* MemAvailable in bytes, or @otherwise. */
static unsigned long mem_available(unsigned long otherwise)
{
	static const char word[] = "MemAvailable:";
	char text[512];
	ssize_t n = pread(meminfo_fd, text, sizeof(text) - 1, 0);
	const char *line;

	if (n <= 0)
		return otherwise;
	text[n] = 0;
	line = strstr(text, word);
	return line ? strtoul(line + strlen(word), NULL, 10) * 1024 : otherwise;
}

static int host_is_short(unsigned long len)
{
	unsigned long reserve, swap, free;
	struct sysinfo info;

	if (sysinfo(&info))
		return 0;
	reserve = info.totalram / RESERVE_PART * info.mem_unit;
	if (reserve < RESERVE_MIN)
		reserve = RESERVE_MIN;
	if (reserve > RESERVE_MAX)
		reserve = RESERVE_MAX;
	reserve += len;

	free = info.freeram * info.mem_unit;
	swap = info.freeswap * info.mem_unit;
	/* What is in the host's page cache can be had, too, but is costlier to know. */
	return free + swap < reserve && mem_available(free) + swap < reserve;
}

int host_memory_populate(unsigned long offset, unsigned long len)
{
	void *addr = (void *)(host_memory.ram_start + offset);
	int ret;

	if (host_is_short(len))
		return -ENOMEM;
	do {
		ret = madvise(addr, len, MADV_POPULATE_WRITE);
	} while (ret && (errno == EINTR || errno == EAGAIN));
	/* Unknown before 5.14: then it is provided when it is touched. */
	return ret && errno != EINVAL ? -errno : 0;
}

_Static_assert(sizeof(struct host_work) <= sizeof(((struct host_memory_release *)0)->private),
	       "private");

static void release_work(struct host_work *work)
{
	struct host_memory_release *release = (void *)((char *)work -
		offsetof(struct host_memory_release, private));

	release->error = 0;
	for (unsigned int i = 0; i < release->nr; i++)
		if (fallocate(host_memory_fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      release->ranges[i].offset, release->ranges[i].len))
			release->error = -errno;
	host_event_post(release->event);
}

void host_memory_release(struct host_memory_release *release)
{
	struct host_work *work = (struct host_work *)release->private;

	work->fn = release_work;
	host_work_submit(work);
}
