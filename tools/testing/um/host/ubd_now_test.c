// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of disk requests that are done on the vCPU's thread
 * (arch/um/drivers/block/ubd_now_host.c), with a host whose answers and clock
 * are made up here. TAP.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include "check.h"
#include "ubd_engine_host.h"

#define MS		1000000ULL
#define UNKNOWN_LEN	(-1)

/* The host: what it answers, what it was asked, and its time. */
static struct {
	int asks_well;			/* its file system knows RWF_NOWAIT for writes */
	int would_wait;			/* and says so */
	int error;			/* of the write itself */
	long takes;			/* bytes that a write takes, or UNKNOWN_LEN: all */
	unsigned long long duration;	/* of a write that may wait */
	unsigned long long now;
	int waiting, asking, reads;	/* writes that may wait; that must not; reads */
} host;

ssize_t __wrap_pwritev2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
	long len = 0;

	for (int i = 0; i < n; i++)
		len += iov[i].iov_len;
	if (flags & RWF_NOWAIT) {
		host.asking++;
		errno = host.asks_well ? EAGAIN : EOPNOTSUPP;
		if (!host.asks_well || host.would_wait)
			return -1;
	} else {
		host.waiting++;
		host.now += host.duration;
	}
	errno = host.error;
	if (host.error)
		return -1;
	return host.takes == UNKNOWN_LEN ? len : host.takes;
}

ssize_t __wrap_preadv2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
	host.reads++;
	errno = EAGAIN;
	return host.would_wait || !(flags & RWF_NOWAIT) ? -1 : (ssize_t)iov->iov_len;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	ts->tv_sec = host.now / (1000 * MS);
	ts->tv_nsec = host.now % (1000 * MS);
	return 0;
}

int ubd_read_cached(const struct host_ubd_request *request, const struct ubd_extent *extents,
		    int n)
{
	return !host.would_wait;
}

static struct host_ubd disk;

static void renew(int asks_well)
{
	memset(&disk, 0, sizeof(disk));
	memset(&host, 0, sizeof(host));
	host.asks_well = asks_well;
	host.takes = UNKNOWN_LEN;
	host.duration = MS / 100;
	host.now = 5000 * MS;
}

static struct host_ubd_request make(enum host_ubd_op op, unsigned long long offset,
				    unsigned long len)
{
	struct host_ubd_request request = {
		.ubd = &disk, .op = op, .alone = 1, .nr_segments = 1, .offset = offset,
		.len = len, .segments[0].len = len,
	};

	return request;
}

static int try(struct host_ubd_request *request, int busy)
{
	struct ubd_extent extent = { .offset = request->offset, .len = request->len };

	request->done = 0;
	return ubd_do_now(request, &extent, 1, busy);
}

/* A plain write of a page. */
static int write_page(void)
{
	struct host_ubd_request request = make(HOST_UBD_WRITE, 8192, 4096);

	return try(&request, 0);
}

static void test_asking(void)
{
	struct host_ubd_request request = make(HOST_UBD_WRITE, 0, 8192);

	renew(1);
	check(write_page() && host.asking == 1 && !host.waiting,
	      "a host that can tell is asked, and nothing waits");
	host.would_wait = 1;
	check(!write_page() && !host.waiting && !disk.cant_ask,
	      "what would wait is left to a thread");
	host.would_wait = 0;
	host.takes = 4096;
	check(!try(&request, 0) && request.done == 4096, "a part that is done is not done again");
	host.error = EIO;
	check(!try(&request, 0) && !request.done, "an error is left to a thread");
	renew(0);
	check(write_page() && write_page() && host.asking == 1 && host.waiting == 2,
	      "a host that can't tell is asked once");
}

static void test_which(void)
{
	struct host_ubd_request request = make(HOST_UBD_WRITE, 0, 4096);

	renew(0);
	check(!try(&request, 1), "not while others are under way");
	request.alone = 0;
	check(!try(&request, 0), "not if others come with it, or nobody waits");
	request.alone = 1;
	request.fua = 1;
	check(!try(&request, 0), "not if it has to be on the medium");
	request.fua = 0;
	disk.flags = HOST_UBD_SYNC;
	check(!try(&request, 0), "not on a disk that is written synchronously");
	disk.flags = HOST_UBD_DIRECT;
	check(!try(&request, 0), "not with O_DIRECT");
	disk.flags = 0;
	request = make(HOST_UBD_WRITE, 512, 4096);
	check(!try(&request, 0), "not at an odd place");
	request = make(HOST_UBD_WRITE, 0, 512);
	check(!try(&request, 0), "not a part of a page");
	request = make(HOST_UBD_WRITE, 0, 132 << 10);
	check(!try(&request, 0) && !host.waiting, "not what is long");
	request = make(HOST_UBD_READ, 512, 1024);
	request.alone = 0;
	check(try(&request, 1) && host.reads == 1, "any read that need not wait");
}

/* Is the next write left to a thread? Time goes on by @ms before. */
static int held_after(unsigned long long ms)
{
	int before = host.waiting;

	host.now += ms * MS;
	write_page();
	return host.waiting == before;
}

static void test_slow(void)
{
	unsigned long long length = 100;
	int good = 1;

	renew(0);
	host.duration = 10 * MS;
	check(write_page(), "a slow write is done");
	check(held_after(0) && held_after(99), "then none waits here for ten times as long");
	check(!held_after(2), "but one is tried again");
	check(held_after(150) && held_after(40), "still slow: none for twice as long");
	check(!held_after(20) && disk.hold.length == 400 * MS, "and so on");
	for (int i = 0; i < 12; i++) {
		unsigned long long left = (disk.hold.until - host.now) / MS;

		length = disk.hold.length / MS;
		good &= left <= length && length <= 30000;
		held_after(left + 1);
	}
	check(good && length == 30000, "twice as long every time, 30 s at most");
	host.duration = MS / 100;
	check(!held_after(30001) && !held_after(0) && !held_after(0), "a fast disk is used at once");
	host.now += 60000 * MS;
	host.duration = 50 * MS;
	check(write_page() && disk.hold.length == 500 * MS, "much later it begins anew");
	host.now += 501 * MS;
	host.duration = 200 * MS;
	check(write_page() && disk.hold.length == 2000 * MS, "the slower, the longer");
}

int main(void)
{
	test_asking();
	test_which();
	test_slow();
	return check_end();
}
