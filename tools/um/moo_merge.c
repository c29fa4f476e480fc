// SPDX-License-Identifier: GPL-2.0
/*
 * Merging a COW file with its backing file.
 *
 * A new image is made without a name and gets it when it is complete. Merging
 * in place can't be undone: room for all that will be written is made first,
 * so that a full disk is noticed while the backing file is still what it was.
 * If it is interrupted later, it can be run again: the COW file still has
 * everything.
 *
 * The last sector of a disk may be cut off in the backing file. A guest can
 * write all of it, so the image gets longer if there is something in the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_file.h"
#include "moo.h"
#include "new_file.h"
#include "sparse_copy.h"
#include "tool.h"

/* What lies behind the size in the last sector: bytes up to the last that isn't zero. */
static int tail_length(const struct cow *cow, uint64_t *len)
{
	const struct cow_header *h = &cow->header;
	uint64_t rest = h->sectors * COW_SECTOR - h->size;
	unsigned char buf[COW_SECTOR];
	int err;

	*len = 0;
	if (!rest)
		return 0;
	err = cow_read(cow, buf, rest, h->size);
	while (!err && rest && !buf[rest - 1])
		rest--;
	if (rest)
		*len = h->sectors * COW_SECTOR - h->size;
	return err;
}

int moo_check_disk(const struct cow *cow)
{
	char sector[COW_SECTOR];
	int err = cow_read(cow, sector, sizeof(sector), 0);

	if (err || !cow_header_probe(sector, sizeof(sector)))
		return err;
	tool_error("The disk begins like a COW file; an image of it would be opened as one, which nobody should do");
	return -EPERM;
}

int moo_copy_disk(const struct cow *cow, int fd, int empty, uint64_t *size)
{
	struct sparse_target target = { .fd = fd, .empty = empty };
	struct progress progress;
	struct cow_piece piece;
	uint64_t at, tail;
	int err;

	err = moo_check_disk(cow);
	if (!err)
		err = tail_length(cow, &tail);
	if (err)
		return err;
	*size = cow->header.size + tail;
	progress_start(&progress, "merging", *size);
	target.progress = &progress;
	for (at = 0; at < *size && !err; at += piece.len) {
		cow_map_piece(cow, at, *size - at, &piece);
		err = sparse_copy(&target, at, piece.fd, piece.offset, piece.len);
	}
	progress_end(&progress);
	return err;
}

int moo_check_free(const char *path)
{
	int fd = disk_file_open(path, O_RDWR), err;

	/* Who may not write to it may replace it all the same. */
	if (fd == -EACCES || fd == -ETXTBSY)
		fd = disk_file_open(path, O_RDONLY);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = fcntl(fd, F_GETFL);
	err = cow_lock(fd, path, err >= 0 && (err & O_ACCMODE) == O_RDWR, &tool_report);
	close(fd);
	return err;
}

static int new_image(const struct cow *cow, const char *path)
{
	struct new_file file;
	uint64_t size;
	int err;

	err = moo_check_free(path);
	if (!err)
		err = new_file_open(&file, path);
	if (!err) {
		err = moo_copy_disk(cow, file.fd, 1, &size);
		if (!err && ftruncate(file.fd, size) < 0)
			err = -errno;
		if (err)
			new_file_drop(&file);
		else
			err = new_file_finish(&file, 1);
	}
	return err;
}

/* A block device has no room to make, and no name to give. */
static int to_device(const struct cow *cow, const char *path)
{
	int fd = disk_file_open(path, O_RDWR | O_EXCL), err;
	uint64_t room, size;

	if (fd < 0)
		return fd;
	err = disk_file_size(fd, &room);
	if (!err && room < cow->header.sectors * COW_SECTOR)
		err = -ENOSPC;
	if (!err)
		err = moo_copy_disk(cow, fd, 0, &size);
	if (!err && fsync(fd) < 0)
		err = -errno;
	close(fd);
	return err;
}

int moo_new(const char *cow_path, const char *backing, const char *target, int flags)
{
	struct stat st;
	struct cow *cow;
	int err;

	if (cow_open(cow_path, backing, flags | COW_READ_ONLY | COW_OVERRIDE, &tool_report, &cow))
		return 1;
	err = stat(target, &st);
	if (!err && (tool_same_file(target, cow_path) || tool_same_file(target, cow->backing)))
		err = tool_error("\"%s\" is what is to be read; give another name, or -d to change the backing file",
				 target);
	else if (!err && S_ISDIR(st.st_mode))
		err = tool_error("\"%s\" is a folder", target);
	else if (!err && S_ISBLK(st.st_mode))
		err = to_device(cow, target);
	else if (!err && !S_ISREG(st.st_mode))
		err = tool_error("\"%s\" is neither a file nor a block device", target);
	else
		err = new_image(cow, target);
	if (err < 0)
		tool_error("Can't make \"%s\": %s", target, strerror(-err));
	cow_close(cow);
	return err ? 1 : 0;
}

/* Calls @fn for each piece of the disk, cut at @size, that is in the COW file. */
static int walk_own(const struct cow *cow, uint64_t size, struct sparse_target *target,
			int (*fn)(struct sparse_target *target, uint64_t at,
				  const struct cow_piece *piece))
{
	struct cow_piece piece;
	uint64_t at;
	int err = 0;

	for (at = 0; at < size && !err; at += piece.len) {
		cow_map_piece(cow, at, size - at, &piece);
		if (piece.fd == cow->fd)
			err = fn(target, at, &piece);
	}
	return err;
}

/* Room for the parts that are no holes; it changes nothing that can be read. */
static int make_room(struct sparse_target *target, uint64_t at, const struct cow_piece *piece)
{
	uint64_t offset = piece->offset, end = offset + piece->len;

	while (offset < end) {
		off_t data = lseek(piece->fd, offset, SEEK_DATA);
		off_t stop = data < 0 ? -1 : lseek(piece->fd, data, SEEK_HOLE);

		if (data < 0 || stop < 0 || (uint64_t)data >= end)
			break;
		if ((uint64_t)stop > end)
			stop = end;
		if (fallocate(target->fd, FALLOC_FL_KEEP_SIZE, at + (data - piece->offset),
			      stop - data) < 0 && (errno == ENOSPC || errno == EDQUOT))
			return -errno;
		offset = stop;
	}
	return 0;
}

static int copy_piece(struct sparse_target *target, uint64_t at, const struct cow_piece *piece)
{
	return sparse_copy(target, at, piece->fd, piece->offset, piece->len);
}

/* Other COW files over this backing file must not fit any more: their headers know its time. */
static int move_time(int fd, const struct cow *cow)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { } };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint32_t)st.st_mtime != cow->header.mtime)
		return 0;
	times[1].tv_sec = st.st_mtime + 1;
	return futimens(fd, times) < 0 ? -errno : 0;
}

static int merge_down(const struct cow *cow)
{
	struct progress progress;
	struct sparse_target target = { .fd = cow->backing_fd, .progress = &progress };
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	uint64_t tail, size;
	struct stat st;
	int err;

	if (!cow_map_count(&cow->map))
		return 0;
	err = moo_check_disk(cow);
	if (!err)
		err = tail_length(cow, &tail);
	if (!err && fstat(target.fd, &st) < 0)
		err = -errno;
	if (err)
		return err;
	size = cow->header.size + tail;
	err = walk_own(cow, size, &target, make_room);
	if (err) {
		times[1] = st.st_mtim;
		if (futimens(target.fd, times) < 0)
			tool_error("The time of \"%s\" was changed: %s", cow->backing, strerror(errno));
		return err;
	}

	progress_start(&progress, "merging", cow_map_count(&cow->map) * COW_SECTOR);
	err = walk_own(cow, size, &target, copy_piece);
	progress_end(&progress);
	if (!err && fsync(target.fd) < 0)
		err = -errno;
	if (!err)
		err = move_time(target.fd, cow);
	if (err)
		tool_error("\"%s\" is merged in part; nothing is lost: run uml_moo -d --accept again",
			   cow->backing);
	return err;
}

int moo_in_place(const char *cow_path, const char *backing, int flags)
{
	struct cow *cow;
	int err;

	flags |= COW_READ_ONLY | COW_OVERRIDE | COW_MERGE;
	if (cow_open(cow_path, backing, flags, &tool_report, &cow))
		return 1;
	err = merge_down(cow);
	if (err)
		tool_error("Can't merge into \"%s\": %s", cow->backing, strerror(-err));
	cow_close(cow);
	return err ? 1 : 0;
}
