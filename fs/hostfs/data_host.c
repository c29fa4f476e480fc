// SPDX-License-Identifier: GPL-2.0
/* Data of regular files (hostfs_host.h). */
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host.h"

#define VECTORS		64	/* described at a time: 1 KiB of stack */

_Static_assert(sizeof(struct host_hostfs_segment) == sizeof(struct iovec) &&
	       offsetof(struct host_hostfs_segment, base) == offsetof(struct iovec, iov_base) &&
	       offsetof(struct host_hostfs_segment, len) == offsetof(struct iovec, iov_len),
	       "a segment is an iovec");

/*
 * The path descriptor is asked what it is before anything is opened: opening a
 * device or a FIFO of the host could do something. Then exactly that file is
 * opened, through /proc.
 */
int host_hostfs_open(int fd, int how, int flags)
{
	int open_flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct hostfs_proc_path path;
	struct stat st;
	int err;

	err = RETRY(fstat(fd, &st));
	if (err)
		return err;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	hostfs_proc_path(&path, fd);
	/* As a host with other rights than ours would at the first write. */
	if ((flags & HOST_HOSTFS_WRITE) && (st.st_mode & 07777) != hostfs_given_mode(how, st.st_mode)) {
		err = RETRY(chmod(path.text, hostfs_given_mode(how, st.st_mode)));
		/* Not ours: then that host does. */
		if (err && err != -EPERM)
			return err;
	}
	if ((flags & HOST_HOSTFS_READ) && (flags & HOST_HOSTFS_WRITE))
		open_flags |= O_RDWR;
	else if (flags & HOST_HOSTFS_WRITE)
		open_flags |= O_WRONLY;
	if (flags & HOST_HOSTFS_DIRECT)
		open_flags |= O_DIRECT;
	if (flags & HOST_HOSTFS_AT_END)
		open_flags |= O_APPEND;
	return RETRY(open(path.text, open_flags));
}

/* Describe what is left after @skip bytes; returns the number of vectors. */
static int describe(const struct host_hostfs_io *io, unsigned long long skip, struct iovec *iov)
{
	unsigned int i;
	int n = 0;

	for (i = 0; i < io->nr && n < VECTORS; i++) {
		const struct host_hostfs_segment *segment = &io->segments[i];

		if (skip >= segment->len) {
			skip -= segment->len;
			continue;
		}
		iov[n].iov_base = (char *)segment->base + skip;
		iov[n].iov_len = segment->len - skip;
		skip = 0;
		n++;
	}
	return n;
}

long host_hostfs_transfer(struct host_hostfs_io *io)
{
	int flags = (io->sync ? RWF_DSYNC : 0) | (io->cached ? RWF_NOWAIT : 0);
	struct iovec iov[VECTORS];
	unsigned long long done = 0;
	long n;

	io->has_attr = 0;
	io->error = 0;
	while (done < io->len) {
		int nr = describe(io, done, iov);

		if (io->write)
			n = RETRY(pwritev2(io->fd, iov, nr, io->offset + done, flags));
		else
			n = RETRY(preadv2(io->fd, iov, nr, io->offset + done, flags));
		if (n <= 0) {
			/* Nothing written and no reason given: don't try for ever. */
			io->error = n < 0 ? n : io->write ? -EIO : 0;
			break;
		}
		done += n;
	}
	if (io->write && !host_hostfs_stat(io->fd, NULL, io->how, &io->attr))
		io->has_attr = 1;
	return done ? (long)done : io->error;
}

int host_hostfs_sync(int fd, int data_only)
{
	return data_only ? RETRY(fdatasync(fd)) : RETRY(fsync(fd));
}

int host_hostfs_syncfs(int fd)
{
	int dir = host_hostfs_open_dir(fd);
	int err;

	if (dir < 0)
		return dir;
	err = RETRY(syncfs(dir));
	close(dir);
	return err;
}

int host_hostfs_allocate(int fd, int mode, unsigned long long offset, unsigned long long len)
{
	return RETRY(fallocate(fd, mode, offset, len));
}

long long host_hostfs_seek(int fd, long long offset, int whence)
{
	return RETRY(lseek(fd, offset, whence));
}

long host_hostfs_copy(const struct host_hostfs_copy *copy)
{
	struct file_clone_range range = {
		.src_fd = copy->from,
		.src_offset = copy->from_offset,
		.src_length = copy->len,
		.dest_offset = copy->to_offset,
	};
	off64_t from = copy->from_offset, to = copy->to_offset;
	long err;

	if (!copy->clone)
		return RETRY(copy_file_range(copy->from, &from, copy->to, &to, copy->len, 0));
	err = RETRY(ioctl(copy->to, FICLONERANGE, &range));
	return err < 0 ? err : (long)copy->len;
}

void host_hostfs_close(int fd)
{
	close(fd);
}
