// SPDX-License-Identifier: GPL-2.0
/*
 * Input and output of disk requests by plain system calls: for host threads,
 * where it may block (ubd_format_host.h), and of what the host has in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ubd_engine_host.h"

_Static_assert(sizeof(struct host_ubd_segment) == sizeof(struct iovec) &&
	       offsetof(struct host_ubd_segment, base) == offsetof(struct iovec, iov_base) &&
	       offsetof(struct host_ubd_segment, len) == offsetof(struct iovec, iov_len),
	       "a segment is an iovec");
_Static_assert(HOST_UBD_SEGMENTS <= IOV_MAX, "segments");

/* The memory of bytes @skip to @skip + @len of a request; the number of pieces. */
static int describe(const struct host_ubd_request *request, unsigned long long skip,
		    unsigned long long len, struct iovec *iov)
{
	unsigned int i;
	int n = 0;

	for (i = 0; i < request->nr_segments && len; i++) {
		const struct host_ubd_segment *segment = &request->segments[i];
		size_t part;

		if (skip >= segment->len) {
			skip -= segment->len;
			continue;
		}
		part = segment->len - skip;
		if (part > len)
			part = len;
		iov[n].iov_base = (char *)segment->base + skip;
		iov[n++].iov_len = part;
		len -= part;
		skip = 0;
	}
	return n;
}

void ubd_zero(const struct host_ubd_request *request, unsigned long long skip,
	      unsigned long long len)
{
	struct iovec iov[HOST_UBD_SEGMENTS];
	int i, n = describe(request, skip, len, iov);

	for (i = 0; i < n; i++)
		memset(iov[i].iov_base, 0, iov[i].iov_len);
}

int ubd_transfer(const struct host_ubd_request *request, unsigned long long skip,
		 const struct ubd_extent *extent, int dsync)
{
	int write = request->op == HOST_UBD_WRITE;
	unsigned long long done = 0;

	while (done < extent->len) {
		struct iovec iov[HOST_UBD_SEGMENTS];
		int n = describe(request, skip + done, extent->len - done, iov);
		off_t offset = extent->offset + done;
		ssize_t ret;

		if (write)
			ret = pwritev2(extent->fd, iov, n, offset, dsync ? RWF_DSYNC : 0);
		else
			ret = preadv(extent->fd, iov, n, offset);

		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0)
			return -errno;
		if (!ret && write)
			return -EIO;
		if (!ret) {
			/* The file ends here. */
			ubd_zero(request, skip + done, extent->len - done);
			return 0;
		}
		done += ret;
	}
	return 0;
}

int ubd_read_cached(const struct host_ubd_request *request, const struct ubd_extent *extents,
		    int n)
{
	struct iovec iov[HOST_UBD_SEGMENTS];
	unsigned long long done = 0;

	for (int i = 0; i < n; i++) {
		int nr = describe(request, done, extents[i].len, iov);

		if (preadv2(extents[i].fd, iov, nr, extents[i].offset, RWF_NOWAIT) !=
		    (ssize_t)extents[i].len)
			return 0;
		done += extents[i].len;
	}
	return 1;
}

static int punch_device(const struct ubd_extent *extent, enum host_ubd_op op)
{
	unsigned long long range[2] = { extent->offset, extent->len };

	return ioctl(extent->fd, op == HOST_UBD_DISCARD ? BLKDISCARD : BLKZEROOUT, range);
}

int ubd_punch(const struct host_ubd *disk, const struct ubd_extent *extent,
	      enum host_ubd_op op, int keep)
{
	int mode = FALLOC_FL_KEEP_SIZE;
	int ret;

	mode |= op == HOST_UBD_ZERO && keep ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE;
	do {
		if (disk->is_device)
			ret = punch_device(extent, op);
		else
			ret = fallocate(extent->fd, mode, extent->offset, extent->len);
	} while (ret < 0 && errno == EINTR);
	if (!ret)
		return 0;
	return errno == ENODEV || errno == ENOTTY ? -EOPNOTSUPP : -errno;
}

int ubd_sync(int fd)
{
	int ret;

	do {
		ret = fdatasync(fd);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : 0;
}
