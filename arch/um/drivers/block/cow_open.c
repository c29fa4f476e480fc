// SPDX-License-Identifier: GPL-2.0
/*
 * Opening COW files: lock, header, backing file, bitmap, in this order; the
 * header is changed last, when nothing can be refused any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cow.h"
#include "../../os-Linux/disk_file.h"

int cow_lock(int fd, const char *path, int write, struct cow_report *report)
{
	int holder, err = disk_file_lock(fd, write, &holder);

	if (!err)
		return 0;
	if (holder)
		cow_say(report, COW_ERROR, "F_SETLK failed, file already locked by pid %d", holder);
	cow_say(report, COW_ERROR, "Failed to lock '%s', err = %d: %s", path, -err,
		err == -EAGAIN ? "another machine or tool uses it" : strerror(-err));
	return err;
}

static int open_file(struct cow *cow, struct cow_report *report)
{
	int how = (cow->flags & COW_SYNC) ? O_SYNC : 0;

	cow->fd = -EACCES;
	if (!(cow->flags & COW_READ_ONLY))
		cow->fd = disk_file_open(cow->path, O_RDWR | how);
	if (cow->fd == -EACCES || cow->fd == -EROFS || cow->fd == -EPERM) {
		cow->fd = disk_file_open(cow->path, O_RDONLY);
		cow->flags |= COW_READ_ONLY;
	}
	if (cow->fd >= 0)
		return 0;
	cow_say(report, COW_ERROR, "Can't open COW file \"%s\": %s", cow->path,
		strerror(-cow->fd));
	return cow->fd;
}

static int open_or_create(struct cow *cow, const char *backing, struct cow_report *report)
{
	int err;

	if (backing && (cow->flags & COW_CREATE) && access(cow->path, F_OK) < 0 &&
	    errno == ENOENT) {
		cow_say(report, COW_INFO, "Creating \"%s\" as COW file for \"%s\"", cow->path,
			backing);
		err = cow_create(cow->path, backing, 0, report);
		/* Somebody else made it meanwhile: all the better. */
		if (err && err != -EEXIST)
			return err;
	}
	return open_file(cow, report);
}

static int read_header(struct cow *cow, struct cow_report *report)
{
	char buf[COW_HEADER_MAX];
	int64_t len;
	int err;

	err = disk_file_size(cow->fd, &cow->file_size);
	if (!err) {
		len = disk_file_read(cow->fd, buf, sizeof(buf), 0);
		if (len < 0)
			err = len;
	}
	if (err) {
		cow_say(report, COW_ERROR, "Can't read COW file \"%s\": %s", cow->path,
			strerror(-err));
		return err;
	}
	err = cow_header_parse(&cow->header, buf, len, cow->file_size, cow->path, report);
	if (!err && cow->header.broken)
		cow_say(report, COW_NOTICE,
			"COW file \"%s\" has the broken version 3 of a 64-bit program of before 2005; its layout is known",
			cow->path);
	return err;
}

static int load_map(struct cow *cow, struct cow_report *report)
{
	struct cow_header *h = &cow->header;
	int err = cow_map_load(&cow->map, cow->fd, h);
	uint64_t last;

	if (err) {
		cow_say(report, COW_ERROR, "Can't read the bitmap of COW file \"%s\": %s", cow->path,
			strerror(-err));
		return err;
	}
	/* A sector that should be there and isn't has been lost. */
	last = cow_map_last(&cow->map);
	if (last && h->data_offset + (last - 1) * COW_SECTOR >= cow->file_size) {
		cow_say(report, COW_ERROR,
			"COW file \"%s\" is cut off: it has %llu bytes, but sector %llu should be at %llu",
			cow->path, (unsigned long long)cow->file_size,
			(unsigned long long)last - 1,
			(unsigned long long)(h->data_offset + (last - 1) * COW_SECTOR));
		cow_map_free(&cow->map);
		return -EINVAL;
	}
	if (h->tracked < h->sectors)
		cow_say(report, COW_NOTICE,
			"COW file \"%s\" of version %d can't hold the last %d sectors of the disk: they can't be written",
			cow->path, h->version, (int)(h->sectors - h->tracked));
	return 0;
}

/*
 * Have the header name another file, or its new time. Only version 3 is
 * written, and only the bytes that change: nothing else can be torn.
 */
static int update_header(struct cow *cow, const struct cow_backing *b, int rename,
			 struct cow_report *report)
{
	struct cow_header *h = &cow->header;
	int retime = !b->is_device && b->mtime != h->mtime && b->size == h->size;
	uint32_t mtime = htobe32(b->mtime);
	char *name = NULL;
	int err = 0;

	if (!rename && !retime)
		return 0;
	if (h->version != 3 || h->broken || (cow->flags & COW_READ_ONLY) || b->size != h->size) {
		cow_say(report, COW_NOTICE, "The header of \"%s\" stays as it is: %s", cow->path,
			(cow->flags & COW_READ_ONLY) ? "the file is not written to" :
			b->size != h->size ? "the disk keeps its size" :
			"only files of version 3 can be changed");
		return 0;
	}
	if (rename) {
		name = cow_backing_absolute(b->path);
		if (!name)
			err = -errno;
		else if (strlen(name) >= COW_PATH_MAX)
			err = -ENAMETOOLONG;
		else
			err = disk_file_write(cow->fd, name, strlen(name) + 1, COW_V3_PATH);
	}
	if (!err && retime)
		err = disk_file_write(cow->fd, &mtime, 4, COW_V3_MTIME);
	if (!err && fdatasync(cow->fd) < 0)
		err = -errno;
	if (err) {
		cow_say(report, COW_ERROR, "Can't change the header of \"%s\": %s", cow->path,
			strerror(-err));
	} else {
		if (name)
			memcpy(h->backing, name, strlen(name) + 1);
		h->mtime = b->mtime;
	}
	free(name);
	return err;
}

static int open_backing(struct cow *cow, const char *wanted, struct cow_report *report)
{
	struct cow_backing b;
	int rename, err;

	err = cow_backing_choose(&b, cow, wanted, report, &rename);
	if (err)
		return err;
	if (!(cow->flags & COW_OVERRIDE))
		err = update_header(cow, &b, rename, report);
	if (err) {
		cow_backing_close(&b);
		return err;
	}
	cow->backing_fd = b.fd;
	cow->backing = b.path;
	/* What a file gained since is none of the disk. */
	cow->backing_size = b.size < cow->header.size ? b.size : cow->header.size;
	return 0;
}

static struct cow *new_cow(const char *path, int flags)
{
	struct cow *cow = calloc(1, sizeof(*cow));

	if (!cow)
		return NULL;
	cow->backing_fd = -1;
	cow->fd = -1;
	cow->flags = flags;
	cow->path = strdup(path);
	cow->flush_buf = malloc(COW_FLUSH_BLOCKS * COW_MAP_BLOCK);
	pthread_mutex_init(&cow->flush_lock, NULL);
	if (cow->path && cow->flush_buf)
		return cow;
	free(cow->path);
	free(cow->flush_buf);
	free(cow);
	return NULL;
}

static void free_cow(struct cow *cow)
{
	if (cow->fd >= 0 && !cow->borrowed)
		close(cow->fd);
	if (cow->backing_fd >= 0)
		close(cow->backing_fd);
	pthread_mutex_destroy(&cow->flush_lock);
	free(cow->flush_buf);
	free(cow->backing);
	free(cow->path);
	free(cow);
}

/*
 * Files of old versions need not have been made in full length. A discard
 * marks sectors, but leaves the length: they would seem to be cut off.
 */
static int extend(struct cow *cow, struct cow_report *report)
{
	uint64_t end = cow->header.data_offset + cow->header.size;
	struct stat st;
	int err;

	if (cow->flags & COW_READ_ONLY || cow->file_size >= end)
		return 0;
	if (!fstat(cow->fd, &st) && (!S_ISREG(st.st_mode) || (uint64_t)st.st_size >= end ||
				     !ftruncate(cow->fd, end)))
		return 0;
	err = -errno;
	cow_say(report, COW_ERROR, "Can't extend COW file \"%s\" to %llu bytes: %s", cow->path,
		(unsigned long long)end, strerror(-err));
	return err;
}

/* Everything from the header on; cow->fd is open and locked. */
static int set_up(struct cow *cow, const char *backing, struct cow_report *report)
{
	int err = read_header(cow, report);

	if (!err)
		err = load_map(cow, report);
	if (err || (cow->flags & COW_ALONE))
		return err;
	err = open_backing(cow, backing, report);
	if (!err)
		err = extend(cow, report);
	if (err)
		cow_map_free(&cow->map);
	return err;
}

int cow_open(const char *path, const char *backing, int flags, struct cow_report *report,
	     struct cow **result)
{
	struct cow *cow = new_cow(path, flags);
	int err;

	if (!cow)
		return -ENOMEM;
	err = open_or_create(cow, backing, report);
	if (!err && !(flags & COW_NO_LOCK))
		err = cow_lock(cow->fd, path, !(cow->flags & COW_READ_ONLY), report);
	if (!err)
		err = set_up(cow, backing, report);
	if (err)
		free_cow(cow);
	else
		*result = cow;
	return err;
}

int cow_attach(int fd, const char *path, const char *backing, int flags,
	       struct cow_report *report, struct cow **result)
{
	struct cow *cow = new_cow(path, flags);
	int err;

	if (!cow)
		return -ENOMEM;
	cow->fd = fd;
	cow->borrowed = 1;
	err = set_up(cow, backing, report);
	if (err)
		free_cow(cow);
	else
		*result = cow;
	return err;
}

int cow_close(struct cow *cow)
{
	int err = cow_settled(cow) ? 0 : cow_flush(cow);

	cow_map_free(&cow->map);
	free_cow(cow);
	return err;
}
