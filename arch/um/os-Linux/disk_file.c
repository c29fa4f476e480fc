// SPDX-License-Identifier: GPL-2.0
/* Host files and block devices as disks (disk_file.h). */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_file.h"

int disk_file_open(const char *file, int how)
{
	int fd = open(file, how | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	/* O_NONBLOCK is for FIFOs, which would wait for a peer; disks ignore it. */
	return fd < 0 ? -errno : fd;
}

int disk_file_size(int fd, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISBLK(st.st_mode))
		return ioctl(fd, BLKGETSIZE64, size) < 0 ? -errno : 0;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -ENOTBLK;
	*size = st.st_size;
	return 0;
}

int disk_file_lock(int fd, int write, int *holder)
{
	struct flock lock = {
		.l_type = write ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
	};

	*holder = 0;
	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;

	/* An open file's lock has no owner to name: l_pid is -1. */
	if (!fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK && lock.l_pid > 0)
		*holder = lock.l_pid;
	return -EAGAIN;
}

int64_t disk_file_read(int fd, void *buf, uint64_t len, uint64_t offset)
{
	uint64_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, offset + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += n;
	}
	return done;
}

int disk_file_write(int fd, const void *buf, uint64_t len, uint64_t offset)
{
	uint64_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(fd, (const char *)buf + done, len - done, offset + done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;
		done += n;
	}
	return 0;
}
