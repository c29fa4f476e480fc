// SPDX-License-Identifier: GPL-2.0
/*
 * Where the bytes of a disk are, and the simple way to read and write them.
 * cow_flush.c has what makes it safe.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cow.h"
#include "../../os-Linux/disk_file.h"

void cow_map_piece(const struct cow *cow, uint64_t offset, uint64_t len, struct cow_piece *piece)
{
	uint64_t first = offset / COW_SECTOR, end = offset + len, n;
	int present;

	n = cow_map_run(&cow->map, first, (end - 1) / COW_SECTOR - first + 1, &present);
	if ((first + n) * COW_SECTOR < end)
		end = (first + n) * COW_SECTOR;

	if (present) {
		piece->fd = cow->fd;
		piece->offset = cow_offset(cow, offset);
	} else if (offset >= cow->backing_size) {
		/* The rest of the last sector, or of a file that became shorter. */
		piece->fd = -1;
		piece->offset = 0;
	} else {
		piece->fd = cow->backing_fd;
		piece->offset = offset;
		if (end > cow->backing_size)
			end = cow->backing_size;
	}
	piece->len = end - offset;
}

int cow_in_place(const struct cow *cow, uint64_t offset, uint64_t len, int durable)
{
	uint64_t first = offset / COW_SECTOR;
	uint64_t count = (offset + len - 1) / COW_SECTOR - first + 1;
	int present;

	if (durable && !cow_settled(cow))
		return 0;
	return cow_map_run(&cow->map, first, count, &present) == count && present;
}

int cow_has_room(const struct cow *cow, uint64_t offset, uint64_t len)
{
	return (offset + len + COW_SECTOR - 1) / COW_SECTOR > cow->header.tracked ? -EIO : 0;
}

int cow_written(struct cow *cow, uint64_t offset, uint64_t len)
{
	if (cow_has_room(cow, offset, len))
		return -EIO;
	cow_map_add(&cow->map, offset / COW_SECTOR, len / COW_SECTOR);
	return 0;
}

int cow_read(const struct cow *cow, void *buf, uint64_t len, uint64_t offset)
{
	char *to = buf;

	while (len) {
		struct cow_piece piece;
		int64_t n = 0;

		cow_map_piece(cow, offset, len, &piece);
		if (piece.fd >= 0)
			n = disk_file_read(piece.fd, to, piece.len, piece.offset);
		if (n < 0)
			return n;
		/* A file that ends early has zeroes there. */
		memset(to + n, 0, piece.len - n);
		to += piece.len;
		offset += piece.len;
		len -= piece.len;
	}
	return 0;
}

int cow_write(struct cow *cow, const void *buf, uint64_t len, uint64_t offset)
{
	int durable = cow->flags & COW_SYNC, in_place = cow_in_place(cow, offset, len, durable);
	int err = cow_has_room(cow, offset, len);

	if (!err)
		err = disk_file_write(cow->fd, buf, len, cow_offset(cow, offset));
	if (!err && !in_place)
		err = cow_written(cow, offset, len);
	if (!err && !in_place && durable)
		err = cow_flush(cow);
	return err;
}

int cow_discard(struct cow *cow, uint64_t len, uint64_t offset)
{
	int err = cow_has_room(cow, offset, len);

	if (err)
		return err;
	while (fallocate(cow->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 cow_offset(cow, offset), len) < 0)
		if (errno != EINTR)
			return errno == ENOSYS || errno == ENODEV ? -EOPNOTSUPP : -errno;
	return cow_written(cow, offset, len);
}
