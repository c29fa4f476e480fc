// SPDX-License-Identifier: GPL-2.0
/*
 * Copying with holes (sparse_copy.h).
 *
 * Holes of the source are not read, blocks of zeroes are not written: they are
 * left out in a new file, and freed in an old one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "disk_file.h"
#include "sparse_copy.h"

#define BLOCK	4096
#define CHUNK	(1024 * 1024)

static char buf[CHUNK];
static const char zeroes[BLOCK];

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Make a range read as zeroes, which may be long. */
static int put_zeroes(struct sparse_target *target, uint64_t offset, uint64_t len)
{
	int err = 0;

	if (target->empty)
		return 0;
	/* A hole at the end would not make the file longer. */
	while (fallocate(target->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len) < 0) {
		if (errno == EINTR)
			continue;
		for (; len && !err; offset += BLOCK, len -= min(len, BLOCK))
			err = disk_file_write(target->fd, zeroes, min(len, BLOCK), offset);
		return err;
	}
	return 0;
}

/* Length of the part at the front, in blocks of the target, that is or isn't zero. */
static uint64_t alike(const char *p, uint64_t offset, uint64_t len, int *zero)
{
	uint64_t done = 0, n;

	while (done < len) {
		int z;

		n = min(BLOCK - (offset + done) % BLOCK, len - done);
		z = !memcmp(p + done, zeroes, n);
		if (!done)
			*zero = z;
		else if (z != *zero)
			break;
		done += n;
	}
	return done;
}

static int put(struct sparse_target *target, uint64_t offset, const char *p, uint64_t len)
{
	uint64_t n;
	int zero, err;

	for (; len; offset += n, p += n, len -= n) {
		n = alike(p, offset, len, &zero);
		if (zero)
			err = put_zeroes(target, offset, n);
		else
			err = disk_file_write(target->fd, p, n, offset);
		if (err)
			return err;
	}
	return 0;
}

/* How many bytes at @from are surely a hole of @len at most. */
static uint64_t hole(int fd, uint64_t from, uint64_t len)
{
	off_t data;

	if (fd < 0)
		return len;
	data = lseek(fd, from, SEEK_DATA);
	if (data < 0)
		return errno == ENXIO ? len : 0;
	return min(data - from, len);
}

int sparse_copy(struct sparse_target *target, uint64_t offset, int fd, uint64_t from, uint64_t len)
{
	while (len) {
		uint64_t n = hole(fd, from, len);
		int64_t got;
		int err;

		if (n) {
			err = put_zeroes(target, offset, n);
		} else {
			n = min(len, CHUNK);
			got = disk_file_read(fd, buf, n, from);
			if (got < 0)
				return got;
			memset(buf + got, 0, n - got);
			err = put(target, offset, buf, n);
		}
		if (err)
			return err;
		if (target->progress)
			progress_add(target->progress, n);
		offset += n;
		from += n;
		len -= n;
	}
	return 0;
}
