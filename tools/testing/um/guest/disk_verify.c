// SPDX-License-Identifier: GPL-2.0
/*
 * Write, zero, discard and read a disk at random places from several threads,
 * and check that every sector has what was put there last.
 *
 *   disk_verify DEVICE SECONDS [THREADS]
 *
 * Each thread has a part of the disk of its own. A sector that was written
 * holds its number and a version in all its words; one that was zeroed or
 * discarded holds zeroes: that is what a hole of a file reads as.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SECTOR		512UL
#define MAX_THREADS	16
#define MAX_LEN		(512 * 1024UL)

struct part {
	pthread_t thread;
	unsigned long start, sectors;	/* in sectors of 512 bytes */
	unsigned int *versions, last;	/* no version comes twice */
	unsigned long state;
	unsigned long operations;
	char *buf;
};

static int fd;
static unsigned long unit;		/* sectors of a logical block */
static time_t end;
static int no_discard, no_poll;

static void fail(const char *what)
{
	fprintf(stderr, "disk_verify: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long rnd(struct part *part, unsigned long limit)
{
	part->state ^= part->state << 13;
	part->state ^= part->state >> 7;
	part->state ^= part->state << 17;
	return part->state % limit;
}

static unsigned long word(unsigned long sector, unsigned int version)
{
	return version ? sector << 32 | version : 0;
}

static void fill(struct part *part, unsigned long first, unsigned long n)
{
	unsigned long *p = (unsigned long *)part->buf;

	for (unsigned long s = first; s < first + n; s++) {
		part->versions[s] = ++part->last;
		for (unsigned long i = 0; i < SECTOR / sizeof(*p); i++)
			*p++ = word(part->start + s, part->versions[s]);
	}
}

static void check(struct part *part, unsigned long first, unsigned long n)
{
	const unsigned long *p = (unsigned long *)part->buf;

	for (unsigned long s = first; s < first + n; s++)
		for (unsigned long i = 0; i < SECTOR / sizeof(*p); i++, p++) {
			unsigned long want = word(part->start + s, part->versions[s]);

			if (*p == want)
				continue;
			printf("disk_verify: sector %lu byte %lu: %#lx instead of %#lx\n",
			       part->start + s, i * sizeof(*p), *p, want);
			exit(1);
		}
}

static void read_part(struct part *part, unsigned long first, unsigned long n, int flags)
{
	struct iovec iov[2] = {
		{ part->buf, n / 2 * SECTOR / 4096 * 4096 },
		{ part->buf + n / 2 * SECTOR / 4096 * 4096, 0 },
	};

	iov[1].iov_len = n * SECTOR - iov[0].iov_len;
	if (preadv2(fd, iov, 2, (part->start + first) * SECTOR, flags) != (ssize_t)(n * SECTOR)) {
		if (!flags || errno != EOPNOTSUPP)
			fail("read");
		no_poll = 1;
		return;
	}
	check(part, first, n);
}

static void zero(struct part *part, unsigned long first, unsigned long n, unsigned long how)
{
	unsigned long long range[2] = { (part->start + first) * SECTOR, n * SECTOR };

	if (ioctl(fd, how, range)) {
		if (how != BLKDISCARD || errno != EOPNOTSUPP)
			fail("BLKZEROOUT or BLKDISCARD");
		no_discard = 1;
		return;
	}
	memset(part->versions + first, 0, n * sizeof(*part->versions));
}

static void step(struct part *part)
{
	unsigned long max = rnd(part, 4) ? 32 : MAX_LEN / SECTOR;
	unsigned long n = (rnd(part, max) / unit + 1) * unit;
	unsigned long first;

	if (n > part->sectors)
		n = part->sectors;
	first = rnd(part, (part->sectors - n) / unit + 1) * unit;
	switch (rnd(part, 16)) {
	case 0:
		zero(part, first, n, BLKZEROOUT);
		break;
	case 1:
		if (!no_discard)
			zero(part, first, n, BLKDISCARD);
		break;
	case 2:
		if (fdatasync(fd))
			fail("fdatasync");
		break;
	case 3:
		if (!no_poll)
			read_part(part, first, n, RWF_HIPRI);
		break;
	case 4: case 5: case 6: case 7: case 8:
		read_part(part, first, n, 0);
		break;
	default:
		fill(part, first, n);
		if (pwritev2(fd, &(struct iovec){ part->buf, n * SECTOR }, 1,
			     (part->start + first) * SECTOR,
			     rnd(part, 8) ? 0 : RWF_DSYNC) != (ssize_t)(n * SECTOR))
			fail("write");
	}
	part->operations++;
}

static void *run(void *arg)
{
	struct part *part = arg;
	unsigned long s, n;

	/* A known beginning. */
	zero(part, 0, part->sectors, BLKZEROOUT);
	while (time(NULL) < end)
		step(part);
	for (s = 0; s < part->sectors; s += n) {
		n = part->sectors - s;
		if (n > MAX_LEN / SECTOR)
			n = MAX_LEN / SECTOR;
		read_part(part, s, n, 0);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct part parts[MAX_THREADS];
	int threads = argc > 3 ? atoi(argv[3]) : 4;
	unsigned long size, total = 0;
	int block;

	if (argc < 3 || threads < 1 || threads > MAX_THREADS) {
		fputs("usage: disk_verify DEVICE SECONDS [THREADS]\n", stderr);
		return 1;
	}
	fd = open(argv[1], O_RDWR | O_DIRECT);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) || ioctl(fd, BLKSSZGET, &block))
		fail(argv[1]);
	unit = block / SECTOR;
	end = time(NULL) + atoi(argv[2]);
	for (int i = 0; i < threads; i++) {
		struct part *part = &parts[i];

		part->sectors = size / SECTOR / threads / unit * unit;
		part->start = i * part->sectors;
		part->versions = calloc(part->sectors, sizeof(*part->versions));
		part->buf = aligned_alloc(4096, MAX_LEN);
		part->state = 88172645463325252UL + i;
		if (!part->versions || !part->buf || pthread_create(&part->thread, NULL, run, part))
			fail("thread");
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(parts[i].thread, NULL);
		total += parts[i].operations;
	}
	if (fsync(fd))
		fail("fsync");
	printf("disk_verify: %lu operations, discard %s, poll %s\n", total,
	       no_discard ? "no" : "yes", no_poll ? "no" : "yes");
	return 0;
}
