// SPDX-License-Identifier: GPL-2.0
/*
 * Huge pages of the host under guest memory: huge_memory=yes.
 *
 * Whether a memory file has huge pages is the host's decision: a setting of the
 * machine for a memfd, the mount option huge= for a file on tmpfs. All we can do is
 * ask, and look at what became of it: the first block is provided here, as it
 * will be needed anyway, and should be mapped by one entry then. If not, the guest
 * boots without, and is told why.
 *
 * hugetlbfs is no way: of its files nothing smaller than a huge page can be
 * mapped, and guest processes map single pages.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <host/options.h>
#include "internal.h"

#define BLOCK		(2UL << 20)
#define SETTING		"/sys/kernel/mm/transparent_hugepage/shmem_enabled"

static int wanted;

static int parse_huge_memory(const char *rest)
{
	return host_option_either(rest, "yes", "no", &wanted);
}

HOST_OPTION(huge_memory, "huge_memory=", 0, HOST_OPT_CONSUME, parse_huge_memory,
	    "huge_memory=yes|no",
	    "Ask the host for huge pages (2 MiB) under guest memory; not by default. The\n"
	    "host must allow it, for a memfd in " SETTING ",\n"
	    "for a file that TMPDIR names by the mount option huge= of its tmpfs.\n"
	    "Example: huge_memory=yes");

/* How much of the mapping at @addr is mapped by huge entries, in kB. */
static unsigned long huge_mapped(const void *addr)
{
	static const char field[] = "ShmemPmdMapped:";
	char line[512], start[32];
	unsigned long kb = 0;
	FILE *f = fopen("/proc/self/smaps", "re");
	int ours = 0;

	if (!f)
		return 0;
	snprintf(start, sizeof(start), "%lx-", (unsigned long)addr);
	while (fgets(line, sizeof(line), f)) {
		ours |= !strncmp(line, start, strlen(start));
		if (ours && !strncmp(line, field, strlen(field))) {
			kb = strtoul(line + strlen(field), NULL, 10);
			break;
		}
	}
	fclose(f);
	return kb;
}

void huge_memory_init(void *addr, unsigned long size, int is_memfd)
{
	if (!wanted)
		return;
	if (!madvise(addr, size, MADV_HUGEPAGE) && size >= BLOCK &&
	    !madvise(addr, BLOCK, MADV_POPULATE_WRITE) && huge_mapped(addr))
		return;
	if (is_memfd)
		host_warn("warning: the host gives no huge pages (huge_memory=yes); as root: echo advise > %s",
			  SETTING);
	else
		host_warn("warning: the host gives no huge pages (huge_memory=yes); mount the tmpfs that TMPDIR names with huge=advise");
}
