// SPDX-License-Identifier: GPL-2.0
/*
 * Guest physical memory: one sparse file, mapped once into the kernel process
 * right above the image, and parts of it again wherever the kernel half asks
 * for (vmalloc, modules).
 *
 * The file is a memfd unless TMPDIR, TMP or TEMP name a directory: that is
 * how a user chooses the tmpfs (bound to a NUMA node, mounted with huge=
 * ...). A directory that is not on tmpfs is noticed and a memfd taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <host/layout.h>
#include <host/memory.h>
#include <host/options.h>
#include "internal.h"

#define MIB		(1UL << 20)
#define MIN_SIZE	(16 * MIB)
#define DEFAULT_SIZE	(64 * MIB)
#define MAX_SIZE	(1UL << 44)
#define ALIGN_SIZE	(2 * MIB)

#ifndef MFD_EXEC
#define MFD_EXEC	0x0010U
#endif

extern char __executable_start[], _end[];

struct host_memory host_memory = { .give_back = 1 };
static unsigned long mem_size = DEFAULT_SIZE;
static int memory_fd = -1;
static int in_memfd;

int host_memory_fd(void)
{
	return memory_fd;
}

static int parse_mem(const char *rest)
{
	unsigned long long value;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	value = strtoull(rest, &end, 0);
	switch (*end) {
	case 'K': case 'k':
		shift = 10;
		end++;
		break;
	case 'M': case 'm':
		shift = 20;
		end++;
		break;
	case 'G': case 'g':
		shift = 30;
		end++;
		break;
	case 'T': case 't':
		shift = 40;
		end++;
		break;
	}
	if (errno || end == rest || *end || *rest == '-' || value > (~0ULL >> shift))
		return host_option_error("not a size; write bytes or a number with K, M or G, e.g. mem=256M");
	value <<= shift;
	if (value < MIN_SIZE)
		return host_option_error("too little memory to boot; at least mem=16M");
	if (value > MAX_SIZE)
		return host_option_error("more than this kernel can address; at most mem=16T");
	mem_size = value & ~(UM_PAGE_SIZE - 1);
	return 0;
}

HOST_OPTION(mem, "mem=", 0, HOST_OPT_CONSUME, parse_mem,
	    "mem=<size>[K|M|G]",
	    "Memory of the guest, 64M by default. It is used on the host only as far as\n"
	    "the guest uses it, so it may exceed what the host has. In a memory cgroup with\n"
	    "a limit the guest gets less than that: see Documentation/virt/uml/memory.rst.\n"
	    "Example: mem=512M");

static const char *memory_dir(void)
{
	static const char *const names[] = { "TMPDIR", "TMP", "TEMP" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *dir = getenv(names[i]);

		if (dir && *dir)
			return dir;
	}
	return NULL;
}

static int open_in_dir(const char *dir)
{
	char path[4096];
	struct statvfs vfs;
	struct statfs fs;
	int fd;

	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		snprintf(path, sizeof(path), "%s/vm_file-XXXXXX", dir);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0) {
		host_warn("can't create the memory file in %s: %s; set TMPDIR to a writable directory or unset it",
			  dir, strerror(errno));
		return -1;
	}
	if (fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_NOEXEC)) {
		host_warn("%s is mounted noexec, guest programs could not run; set TMPDIR to another directory or unset it",
			  dir);
		close(fd);
		return -1;
	}
	if (fstatfs(fd, &fs) == 0 && fs.f_type != TMPFS_MAGIC)
		host_warn("warning: %s is not on tmpfs; guest memory will be written to its disk", dir);
	return fd;
}

static int open_memory(void)
{
	const char *dir = memory_dir();
	struct statfs fs;
	int fd;

	/*
	 * Only a file system made for memory is worth leaving the memfd for.
	 * hugetlbfs can't map less than a huge page, guest programs need pages.
	 */
	if (dir && !(statfs(dir, &fs) == 0 && fs.f_type != TMPFS_MAGIC &&
		     access(dir, W_OK | X_OK) == 0)) {
		fd = open_in_dir(dir);
	} else {
		if (dir)
			host_warn("%s is not on tmpfs; guest memory is anonymous instead", dir);
		in_memfd = 1;
		fd = memfd_create("um-memory", MFD_CLOEXEC | MFD_EXEC);
		if (fd < 0 && errno == EINVAL)
			fd = memfd_create("um-memory", MFD_CLOEXEC);
		if (fd < 0)
			host_warn("can't create guest memory: %s", strerror(errno));
	}
	return fd;
}

int host_memory_init(void)
{
	unsigned long end = ((unsigned long)_end + ALIGN_SIZE - 1) & ~(ALIGN_SIZE - 1);
	int prot = PROT_READ | PROT_WRITE;
	void *addr = (void *)end;

	/* Nobody else may settle where modules go; failure only means a limit. */
	mmap((void *)UM_MODULES_START, UM_MODULES_END - UM_MODULES_START, PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	host_memory.asked = 0;
	if (mem_size > memory_limit()) {
		host_memory.asked = mem_size;
		mem_size = memory_limit() & ~(ALIGN_SIZE - 1);
		if (mem_size < MIN_SIZE) {
			host_warn("the memory cgroup's limit leaves no %lu MiB for a guest; raise its memory.max",
				  MIN_SIZE / MIB);
			return -1;
		}
	}
	backing_init();
	memory_fd = open_memory();
	if (memory_fd < 0)
		return -1;
	if (ftruncate(memory_fd, mem_size)) {
		host_warn("can't make guest memory %lu MiB large: %s; try a smaller mem=",
			  mem_size / MIB, strerror(errno));
		return -1;
	}
	addr = mmap(addr, mem_size, prot, MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
		    memory_fd, 0);
	if (addr != (void *)end) {
		host_warn("can't map %lu MiB of guest memory at %#lx: %s; try a smaller mem=",
			  mem_size / MIB, end,
			  addr == MAP_FAILED ? strerror(errno) : "address in use");
		return -1;
	}
	huge_memory_init(addr, mem_size, in_memfd);
	madvise(addr, mem_size, MADV_DONTDUMP);
	madvise(addr, mem_size, MADV_DONTFORK);

	host_memory.image_start = UM_IMAGE_START;
	host_memory.image_end = (unsigned long)_end;
	host_memory.ram_start = end;
	host_memory.ram_size = mem_size;
	return 0;
}

static int host_prot(int prot)
{
	return (prot & HOST_PROT_READ ? PROT_READ : 0) |
	       (prot & HOST_PROT_WRITE ? PROT_WRITE : 0) |
	       (prot & HOST_PROT_EXEC ? PROT_EXEC : 0);
}

int host_map_kernel(unsigned long addr, unsigned long len, unsigned long offset, int prot)
{
	void *got = mmap((void *)addr, len, host_prot(prot),
			 MAP_SHARED | MAP_NORESERVE | MAP_FIXED, memory_fd, offset);

	return got == MAP_FAILED ? -errno : 0;
}

int host_unmap_kernel(unsigned long addr, unsigned long len)
{
	return munmap((void *)addr, len) ? -errno : 0;
}

int host_protect_kernel(unsigned long addr, unsigned long len, int prot)
{
	return mprotect((void *)addr, len, host_prot(prot)) ? -errno : 0;
}

void host_free_image(unsigned long addr, unsigned long len)
{
	/* Private pages of the executable: dropped, and a later touch faults. */
	mmap((void *)addr, len, PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}
