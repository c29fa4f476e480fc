// SPDX-License-Identifier: GPL-2.0
/*
 * Disks in host files (ubd_host.h).
 *
 * A read is first tried where it was submitted, with RWF_NOWAIT: what the
 * host has in its page cache needs no thread. Everything else is a work for
 * the pool; finished requests are pushed on their queue's lock-free stack and
 * the queue's event is posted.
 *
 * Files are locked with OFD locks. They conflict with the record locks other
 * kernels take, but belong to our open file: neither closing another
 * descriptor of the same file nor a fork can drop them, and they die with us.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <host/event.h>
#include "../../os-Linux/work.h"
#include "ubd_config_host.h"

/* Longer reads are left to the pool: copying them would hold up the vCPU. */
#define INLINE_MAX	(64 * 1024)

_Static_assert(sizeof(struct host_ubd_segment) == sizeof(struct iovec) &&
	       offsetof(struct host_ubd_segment, base) == offsetof(struct iovec, iov_base) &&
	       offsetof(struct host_ubd_segment, len) == offsetof(struct iovec, iov_len),
	       "a segment is an iovec");
_Static_assert(HOST_UBD_SEGMENTS <= IOV_MAX, "segments");

/**
 * struct host_ubd - an open disk
 * @fd: its file
 */
struct host_ubd {
	int fd;
};

static struct host_ubd disks[HOST_UBD_MAX];

/* The works live in the requests' private part. */
struct request_work {
	struct host_work work;
};

_Static_assert(sizeof(struct request_work) <= sizeof(((struct host_ubd_request *)0)->private),
	       "private");

static int open_file(const char *file, int flags)
{
	int how = O_CLOEXEC | ((flags & HOST_UBD_SYNC) ? O_SYNC : 0);
	struct stat st;
	int fd;

	if (flags & HOST_UBD_READ_ONLY) {
		fd = open(file, O_RDONLY | how);
	} else {
		/* O_EXCL refuses a host disk that the host itself has mounted. */
		if (!(flags & HOST_UBD_SHARED) && !stat(file, &st) && S_ISBLK(st.st_mode))
			how |= O_EXCL;
		fd = open(file, O_RDWR | how);
	}
	return fd < 0 ? -errno : fd;
}

static int lock_file(int fd, int flags, unsigned long long *holder)
{
	struct flock lock = {
		.l_type = (flags & HOST_UBD_READ_ONLY) ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	if (!fcntl(fd, F_OFD_SETLK, &lock))
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return -errno;

	*holder = 0;
	if (!fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK && lock.l_pid > 0)
		*holder = lock.l_pid;
	return -EAGAIN;
}

static int file_size(int fd, unsigned long long *size)
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

/*
 * A COW file must not be used as if it were an image: the first write would
 * destroy it.
 */
static int is_cow(int fd)
{
	char magic[4];

	return pread(fd, magic, 4, 0) == 4 && !memcmp(magic, "OOOM", 4);
}

int host_ubd_open(int nr, struct host_ubd_info *info, struct host_ubd **ubd)
{
	struct host_ubd *disk = &disks[nr];
	int err;

	disk->fd = open_file(info->file, info->flags);
	if (!(info->flags & HOST_UBD_READ_ONLY) &&
	    (disk->fd == -EROFS || disk->fd == -EACCES || disk->fd == -EPERM)) {
		info->flags |= HOST_UBD_READ_ONLY;
		disk->fd = open_file(info->file, info->flags);
	}
	if (disk->fd < 0)
		return disk->fd;

	err = file_size(disk->fd, &info->size);
	if (!err && !(info->flags & HOST_UBD_DATA) && is_cow(disk->fd))
		err = -EMEDIUMTYPE;
	if (!err && !(info->flags & HOST_UBD_SHARED))
		err = lock_file(disk->fd, info->flags, &info->size);
	if (err) {
		close(disk->fd);
		return err;
	}
	*ubd = disk;
	return 0;
}

void host_ubd_close(struct host_ubd *ubd)
{
	close(ubd->fd);
}

/* Zero what a read did not fill, from byte @done on: the file ends there. */
static void zero_tail(struct host_ubd_request *request, unsigned long long done)
{
	unsigned int i;

	for (i = 0; i < request->nr_segments; i++) {
		struct host_ubd_segment *segment = &request->segments[i];

		if (done >= segment->len) {
			done -= segment->len;
			continue;
		}
		memset((char *)segment->base + done, 0, segment->len - done);
		done = 0;
	}
}

/*
 * Transfer from byte @done of the request on. The segments are not changed,
 * so that the part that is left can be described anew after a short transfer.
 * Returns 0 or a negative errno.
 */
static int transfer(struct host_ubd_request *request, unsigned long long done)
{
	int write = request->op == HOST_UBD_WRITE;
	int fd = request->ubd->fd;

	while (done < request->len) {
		struct iovec iov[HOST_UBD_SEGMENTS];
		unsigned long long skip = done;
		unsigned int i;
		int n = 0;
		ssize_t ret;

		for (i = 0; i < request->nr_segments; i++) {
			struct host_ubd_segment *segment = &request->segments[i];

			if (skip >= segment->len) {
				skip -= segment->len;
				continue;
			}
			iov[n].iov_base = (char *)segment->base + skip;
			iov[n].iov_len = segment->len - skip;
			skip = 0;
			n++;
		}
		if (write)
			ret = pwritev2(fd, iov, n, request->offset + done,
				       request->fua ? RWF_DSYNC : 0);
		else
			ret = preadv(fd, iov, n, request->offset + done);

		if (ret > 0) {
			done += ret;
		} else if (ret < 0) {
			if (errno != EINTR)
				return -errno;
		} else if (write) {
			return -EIO;
		} else {
			zero_tail(request, done);
			return 0;
		}
	}
	return 0;
}

static int punch(struct host_ubd_request *request, int mode)
{
	int ret;

	do {
		ret = fallocate(request->ubd->fd, mode | FALLOC_FL_KEEP_SIZE,
				request->offset, request->len);
	} while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return errno == ENOSYS || errno == ENODEV ? -EOPNOTSUPP : -errno;
	if (request->fua && fdatasync(request->ubd->fd) < 0)
		return -errno;
	return 0;
}

static int perform(struct host_ubd_request *request)
{
	switch (request->op) {
	case HOST_UBD_READ:
	case HOST_UBD_WRITE:
		return transfer(request, 0);
	case HOST_UBD_FLUSH:
		return fdatasync(request->ubd->fd) < 0 ? -errno : 0;
	case HOST_UBD_DISCARD:
		return punch(request, FALLOC_FL_PUNCH_HOLE);
	case HOST_UBD_ZERO:
		return punch(request, request->keep ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE);
	}
	return -EOPNOTSUPP;
}

static void finish(struct host_ubd_request *request)
{
	struct host_ubd_queue *queue = request->queue;

	request->next = __atomic_load_n(&queue->done, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&queue->done, &request->next, request, 1,
					    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	host_event_post(queue->event);
}

static void run_work(struct host_work *work)
{
	struct host_ubd_request *request;

	request = (void *)((char *)work - offsetof(struct host_ubd_request, private));
	request->error = perform(request);
	finish(request);
}

/* Returns 1 if the whole read was in the host's page cache. */
static int read_cached(struct host_ubd_request *request)
{
	ssize_t n;

	if (request->op != HOST_UBD_READ || request->len > INLINE_MAX)
		return 0;
	n = preadv2(request->ubd->fd, (const struct iovec *)request->segments,
		    request->nr_segments, request->offset, RWF_NOWAIT);
	if (n < 0 || (unsigned long long)n != request->len)
		return 0;
	request->error = 0;
	return 1;
}

int host_ubd_submit(struct host_ubd_request *request)
{
	struct host_work *work = (struct host_work *)request->private;

	if (read_cached(request))
		return 1;
	work->fn = run_work;
	host_work_submit(work);
	return 0;
}

struct host_ubd_request *host_ubd_finished(struct host_ubd_queue *queue)
{
	struct host_ubd_request *request = __atomic_exchange_n(&queue->done, NULL, __ATOMIC_ACQUIRE);
	struct host_ubd_request *oldest = NULL;

	while (request) {
		struct host_ubd_request *next = request->next;

		request->next = oldest;
		oldest = request;
		request = next;
	}
	return oldest;
}
