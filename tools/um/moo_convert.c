// SPDX-License-Identifier: GPL-2.0
/*
 * uml_moo convert: other formats, which qemu-img makes.
 *
 * A COW file is first merged into an image without a name beside the target;
 * qemu-img gets it as an open file. It writes to a hidden name, which is
 * replaced by the target's when it is done.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk_file.h"
#include "moo.h"
#include "new_file.h"
#include "sparse_copy.h"
#include "tool.h"

#define QEMU_IMG	"qemu-img"

int moo_is_cow(const char *path)
{
	int fd = disk_file_open(path, O_RDONLY);
	char magic[4];
	int result;

	if (fd < 0)
		return 0;
	result = disk_file_read(fd, magic, 4, 0) == 4 && cow_header_probe(magic, 4);
	close(fd);
	return result;
}

/* A copy of a plain image in @fd. */
static int copy_raw(const char *source, int fd)
{
	struct sparse_target target = { .fd = fd, .empty = 1 };
	int from = disk_file_open(source, O_RDONLY), holder, err;
	struct progress progress;
	uint64_t size;

	if (from < 0)
		return from;
	err = disk_file_lock(from, 0, &holder);
	if (!err)
		err = disk_file_size(from, &size);
	if (!err) {
		target.progress = &progress;
		progress_start(&progress, "copying", size);
		err = sparse_copy(&target, 0, from, 0, size);
		progress_end(&progress);
	}
	if (!err && ftruncate(fd, size) < 0)
		err = -errno;
	close(from);
	return err;
}

/* @file becomes the disk. Exit code. */
static int fill(struct new_file *file, const char *source, const char *backing, int flags)
{
	struct cow *cow;
	uint64_t size;
	int err;

	if (!moo_is_cow(source)) {
		if (backing)
			return tool_error("\"%s\" is no COW file; it has no backing file", source);
		err = copy_raw(source, file->fd);
		if (err == -EAGAIN)
			return tool_error("Failed to lock '%s': another machine or tool uses it", source);
	} else {
		flags |= COW_READ_ONLY | COW_OVERRIDE;
		if (cow_open(source, backing, flags, &tool_report, &cow))
			return 1;
		err = moo_copy_disk(cow, file->fd, 1, &size);
		if (!err && ftruncate(file->fd, size) < 0)
			err = -errno;
		cow_close(cow);
	}
	return err ? tool_error("Can't convert \"%s\": %s", source, strerror(-err)) : 0;
}

/* Has qemu-img turn the open image @fd into the file @target. Exit code. */
static int run_qemu_img(int fd, const char *target, const char *format)
{
	char source[32], *file;
	char *argv[] = { QEMU_IMG, "convert", isatty(STDERR_FILENO) ? "-p" : "-q", "-f", "raw",
			 "-O", (char *)format, source, NULL, NULL };
	posix_spawn_file_actions_t actions;
	int status, err, copy;
	pid_t pid;

	/* It writes its progress on stdout. */
	copy = dup(fd);
	if (copy < 0)
		return tool_error("dup: %s", strerror(errno));
	/* Without it "a:b" would be b of the protocol a. */
	if (asprintf(&file, "file:%s", target) < 0) {
		close(copy);
		return tool_error("asprintf: %s", strerror(ENOMEM));
	}
	argv[8] = file;
	snprintf(source, sizeof(source), "/proc/self/fd/%d", copy);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	err = posix_spawnp(&pid, QEMU_IMG, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(copy);
	free(file);
	if (err == ENOENT)
		return tool_error("The format \"%s\" needs " QEMU_IMG ", which is not installed (Debian: qemu-utils)",
				  format);
	if (err)
		return tool_error("Can't start " QEMU_IMG ": %s", strerror(err));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return tool_error("waitpid: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return tool_error(QEMU_IMG " failed; \"%s\" was not made", target);
	return 0;
}

/* @image is the disk; make @target of it. Ends @image. */
static int convert(struct new_file *image, const char *target, const char *format)
{
	struct new_file file;
	int err;

	if (!strcmp(format, "raw")) {
		err = new_file_finish(image, 1);
	} else {
		err = new_file_open_named(&file, target);
		if (!err) {
			err = run_qemu_img(image->fd, file.temp, format);
			if (err)
				new_file_drop(&file);
			else
				err = new_file_finish(&file, 1);
		}
		new_file_drop(image);
	}
	return err < 0 ? tool_error("Can't make \"%s\": %s", target, strerror(-err)) : err;
}

int moo_convert(const char *source, const char *target, const char *format,
		const char *backing, int flags)
{
	struct new_file image;
	struct stat st;
	int err;

	if (!stat(target, &st) && (!S_ISREG(st.st_mode) || tool_same_file(source, target)))
		return tool_error("\"%s\" can't be replaced by the new image", target);
	err = moo_check_free(target);
	if (!err)
		err = new_file_open(&image, target);
	if (err)
		return tool_error("Can't make \"%s\": %s", target, strerror(-err));
	err = fill(&image, source, backing, flags);
	if (err) {
		new_file_drop(&image);
		return err;
	}
	return convert(&image, target, format);
}
