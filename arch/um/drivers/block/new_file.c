// SPDX-License-Identifier: GPL-2.0
/*
 * Files that appear when they are complete (new_file.h).
 *
 * They are made without a name, so that whatever ends us leaves nothing
 * behind. Where the file system knows no nameless files, or /proc is missing,
 * by which they get a name, they have a hidden name meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "new_file.h"

#define MODE	0644

/* Where @path's file is; the folder, if @folder. malloc()ed. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, slash - path + 1) : strdup(".");
}

/* A name beside @path that nobody has, as try(@name) finds; in file->temp. */
static int take_temp(struct new_file *file, int (*try)(struct new_file *, const char *))
{
	const char *slash = strrchr(file->path, '/');
	int folder = slash ? slash - file->path + 1 : 0;
	int i, err = -EEXIST;
	uint64_t number;
	char *name;

	for (i = 0; err == -EEXIST && i < 1000; i++) {
		/* Nobody in a shared folder shall take it before us. */
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -errno;
		/* Short: the name itself may have the greatest length. */
		if (asprintf(&name, "%.*s.um-new-%016llx", folder, file->path,
			     (unsigned long long)number) < 0)
			return -ENOMEM;
		err = try(file, name);
		if (err < 0)
			free(name);
		else
			file->temp = name;
	}
	return err;
}

static int try_open(struct new_file *file, const char *name)
{
	file->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MODE);
	return file->fd < 0 ? -errno : 0;
}

/* Gives a nameless file a name. */
static int try_link(struct new_file *file, const char *name)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
	return linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int open_file(struct new_file *file, const char *path, int named)
{
	char *folder = folder_of(path);
	int err = 0;

	memset(file, 0, sizeof(*file));
	file->fd = -1;
	/* What a link points to is replaced, not the link. */
	file->path = realpath(path, NULL);
	if (!file->path)
		file->path = strdup(path);
	if (!folder || !file->path) {
		err = -ENOMEM;
	} else {
		if (!named && !access("/proc/self/fd", X_OK))
			file->fd = open(folder, O_RDWR | O_TMPFILE | O_CLOEXEC, MODE);
		if (file->fd < 0)
			err = take_temp(file, try_open);
	}
	free(folder);
	if (err)
		free(file->path);
	return err;
}

int new_file_open(struct new_file *file, const char *path)
{
	return open_file(file, path, 0);
}

int new_file_open_named(struct new_file *file, const char *path)
{
	return open_file(file, path, 1);
}

void new_file_drop(struct new_file *file)
{
	if (file->temp)
		unlink(file->temp);
	close(file->fd);
	free(file->temp);
	free(file->path);
}

/* The old file's owner and rights, as far as we may. */
static void take_over(struct new_file *file)
{
	struct stat st;

	if (stat(file->path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (fchown(file->fd, st.st_uid, st.st_gid) < 0)
		return;
	if (fchmod(file->fd, st.st_mode & 07777) < 0)
		return;
}

static int sync_folder(const char *path)
{
	char *folder = folder_of(path);
	int fd, err = 0;

	if (!folder)
		return -ENOMEM;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return -errno;
	/* Some file systems can't sync folders; then they need no syncing. */
	if (fsync(fd) < 0 && errno != EINVAL)
		err = -errno;
	close(fd);
	return err;
}

static int name_it(struct new_file *file, int replace)
{
	int err;

	if (!replace) {
		if (!file->temp)
			return try_link(file, file->path);
		return link(file->temp, file->path) < 0 ? -errno : 0;
	}
	take_over(file);
	if (!file->temp) {
		err = take_temp(file, try_link);
		if (err)
			return err;
	}
	if (rename(file->temp, file->path) < 0)
		return -errno;
	free(file->temp);
	file->temp = NULL;
	return 0;
}

int new_file_finish(struct new_file *file, int replace)
{
	int err = fsync(file->fd) < 0 ? -errno : 0;

	if (!err)
		err = name_it(file, replace);
	if (!err)
		err = sync_folder(file->path);
	new_file_drop(file);
	return err;
}
