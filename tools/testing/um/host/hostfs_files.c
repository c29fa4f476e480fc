// SPDX-License-Identifier: GPL-2.0
/* Attacks by types, modes and attributes of files. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "hostfs_attack.h"

static int is_fifo(int fd)
{
	struct stat st;
	int found;

	if (fd < 0)
		return 0;
	must(fstat(fd, &st));
	found = S_ISFIFO(st.st_mode);
	close(fd);
	return found;
}

/* To open a FIFO or a device of the host does something there. */
static int device_open(void)
{
	return is_fifo(host_hostfs_open(must(ours("fifo")), 0, HOST_HOSTFS_READ));
}

static int device_race(void)
{
	int won = 0;

	swap("fifo", "file");
	while (swapping() && !won) {
		int path = ours("file");

		won = is_fifo(host_hostfs_open(path, 0, HOST_HOSTFS_READ));
		close(path);
	}
	swap(NULL, NULL);
	return won;
}

static int make(const char *name, unsigned int mode)
{
	struct host_hostfs_new new = { .mode = mode, .uid = geteuid(), .gid = getegid(),
				       .major = 1, .minor = 3 };
	struct host_hostfs_attr attr;
	int fd = host_hostfs_make(root, name, 0, &new, &attr);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int device_make(void)
{
	struct stat st;

	make("null", S_IFCHR | 0666);
	return !stat("inside/null", &st);
}

static int has_setid(const char *name)
{
	struct stat st;

	return !stat(name, &st) && (st.st_mode & (S_ISUID | S_ISGID));
}

static int setid_make(void)
{
	make("made", S_IFREG | 06755);
	return has_setid("inside/made");
}

static int setid_change(void)
{
	struct host_hostfs_change change = {
		.valid = HOST_HOSTFS_MODE,
		.write_fd = -1,
		.mode = S_IFREG | 06755,
	};
	struct host_hostfs_attr attr;

	host_hostfs_change(must(ours("file")), 0, &change, &attr);
	return has_setid("inside/file");
}

/* A program of the host user's with other content. */
static int setid_write(void)
{
	int fd;

	must(chmod("inside/file", 06755));
	fd = host_hostfs_open(must(ours("file")), 0, HOST_HOSTFS_READ | HOST_HOSTFS_WRITE);
	if (fd >= 0)
		must(pwrite(fd, "evil", 4, 0));
	return fd >= 0 && has_setid("inside/file");
}

static int capabilities(void)
{
	struct vfs_cap_data caps = {
		.magic_etc = htole32(VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE),
		.data = { { .permitted = -1 }, { .permitted = -1 } },
	};

	host_hostfs_set_xattr(must(ours("file")), 0, "security.capability", &caps, sizeof(caps), 0);
	return getxattr("inside/file", "security.capability", NULL, 0) > 0;
}

/* By what a mapping works is not the guest's to set or see. */
static int mapped_names(void)
{
	uint32_t uid = htole32(1000);
	int fd = must(ours("file"));

	host_hostfs_set_xattr(fd, HOST_HOSTFS_MAPPED, "user.virtfs.uid", &uid, sizeof(uid), 0);
	return getxattr("inside/file", "user.virtfs.uid", NULL, 0) > 0;
}

/* A file that says it is a directory is none, or it would be opened as one. */
static int mapped_type(void)
{
	uint32_t mode = htole32(S_IFDIR | 0755);
	struct host_hostfs_attr attr;

	if (setxattr("inside/file", "user.virtfs.mode", &mode, sizeof(mode), 0))
		return errno == EOPNOTSUPP ? 0 : 1;
	must(host_hostfs_stat(root, "file", HOST_HOSTFS_MAPPED, &attr));
	return S_ISDIR(attr.mode);
}

/* In a mapped tree even the host's root makes nothing but files. */
static int mapped_device(void)
{
	struct host_hostfs_new new = { .mode = S_IFCHR | 06666, .major = 1, .minor = 3 };
	struct host_hostfs_attr attr;
	struct stat st;

	host_hostfs_make(root, "null", HOST_HOSTFS_MAPPED, &new, &attr);
	return !stat("inside/null", &st) && st.st_mode != (S_IFREG | 0600);
}

const struct attack file_attacks[] = {
	{ "device-open", device_open },
	{ "device-race", device_race },
	{ "device-make", device_make, 1 },
	{ "setid-make", setid_make },
	{ "setid-change", setid_change },
	{ "setid-write", setid_write, 1 },
	{ "capabilities", capabilities, 1 },
	{ "mapped-names", mapped_names },
	{ "mapped-type", mapped_type },
	{ "mapped-device", mapped_device },
	{ }
};
