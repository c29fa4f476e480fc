// SPDX-License-Identifier: GPL-2.0
/*
 * Making COW files.
 *
 * The file is made without a name, or under a hidden one where the file system
 * can't do that, filled, synced, and only then gets its name: whoever finds it
 * finds all of it, also after a power cut. Taking the name is exclusive, so
 * that of two machines that make the same file at a time one makes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cow.h"
#include "../../os-Linux/disk_file.h"
#include "new_file.h"

/* The header of a new COW file over @b, which keeps @name. */
static int make_header(struct cow_header *h, const struct cow_backing *b, const char *name,
		       struct cow_report *report)
{
	int err;

	if (!b->size) {
		cow_say(report, COW_ERROR, "Backing file \"%s\" is empty", b->path);
		return -EINVAL;
	}
	err = cow_header_init(h, name, b->size, b->mtime, sysconf(_SC_PAGESIZE));
	if (err == -ENAMETOOLONG)
		cow_say(report, COW_ERROR, "The name of backing file \"%s\" is too long", name);
	else if (err)
		cow_say(report, COW_ERROR, "Backing file \"%s\" is too large", b->path);
	return err;
}

static int write_file(int fd, const struct cow_header *h)
{
	char buf[COW_V3_LEN];
	int err;

	cow_header_format(h, buf);
	err = disk_file_write(fd, buf, sizeof(buf), 0);
	if (!err && ftruncate(fd, h->data_offset + h->size) < 0)
		err = -errno;
	return err;
}

/* Whoever uses the file that is to be replaced keeps it. */
static int refuse_used(const char *path, const struct cow_backing *b, struct cow_report *report)
{
	int fd = disk_file_open(path, O_RDWR), err = 0;
	struct stat st;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		cow_say(report, COW_ERROR, "Can't replace \"%s\": %s", path, strerror(-fd));
		return fd;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (st.st_dev == b->dev && st.st_ino == b->ino)) {
		cow_say(report, COW_ERROR, "\"%s\" can't be replaced by a COW file over \"%s\"",
			path, b->path);
		err = -EINVAL;
	}
	if (!err)
		err = cow_lock(fd, path, 1, report);
	close(fd);
	return err;
}

static int make_file(const char *path, const struct cow_backing *b, int flags,
		  struct cow_report *report)
{
	struct new_file file;
	struct cow_header h;
	char *name;
	int err;

	name = (flags & COW_RELATIVE) ? cow_backing_relative(b->path, path) :
					cow_backing_absolute(b->path);
	if (!name)
		return -errno;
	err = make_header(&h, b, name, report);
	free(name);
	if (err)
		return err;
	err = new_file_open(&file, path);
	if (!err) {
		err = write_file(file.fd, &h);
		if (err)
			new_file_drop(&file);
		else
			err = new_file_finish(&file, flags & COW_REPLACE);
	}
	if (err && err != -EEXIST)
		cow_say(report, COW_ERROR, "Can't create COW file \"%s\": %s", path, strerror(-err));
	return err;
}

int cow_create(const char *path, const char *backing, int flags, struct cow_report *report)
{
	struct cow_backing b;
	int err;

	/* The lock: a machine that writes to it would make the new file useless. */
	err = cow_backing_open(&b, backing, 0, report);
	if (err) {
		if (err != -EAGAIN)
			cow_say(report, COW_ERROR, "Can't open backing file \"%s\": %s", backing,
				strerror(-err));
		return err;
	}
	err = cow_backing_is_cow(&b, report);
	if (!err && (flags & COW_REPLACE))
		err = refuse_used(path, &b, report);
	if (!err)
		err = make_file(path, &b, flags, report);
	cow_backing_close(&b);
	return err;
}
