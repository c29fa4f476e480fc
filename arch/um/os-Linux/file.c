// SPDX-License-Identifier: GPL-2.0
/* Plain file access for drivers (host/file.h). */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <host/file.h>

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

int host_open(const char *path, int flags)
{
	int o = O_CLOEXEC | O_NOCTTY;

	if ((flags & HOST_OPEN_READ) && (flags & HOST_OPEN_WRITE))
		o |= O_RDWR;
	else if (flags & HOST_OPEN_WRITE)
		o |= O_WRONLY;
	else
		o |= O_RDONLY;
	if (flags & HOST_OPEN_NONBLOCK)
		o |= O_NONBLOCK;
	if (flags & HOST_OPEN_SYNC)
		o |= O_SYNC;
	if (flags & HOST_OPEN_CREATE)
		o |= O_CREAT;

	return result(open(path, o, 0644));
}

void host_close(int fd)
{
	close(fd);
}

long host_read(int fd, void *buf, unsigned long len)
{
	return result(read(fd, buf, len));
}

long host_write(int fd, const void *buf, unsigned long len)
{
	return result(write(fd, buf, len));
}

long host_pread(int fd, void *buf, unsigned long len, unsigned long long offset)
{
	return result(pread(fd, buf, len, offset));
}

long host_pwrite(int fd, const void *buf, unsigned long len, unsigned long long offset)
{
	return result(pwrite(fd, buf, len, offset));
}
