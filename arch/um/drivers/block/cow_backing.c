// SPDX-License-Identifier: GPL-2.0
/*
 * The file below a COW file: which one it is, and whether it still is what it
 * was.
 *
 * A COW file holds differences to a certain state of its backing file; over
 * any other content they are garbage. The header has the file's size and time
 * of last change to tell. A backing file that differs is refused, unless the
 * user knows better (COW_ACCEPT).
 *
 * A relative name in a header counts from the folder of the COW file, so that
 * both can be moved together; older programs take it from their working
 * directory, which is tried second.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cow.h"
#include "../../os-Linux/disk_file.h"

/* What is known about the file that b->fd is. */
static int look(struct cow_backing *b)
{
	struct stat st;
	int err = disk_file_size(b->fd, &b->size);

	if (err)
		return err;
	if (fstat(b->fd, &st) < 0)
		return -errno;
	b->mtime = st.st_mtime;
	b->is_device = S_ISBLK(st.st_mode);
	b->dev = b->is_device ? st.st_rdev : st.st_dev;
	b->ino = b->is_device ? 0 : st.st_ino;
	return 0;
}

int cow_backing_open(struct cow_backing *b, const char *path, int flags,
		     struct cow_report *report)
{
	int write = !!(flags & COW_MERGE), err = 0;

	memset(b, 0, sizeof(*b));
	b->fd = disk_file_open(path, write ? O_RDWR : O_RDONLY);
	if (b->fd < 0)
		return b->fd;
	b->path = strdup(path);
	if (!b->path)
		err = -ENOMEM;
	/* First the lock: nobody changes it after the look. */
	if (!err && !(flags & COW_NO_LOCK))
		err = cow_lock(b->fd, path, write, report);
	if (!err)
		err = look(b);
	if (err)
		cow_backing_close(b);
	return err;
}

void cow_backing_close(struct cow_backing *b)
{
	if (b->fd >= 0)
		close(b->fd);
	free(b->path);
	b->fd = -1;
	b->path = NULL;
}

char *cow_backing_absolute(const char *path)
{
	char *copy = strdup(path), *folder, *result;
	const char *slash = strrchr(path, '/');

	if (!copy)
		return NULL;
	if (slash)
		copy[slash - path + 1] = '\0';
	folder = realpath(slash ? copy : ".", NULL);
	free(copy);
	if (!folder)
		return NULL;
	if (asprintf(&result, "%s/%s", folder[1] ? folder : "", slash ? slash + 1 : path) < 0)
		result = NULL;
	free(folder);
	return result;
}

char *cow_backing_relative(const char *path, const char *cow_path)
{
	char *to = cow_backing_absolute(path), *from = cow_backing_absolute(cow_path);
	char *result = NULL;
	size_t i, common = 0, up = 0;

	if (to && from) {
		/* Up to the slash behind the last folder that both are in. */
		for (i = 0; to[i] && to[i] == from[i]; i++)
			if (to[i] == '/')
				common = i + 1;
		for (i = common; from[i]; i++)
			up += from[i] == '/';
		result = malloc(3 * up + strlen(to + common) + 1);
	}
	if (result) {
		*result = '\0';
		while (up--)
			strcat(result, "../");
		strcat(result, to + common);
	}
	free(to);
	free(from);
	return result;
}

/* The header's file, looked at only. */
static int look_at_own(struct cow_backing *b, const struct cow *cow)
{
	const char *name = cow->header.backing;
	char *real, *path;
	int err;

	if (*name == '/')
		return cow_backing_open(b, name, COW_NO_LOCK, NULL);
	real = realpath(cow->path, NULL);
	if (!real)
		return -errno;
	err = asprintf(&path, "%.*s/%s", (int)(strrchr(real, '/') - real), real, name);
	free(real);
	if (err < 0)
		return -ENOMEM;
	err = cow_backing_open(b, path, COW_NO_LOCK, NULL);
	free(path);
	return err == -ENOENT ? cow_backing_open(b, name, COW_NO_LOCK, NULL) : err;
}

static int same_size(const struct cow_backing *b, const struct cow_header *h)
{
	return b->size == h->size;
}

static int same_time(const struct cow_backing *b, const struct cow_header *h)
{
	return b->is_device || b->mtime == h->mtime;
}

/* Is it what the header says? A message if not. */
static int check(const struct cow_backing *b, const struct cow *cow, struct cow_report *report)
{
	const struct cow_header *h = &cow->header;
	enum cow_level level = (cow->flags & COW_ACCEPT) ? COW_NOTICE : COW_ERROR;

	if (same_size(b, h) && same_time(b, h))
		return 0;
	if (!same_size(b, h))
		cow_say(report, level,
			"Size mismatch (%llu vs %llu) of COW header vs backing file \"%s\"",
			(unsigned long long)h->size, (unsigned long long)b->size, b->path);
	else
		cow_say(report, level,
			"mtime mismatch (%u vs %u) of COW header vs backing file \"%s\"",
			h->mtime, b->mtime, b->path);
	if (cow->flags & COW_ACCEPT) {
		cow_say(report, COW_NOTICE, "Taking \"%s\" as it is, as requested", b->path);
		return 0;
	}
	if (!same_size(b, h))
		cow_say(report, COW_ERROR,
			"\"%s\" was changed after \"%s\" was made from it: restore the old file with its time, or remove the COW file to begin anew, without its changes",
			b->path, cow->path);
	else
		cow_say(report, COW_ERROR,
			"\"%s\" was changed after \"%s\" was made from it: restore the old file, if only its time is wrong: touch -d @%u '%s'; or remove the COW file to begin anew, without its changes",
			b->path, cow->path, h->mtime, b->path);
	return -EINVAL;
}

int cow_backing_is_cow(const struct cow_backing *b, struct cow_report *report)
{
	char magic[4];

	if (disk_file_read(b->fd, magic, 4, 0) != 4 || !cow_header_probe(magic, 4))
		return 0;
	cow_say(report, COW_ERROR,
		"\"%s\" is a COW file itself and can't be below another one: merge it with uml_moo first",
		b->path);
	return -EINVAL;
}

/*
 * The user names a file: is it taken instead of the header's, @own? 1, 0 or a
 * negative errno.
 */
static int take_wanted(const struct cow_backing *own, int own_err, const struct cow *cow,
		       const char *wanted, struct cow_report *report)
{
	const struct cow_header *h = &cow->header;
	struct cow_backing w;
	int result = 1, err;

	err = cow_backing_open(&w, wanted, COW_NO_LOCK, NULL);
	if (err) {
		cow_say(report, COW_ERROR, "Can't open backing file \"%s\": %s", wanted,
			strerror(-err));
		return err;
	}
	if (!own_err && own->dev == w.dev && own->ino == w.ino) {
		result = 0;
	} else {
		cow_say(report, COW_INFO,
			"Backing file mismatch - \"%s\" requested, \"%s\" specified in COW header of \"%s\"",
			wanted, h->backing, cow->path);
		if (!own_err && !(cow->flags & (COW_ACCEPT | COW_OVERRIDE)) &&
		    !(same_size(&w, h) && same_time(&w, h))) {
			cow_say(report, COW_NOTICE,
				"Keeping \"%s\": \"%s\" has %llu bytes and time %u, the COW header says %llu and %u",
				own->path, wanted, (unsigned long long)w.size, w.mtime,
				(unsigned long long)h->size, h->mtime);
			result = 0;
		}
	}
	cow_backing_close(&w);
	return result;
}

/* Which file it is to be; malloc()ed. */
static int choose_path(const struct cow *cow, const char *wanted, struct cow_report *report,
		       char **path, int *rename)
{
	struct cow_backing own;
	int own_err = look_at_own(&own, cow);
	int taken = 0;

	if (wanted) {
		taken = take_wanted(&own, own_err, cow, wanted, report);
	} else if (own_err) {
		cow_say(report, COW_ERROR,
			"Can't open \"%s\", the backing file of COW file \"%s\": %s; if it was moved, give its new name, too",
			cow->header.backing, cow->path, strerror(-own_err));
		taken = own_err;
	}
	if (taken >= 0) {
		*rename = taken;
		*path = strdup(taken ? wanted : own.path);
	}
	if (!own_err)
		cow_backing_close(&own);
	return taken < 0 ? taken : *path ? 0 : -ENOMEM;
}

int cow_backing_choose(struct cow_backing *b, const struct cow *cow, const char *wanted,
		       struct cow_report *report, int *rename)
{
	char *path = NULL;
	int err;

	err = choose_path(cow, wanted, report, &path, rename);
	if (err)
		return err;
	err = cow_backing_open(b, path, cow->flags, report);
	if (err && err != -EAGAIN)
		cow_say(report, COW_ERROR, "Can't open backing file \"%s\": %s", path,
			strerror(-err));
	free(path);
	if (err)
		return err;
	err = cow_backing_is_cow(b, report);
	if (!err)
		err = check(b, cow, report);
	if (err)
		cow_backing_close(b);
	else if (*rename && !(cow->flags & COW_OVERRIDE))
		cow_say(report, COW_INFO, "Switching backing file to '%s'", b->path);
	return err;
}
