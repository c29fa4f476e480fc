// SPDX-License-Identifier: GPL-2.0
/*
 * The option hostfs=, and the directories that are mounted.
 *
 * hostfs= opens its directory when the option is parsed. Everything else starts from
 * that descriptor, so that nothing that is renamed or mounted later can
 * put another directory in its place.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <host/options.h>
#include "host.h"
#include "options_host.h"

static int root_fd = -1;
static char root_path[PATH_MAX];
static int root_flags;

const char *host_hostfs_root(void)
{
	return root_fd < 0 ? NULL : root_path;
}

int host_hostfs_flags(void)
{
	return root_flags;
}

int hostfs_set_root(const char *dir, int flags)
{
	int fd;

	if (root_fd >= 0)
		return host_option_error("a directory for hostfs was given already (%s)",
					 root_path);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !realpath(dir, root_path)) {
		if (fd >= 0)
			close(fd);
		return host_option_error("%s: %s", dir, strerror(errno));
	}
	root_fd = fd;
	root_flags = flags;
	return 0;
}

static int flag_value(const char *flag)
{
	if (!strcmp(flag, "append"))
		return HOST_HOSTFS_APPEND;
	if (!strcmp(flag, "suid"))
		return HOST_HOSTFS_SETID;
	if (!strcmp(flag, "dev"))
		return HOST_HOSTFS_DEVICES;
	return 0;
}

/* The flags behind the last comma that begins one: names may have commas. */
static int parse_hostfs(const char *value)
{
	char dir[PATH_MAX];
	struct stat st;
	char *flag;
	int flags = 0;

	if (strlen(value) >= sizeof(dir))
		return host_option_error("the directory's name is too long");
	strcpy(dir, value);
	while (stat(dir, &st) && (flag = strrchr(dir, ','))) {
		*flag++ = '\0';
		if (!flag_value(flag))
			return host_option_error("hostfs_args - unsupported option - %s; there are append, suid and dev, e.g. hostfs=/home/me,append",
						 flag);
		flags |= flag_value(flag);
	}
	if (!dir[0])
		return host_option_error("needs a directory, e.g. hostfs=/home/me");
	return hostfs_set_root(dir, flags);
}

HOST_OPTION(hostfs,
	.name = "hostfs=",
	.action = HOST_OPT_CONSUME,
	.parse = parse_hostfs,
	.synopsis = "hostfs=<directory>[,append][,suid][,dev]",
	.help = "Confine hostfs to a directory of the host: every hostfs mount is this directory\n"
		"or one below it. With append files may only grow, and none can be removed.\n"
		"Guests can give files of the host set-id bits and capabilities with suid, and\n"
		"make device nodes with dev; mounts with the option mapped need neither.\n"
		"Without this option guests that mount hostfs have all of the host that this\n"
		"process has.");

static int open_root(void)
{
	return root_fd < 0 ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) :
			     fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
}

/* File systems that answer from memory or a disk; others may never answer. */
static int is_local(int fd)
{
	static const unsigned int local[] = {
		EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC,
		RAMFS_MAGIC, OVERLAYFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, SQUASHFS_MAGIC,
		ISOFS_SUPER_MAGIC, EROFS_SUPER_MAGIC_V1, MSDOS_SUPER_MAGIC, PROC_SUPER_MAGIC,
		SYSFS_MAGIC, 0x2fc12fc1 /* ZFS */, 0xca451a4e /* bcachefs */,
	};
	struct statfs st;
	size_t i;

	if (fstatfs(fd, &st))
		return 0;
	for (i = 0; i < sizeof(local) / sizeof(*local); i++)
		if ((unsigned int)st.f_type == local[i])
			return 1;
	return 0;
}

static int has_xattrs(int fd)
{
	struct hostfs_proc_path path;
	char byte;

	return RETRY(getxattr(hostfs_proc_path(&path, fd), "user.virtfs.mode", &byte, 0)) !=
	       -EOPNOTSUPP;
}

static int has_acls(int fd)
{
	struct hostfs_proc_path path;

	return RETRY(getxattr(hostfs_proc_path(&path, fd), "system.posix_acl_access", NULL, 0)) !=
	       -EOPNOTSUPP;
}

int host_hostfs_mount(const char *path, int how, struct host_hostfs_attr *attr, int *traits)
{
	struct open_how open_how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int root = open_root();
	int fd, err;

	if (root < 0)
		return -errno;
	/* EAGAIN: something was renamed while ".." was resolved. */
	do {
		fd = RETRY(syscall(SYS_openat2, root, path[0] ? path : ".", &open_how,
				   sizeof(open_how)));
	} while (fd == -EAGAIN);
	close(root);
	if (fd < 0)
		return fd;

	*traits = (is_local(fd) ? HOST_HOSTFS_LOCAL : 0) | (has_acls(fd) ? HOST_HOSTFS_ACLS : 0);
	err = (how & HOST_HOSTFS_MAPPED) && !has_xattrs(fd) ? -EOPNOTSUPP : 0;
	if (!err)
		err = host_hostfs_stat(fd, NULL, how, attr);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int host_hostfs_look(int dir, const char *name, int how, struct host_hostfs_attr *attr,
		     int *local)
{
	int fd = host_hostfs_open_path(dir, name, how, attr);

	if (fd < 0)
		return fd;
	*local = is_local(fd);
	close(fd);
	return 0;
}

unsigned int host_hostfs_max_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > INT_MAX)
		return INT_MAX;
	return limit.rlim_cur;
}
