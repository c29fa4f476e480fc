// SPDX-License-Identifier: GPL-2.0
/*
 * Bringing a COW file onto the medium such that it is right at any moment.
 *
 * Written data are in the file at once, but the bits that make them part of
 * the disk only in memory, until somebody flushes: then the bits are copied,
 * the data synced, the copy written, the bitmap synced. So the medium never
 * has a bit whose data it may lack, in whatever order the host writes; a
 * power cut takes back what was not flushed, and no more: such sectors are
 * as they were in the backing file. That is what a disk with a write cache
 * promises. Overwriting a sector that has its bit is as safe as on a plain
 * image, and costs the same.
 *
 * After a failed sync of data nobody knows which are lost, and the next sync
 * would succeed: no bit is written from then on, every flush fails. A bitmap
 * that could not be written is written again by the next flush.
 */
#include <errno.h>
#include <unistd.h>

#include "cow.h"
#include "../../os-Linux/disk_file.h"

void cow_lost(struct cow *cow, int err)
{
	__atomic_store_n(&cow->failed, err, __ATOMIC_RELEASE);
}

static int sync_data(struct cow *cow)
{
	int err = fdatasync(cow->fd) < 0 ? -errno : 0;

	if (err)
		cow_lost(cow, err);
	else	/* Somebody else's sync may have been told of it meanwhile. */
		err = __atomic_load_n(&cow->failed, __ATOMIC_ACQUIRE);
	return err;
}

/* The bitmap of an old version need not end with a block. */
static int write_range(struct cow *cow, const struct cow_map_range *range, const char *bytes)
{
	uint64_t len = range->len;

	if (range->offset + len > cow->header.bitmap_len)
		len = cow->header.bitmap_len - range->offset;
	return disk_file_write(cow->fd, bytes, len, cow->header.bitmap_offset + range->offset);
}

/* Everything that was added before; in steps, if it is much. */
static int publish(struct cow *cow)
{
	struct cow_map_range ranges[COW_FLUSH_BLOCKS];
	uint64_t block = 0;
	int i, n, err;

	do {
		const char *bytes = cow->flush_buf;

		n = cow_map_take(&cow->map, &block, cow->flush_buf, ranges, COW_FLUSH_BLOCKS);
		err = sync_data(cow);
		for (i = 0; i < n; i++) {
			if (!err)
				err = write_range(cow, &ranges[i], bytes);
			if (err)
				cow_map_put_back(&cow->map, &ranges[i]);
			bytes += ranges[i].len;
		}
		if (err)
			return err;
	} while (n);
	return 0;
}

int cow_flush(struct cow *cow)
{
	uint64_t ticket = __atomic_load_n(&cow->flush_begun, __ATOMIC_ACQUIRE);
	uint64_t added;
	int err;

	pthread_mutex_lock(&cow->flush_lock);
	/* One that began after us has done our work. */
	if (cow->flush_good > ticket) {
		pthread_mutex_unlock(&cow->flush_lock);
		return 0;
	}
	ticket = cow->flush_begun + 1;
	__atomic_store_n(&cow->flush_begun, ticket, __ATOMIC_RELEASE);
	err = __atomic_load_n(&cow->failed, __ATOMIC_ACQUIRE);
	if (!err) {
		added = cow_map_added(&cow->map);
		err = publish(cow);
	}
	if (!err) {
		__atomic_store_n(&cow->settled, added, __ATOMIC_RELEASE);
		cow->flush_good = ticket;
	}
	pthread_mutex_unlock(&cow->flush_lock);
	return err;
}

int cow_settled(const struct cow *cow)
{
	return !__atomic_load_n(&cow->failed, __ATOMIC_ACQUIRE) &&
	       __atomic_load_n(&cow->settled, __ATOMIC_ACQUIRE) == cow_map_added(&cow->map);
}
