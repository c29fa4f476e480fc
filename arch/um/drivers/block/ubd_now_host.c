// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that are done where they were submitted, on the vCPU's thread,
 * because the host has or takes the data in its page cache: nothing is faster,
 * and the vCPU could do little else meanwhile.
 *
 * A read can be told not to wait for the disk (RWF_NOWAIT). So can a write by
 * some file systems of the host (xfs, btrfs), but not by all: ext4 refuses. A
 * write of whole pages to the page cache seldom waits, but it may: for the
 * journal, or when the host holds back who has written too much. Then nothing
 * runs on the vCPU. So such a write is only done here if somebody waits for just
 * this one, and nothing else is under way, least of all a flush; and it is
 * timed: after one that took long, the disk's writes go to other threads for ten
 * times as long, and for twice as long as before if that was no cure. So a slow disk
 * stops the vCPU a few times, and seldom from then on, and a fast one never. (That
 * the host had other things to run looks the same, and should not cost much.)
 */
#include <errno.h>
#include <sys/uio.h>
#include <time.h>

#include "ubd_engine_host.h"

/* More would hold up the vCPU for long even where nothing waits. */
#define NOW_MAX		(128 * 1024)
#define PAGE		4096

#define NS_PER_MS	1000000ULL
#define SLOW_NS		(1 * NS_PER_MS)
#define HOLD_TIMES	10
#define HOLD_MAX_NS	(30000 * NS_PER_MS)

static unsigned long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 * NS_PER_MS + ts.tv_nsec;
}

/* Returns 1 if the whole read was in the host's page cache. */
static int read_now(struct host_ubd_request *request, const struct ubd_extent *extents, int n)
{
	if (n > 1)
		return ubd_read_cached(request, extents, n);
	return preadv2(extents->fd, (const struct iovec *)request->segments, request->nr_segments,
		       extents->offset, RWF_NOWAIT) == (ssize_t)request->len;
}

/*
 * Parts of pages that the host does not have would be read first. What has to
 * be on the medium waits for it.
 */
static int is_easy(const struct host_ubd_request *request, const struct ubd_extent *extent)
{
	return request->alone && !request->fua && !(request->ubd->flags & HOST_UBD_SYNC) &&
	       !((extent->offset | request->len) % PAGE);
}

static void note_time(struct ubd_hold *hold, unsigned long long start, unsigned long long end)
{
	unsigned long long length = HOLD_TIMES * (end - start);

	if (end - start < SLOW_NS)
		return;
	/* Soon after the last time? */
	if (start - hold->until < hold->length && length < 2 * hold->length)
		length = 2 * hold->length;
	hold->length = length < HOLD_MAX_NS ? length : HOLD_MAX_NS;
	hold->until = end + hold->length;
}

static ssize_t write_timed(struct host_ubd *disk, const struct host_ubd_request *request,
			   const struct ubd_extent *extent)
{
	const struct iovec *iov = (const struct iovec *)request->segments;
	unsigned long long start = now_ns();
	ssize_t ret;

	if (start < disk->hold.until)
		return 0;
	ret = pwritev2(extent->fd, iov, request->nr_segments, extent->offset, 0);
	note_time(&disk->hold, start, now_ns());
	return ret;
}

static int write_now(struct host_ubd_request *request, const struct ubd_extent *extent)
{
	const struct iovec *iov = (const struct iovec *)request->segments;
	struct host_ubd *disk = request->ubd;
	ssize_t ret = -1;

	if (!disk->cant_ask) {
		ret = pwritev2(extent->fd, iov, request->nr_segments, extent->offset, RWF_NOWAIT);
		disk->cant_ask = ret < 0 && errno == EOPNOTSUPP;
	}
	if (disk->cant_ask)
		ret = write_timed(disk, request, extent);
	/* A thread does the rest, and meets the error if there is one. */
	if (ret > 0)
		request->done = ret;
	return request->done == request->len;
}

int ubd_do_now(struct host_ubd_request *request, const struct ubd_extent *extents, int n,
	       int busy)
{
	/* With O_DIRECT it would wait for the disk. */
	if (request->len > NOW_MAX || request->ubd->flags & HOST_UBD_DIRECT)
		return 0;
	if (request->op == HOST_UBD_READ)
		return read_now(request, extents, n);
	return n == 1 && !busy && is_easy(request, extents) && write_now(request, extents);
}
