// SPDX-License-Identifier: GPL-2.0
/* initrd=: a file whose content the kernel half copies into guest memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <host/options.h>
#include <host/process.h>
#include "disk_file.h"
#include "internal.h"

static const char *path;
static int fd = -1;
static long size;

static int parse_initrd(const char *rest)
{
	if (!*rest)
		return host_option_error("names no file, e.g. initrd=initrd.img");
	path = rest;
	return 0;
}

HOST_OPTION(initrd, "initrd=", 0, HOST_OPT_CONSUME, parse_initrd,
	    "initrd=<file>",
	    "Initial ram disk or initramfs, in any format the kernel accepts.");

/* Opened early, so that a typo is reported and not discovered by a panic. */
int host_initrd_init(void)
{
	struct stat st;

	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		host_warn("initrd=%s: %s; booting without it", path,
			  fd < 0 ? strerror(errno) : "not a regular file");
		if (fd >= 0)
			close(fd);
		fd = -1;
		return 0;
	}
	size = st.st_size;
	return 0;
}

long host_initrd_size(void)
{
	return size;
}

long host_initrd_load(void *buf, unsigned long len)
{
	long n = disk_file_read(fd, buf, len, 0);

	close(fd);
	fd = -1;
	return n;
}
