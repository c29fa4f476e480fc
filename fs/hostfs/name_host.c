// SPDX-License-Identifier: GPL-2.0
/*
 * Names of files (hostfs_host.h): each call is relative to the descriptor of a
 * directory and has one component.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host.h"

/* Files of a mapped tree belong to us on the host; what guests see is in xattrs. */
#define MAPPED_FILE	0600
#define MAPPED_DIR	0700

/*
 * The name is checked, so that O_NOFOLLOW alone would do; the host's kernel is
 * asked to make sure, too.
 */
static int open_below(int dir, const char *name, int flags, int mode)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return RETRY(syscall(SYS_openat2, dir, name, &how, sizeof(how)));
}

int host_hostfs_open_path(int dir, const char *name, int how, struct host_hostfs_attr *attr)
{
	int fd, err;

	if (!hostfs_component(name))
		return -EINVAL;
	fd = open_below(dir, name, O_PATH, 0);
	if (fd < 0)
		return fd;
	err = host_hostfs_stat(fd, NULL, how, attr);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int write_target(int fd, const char *target)
{
	size_t len = strlen(target);
	long n = RETRY(pwrite(fd, target, len, 0));

	return n < 0 ? n : (size_t)n == len ? 0 : -EIO;
}

/* A regular file, or in a mapped tree what stands for a link, device ... */
static int make_file(int dir, const char *name, int how, const struct host_hostfs_new *new)
{
	int mapped = how & HOST_HOSTFS_MAPPED;
	int mode = mapped ? MAPPED_FILE : hostfs_given_mode(how, new->mode);
	int fd, err = 0;

	if (name)
		fd = open_below(dir, name, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK | O_NOCTTY, mode);
	else
		fd = open_below(dir, ".", O_TMPFILE | O_RDWR, mode);
	if (fd < 0)
		return fd;
	if (mapped)
		err = hostfs_mapped_new(fd, new);
	if (!err && S_ISLNK(new->mode))
		err = write_target(fd, new->target);
	if (err) {
		close(fd);
		if (name)
			unlinkat(dir, name, 0);
		return err;
	}
	return fd;
}

static int make_dir(int dir, const char *name, int how, const struct host_hostfs_new *new)
{
	int mapped = how & HOST_HOSTFS_MAPPED;
	int fd, err;

	err = RETRY(mkdirat(dir, name, mapped ? MAPPED_DIR : new->mode & 07777));
	if (err || !mapped)
		return err;
	fd = open_below(dir, name, O_RDONLY | O_DIRECTORY, 0);
	err = fd < 0 ? fd : hostfs_mapped_new(fd, new);
	if (fd >= 0)
		close(fd);
	if (err)
		unlinkat(dir, name, AT_REMOVEDIR);
	return err;
}

static int make_special(int dir, const char *name, int how, const struct host_hostfs_new *new)
{
	if ((S_ISCHR(new->mode) || S_ISBLK(new->mode)) && !(how & HOST_HOSTFS_DEVICES))
		return -EPERM;
	if (S_ISLNK(new->mode))
		return RETRY(symlinkat(new->target, dir, name));
	return RETRY(mknodat(dir, name, new->mode, makedev(new->major, new->minor)));
}

/*
 * Give a new file the owner and the mode that were asked for. The host made it
 * ours, and our umask and a default ACL had a say. A host that doesn't let
 * us give files away is no error: they stay ours.
 */
static void adopt(int fd, int how, const struct host_hostfs_new *new,
		  struct host_hostfs_attr *attr)
{
	struct host_hostfs_change change = {
		.mode = new->mode,
		.uid = new->uid,
		.gid = new->gid,
	};

	if (attr->uid != new->uid)
		change.valid |= HOST_HOSTFS_UID;
	if (attr->gid != new->gid)
		change.valid |= HOST_HOSTFS_GID;
	if (change.valid)
		host_hostfs_change(fd, how, &change, attr);

	change.valid = HOST_HOSTFS_MODE;
	if (!S_ISLNK(attr->mode) && (attr->mode & 07777) != hostfs_given_mode(how, new->mode))
		host_hostfs_change(fd, how, &change, attr);
}

/* A path descriptor of the file that is open as @fd: no name is looked at. */
static int path_of(int fd, int how, struct host_hostfs_attr *attr)
{
	struct hostfs_proc_path path;
	int ret, err;

	ret = RETRY(open(hostfs_proc_path(&path, fd), O_PATH | O_CLOEXEC));
	if (ret < 0)
		return ret;
	err = host_hostfs_stat(ret, NULL, how, attr);
	if (err) {
		close(ret);
		return err;
	}
	return ret;
}

/*
 * Something is missing for a descriptor of what was just made: it must not stay, or a
 * second try would meet it. Who replaced it meanwhile keeps his own, if that can be told.
 */
static void unmake(int dir, const char *name, int data, unsigned int mode)
{
	struct stat ours, there;

	if (!name)
		return;
	if (data >= 0 && (fstat(data, &ours) || fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) ||
			  ours.st_dev != there.st_dev || ours.st_ino != there.st_ino))
		return;
	unlinkat(dir, name, S_ISDIR(mode) ? AT_REMOVEDIR : 0);
}

int host_hostfs_make(int dir, const char *name, int how, struct host_hostfs_new *new,
		     struct host_hostfs_attr *attr)
{
	int mapped = how & HOST_HOSTFS_MAPPED;
	int data = -1, fd, err = 0;

	new->data_fd = -1;
	if (name && !hostfs_component(name))
		return -EINVAL;
	if (S_ISDIR(new->mode))
		err = make_dir(dir, name, how, new);
	else if (S_ISREG(new->mode) || mapped)
		data = err = make_file(dir, name, how, new);
	else
		err = make_special(dir, name, how, new);
	if (err < 0)
		return err;

	fd = data >= 0 ? path_of(data, how, attr) : host_hostfs_open_path(dir, name, how, attr);
	if (fd < 0)
		unmake(dir, name, data, new->mode);
	/* Whoever replaced it meanwhile keeps his own. */
	if (fd >= 0 && !mapped && (attr->mode & S_IFMT) == (new->mode & S_IFMT))
		adopt(fd, how, new, attr);
	if (data >= 0 && fd >= 0 && new->open)
		new->data_fd = data;
	else if (data >= 0)
		close(data);
	return fd;
}

int host_hostfs_unlink(int dir, const char *name, int rmdir)
{
	if (!hostfs_component(name))
		return -EINVAL;
	return RETRY(unlinkat(dir, name, rmdir ? AT_REMOVEDIR : 0));
}

int host_hostfs_link(int fd, int dir, const char *name)
{
	struct hostfs_proc_path path;

	if (!hostfs_component(name))
		return -EINVAL;
	return RETRY(linkat(AT_FDCWD, hostfs_proc_path(&path, fd), dir, name,
			    AT_SYMLINK_FOLLOW));
}

int host_hostfs_rename(int from_dir, const char *from, int to_dir, const char *to,
		       unsigned int flags)
{
	if (!hostfs_component(from) || !hostfs_component(to))
		return -EINVAL;
	return RETRY(renameat2(from_dir, from, to_dir, to, flags));
}

int host_hostfs_readlink(int fd, int how, char *buf, unsigned long len)
{
	int n = RETRY(readlinkat(fd, "", buf, len));

	/* In a mapped tree the target may be the content of a file. */
	if (!(how & HOST_HOSTFS_MAPPED) || (n != -ENOENT && n != -EINVAL))
		return n;
	fd = host_hostfs_open(fd, how, HOST_HOSTFS_READ);
	if (fd < 0)
		return fd;
	n = RETRY(pread(fd, buf, len, 0));
	close(fd);
	return n;
}

int host_hostfs_open_dir(int fd)
{
	return open_below(fd, ".", O_RDONLY | O_DIRECTORY, 0);
}

int host_hostfs_list(int fd, long long pos, void *buf, unsigned long len)
{
	if (pos >= 0) {
		long err = RETRY(lseek(fd, pos, SEEK_SET));

		if (err < 0)
			return err;
	}
	return RETRY(syscall(SYS_getdents64, fd, buf, len));
}
