// SPDX-License-Identifier: GPL-2.0
/* Attacks by names: dots, slashes, links, and what takes a name's place meanwhile. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hostfs_attack.h"

static int exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

/* ".." is no name of a file, wherever one is wanted. */
static int dots(void)
{
	struct host_hostfs_attr attr;
	struct stat above;

	must(stat(".", &above));
	if (is_outside(ours("..")))
		return 1;
	return !host_hostfs_stat(root, "..", 0, &attr) && attr.ino == above.st_ino;
}

static int slashes_look(void)
{
	static const char * const names[] = {
		"../outside/secret", "dir/../../outside/secret", "/etc/passwd",
		"/proc/self/cwd/outside/secret",
	};
	struct host_hostfs_attr attr;

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!host_hostfs_stat(root, names[i], 0, &attr) || ours(names[i]) >= 0)
			return 1;
	return 0;
}

static int slashes_make(void)
{
	struct host_hostfs_attr attr;
	unsigned int types[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO };

	for (int i = 0; i < 4; i++) {
		struct host_hostfs_new new = { .mode = types[i] | 0644, .target = "x" };

		host_hostfs_make(root, "../outside/made", 0, &new, &attr);
		if (exists("outside/made"))
			return 1;
	}
	return 0;
}

static int slashes_change(void)
{
	int file = must(ours("file"));

	host_hostfs_link(file, root, "../outside/linked");
	host_hostfs_rename(root, "file", root, "../outside/moved", 0);
	host_hostfs_rename(root, "../outside/secret", root, "got", 0);
	host_hostfs_unlink(root, "../outside/secret", 0);
	return exists("outside/linked") || exists("outside/moved") || exists("inside/got") ||
	       !exists("outside/secret");
}

/* A descriptor of a link is of the link, and not of where it leads. */
static int link_open(void)
{
	int found = is_outside(ours("relative")) || is_outside(ours("magic"));
	int fd = ours("secret");

	return found || (fd >= 0 && is_secret(host_hostfs_open(fd, 0, HOST_HOSTFS_READ)));
}

static int link_stat(void)
{
	struct host_hostfs_attr attr;

	return !host_hostfs_stat(root, "secret", 0, &attr) && !S_ISLNK(attr.mode);
}

/* Another name of a link is not one of its target. */
static int link_hard(void)
{
	int fd = ours("secret");
	struct stat st;

	host_hostfs_link(fd, root, "hard");
	must(stat("outside/secret", &st));
	return st.st_nlink > 1;
}

static int link_change(void)
{
	struct host_hostfs_change change = {
		.valid = HOST_HOSTFS_MODE | HOST_HOSTFS_SIZE,
		.write_fd = -1,
		.mode = S_IFREG | 0777,
	};
	int fd = ours("secret");
	struct host_hostfs_attr attr;
	struct stat st;

	host_hostfs_change(fd, 0, &change, &attr);
	change.valid = HOST_HOSTFS_MODE;
	host_hostfs_change(fd, 0, &change, &attr);
	must(stat("outside/secret", &st));
	return !st.st_size || (st.st_mode & 0777) == 0777;
}

/* A directory that is a link every other moment. */
static int link_race(void)
{
	int won = 0;

	swap("dir", "relative");
	while (swapping() && !won)
		won = is_outside(ours("dir"));
	swap(NULL, NULL);
	return won;
}

static int mounts(const char *path)
{
	struct host_hostfs_attr attr;
	int traits;

	return is_outside(host_hostfs_mount(path, 0, &attr, &traits));
}

static int mount_dots(void)
{
	return mounts("..") || mounts("/..") || mounts("../outside") || mounts("dir/../..") ||
	       mounts("/../outside") || mounts("dir/../../outside");
}

static int mount_link(void)
{
	char outside[4096];

	must(!getcwd(outside, sizeof(outside)) ? -1 : 0);
	strcat(outside, "/outside");
	must(symlink(outside, "inside/absolute"));
	return mounts("relative") || mounts("absolute");
}

static int mount_magic(void)
{
	return mounts("magic") || mounts("/proc/self/cwd/outside");
}

/* ".." while its directory is moved to and fro. */
static int mount_race(void)
{
	int won = 0;

	must(mkdir("inside/dir/deep", 0755));
	must(mkdir("inside/other", 0755));
	swap("dir", "other");
	while (swapping() && !won)
		won = mounts("dir/deep/../../../outside");
	swap(NULL, NULL);
	return won;
}

/* The directory of hostfs= is the one that was there at the start. */
static int root_replaced(void)
{
	must(rename("inside", "gone"));
	must(symlink("outside", "inside"));
	return mounts("") || mounts("/");
}

const struct attack name_attacks[] = {
	{ "dots", dots },
	{ "slashes-look", slashes_look },
	{ "slashes-make", slashes_make },
	{ "slashes-change", slashes_change },
	{ "link-open", link_open },
	{ "link-stat", link_stat },
	{ "link-hard", link_hard },
	{ "link-change", link_change },
	{ "link-race", link_race },
	{ "mount-dots", mount_dots },
	{ "mount-link", mount_link },
	{ "mount-magic", mount_magic },
	{ "mount-race", mount_race },
	{ "root-replaced", root_replaced },
	{ }
};
