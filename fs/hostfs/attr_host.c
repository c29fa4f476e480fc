// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of files (hostfs_host.h).
 *
 * Most calls take path descriptors as they are (AT_EMPTY_PATH). chmod, truncate and
 * access don't on hosts of today; they go through /proc/self/fd, whose
 * links lead to the very file of the descriptor and resolve no name.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host.h"

#define WANTED	(STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID)

int hostfs_component(const char *name)
{
	if (!name[0] || strchr(name, '/'))
		return 0;
	return strcmp(name, ".") && strcmp(name, "..");
}

/* By hand: printf's stack is too large for a kernel stack. */
const char *hostfs_proc_path(struct hostfs_proc_path *path, int fd)
{
	static const char dir[] = "/proc/self/fd/";
	char digits[12];
	char *p = path->text;
	int n = 0;

	memcpy(p, dir, sizeof(dir) - 1);
	p += sizeof(dir) - 1;
	do {
		digits[n++] = '0' + fd % 10;
		fd /= 10;
	} while (fd);
	while (n)
		*p++ = digits[--n];
	*p = '\0';
	return path->text;
}

static struct host_hostfs_time time_of(struct statx_timestamp t)
{
	return (struct host_hostfs_time){ .sec = t.tv_sec, .nsec = t.tv_nsec };
}

static void fill(struct host_hostfs_attr *attr, const struct statx *st)
{
	memset(attr, 0, sizeof(*attr));
	attr->dev = makedev(st->stx_dev_major, st->stx_dev_minor);
	attr->ino = st->stx_ino;
	/* A directory that is mounted at two places is two directories here. */
	if (S_ISDIR(st->stx_mode) && (st->stx_mask & STATX_MNT_ID))
		attr->mount = st->stx_mnt_id;
	if (st->stx_mask & STATX_BTIME)
		attr->birth = time_of(st->stx_btime);
	attr->atime = time_of(st->stx_atime);
	attr->mtime = time_of(st->stx_mtime);
	attr->ctime = time_of(st->stx_ctime);
	attr->size = st->stx_size;
	attr->blocks = st->stx_blocks;
	attr->mode = st->stx_mode;
	attr->nlink = st->stx_nlink;
	attr->uid = st->stx_uid;
	attr->gid = st->stx_gid;
	attr->major = st->stx_rdev_major;
	attr->minor = st->stx_rdev_minor;
	attr->blksize = st->stx_blksize;
}

/* One descriptor for the file and its xattrs: a name could be two files. */
static int stat_mapped(int dir, const char *name, int how, struct host_hostfs_attr *attr)
{
	int fd = host_hostfs_open_path(dir, name, how, attr);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int host_hostfs_stat(int fd, const char *name, int how, struct host_hostfs_attr *attr)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name ? 0 : AT_EMPTY_PATH);
	unsigned long long near = attr->dev;
	struct hostfs_proc_path path;
	struct statx st;
	int err;

	if (name && !hostfs_component(name))
		return -EINVAL;
	if (name && (how & HOST_HOSTFS_MAPPED))
		return stat_mapped(fd, name, how, attr);
	/* Whoever is mounted there is not asked then, but its device is known. */
	if (how & HOST_HOSTFS_NEAR)
		flags |= AT_STATX_DONT_SYNC;
	err = RETRY(statx(fd, name ? name : "", flags, WANTED, &st));
	if (err)
		return err;
	fill(attr, &st);
	if ((how & HOST_HOSTFS_NEAR) && attr->dev != near)
		return -EXDEV;
	if (how & HOST_HOSTFS_MAPPED)
		hostfs_mapped_attr(hostfs_proc_path(&path, fd), attr);
	return 0;
}

static struct timespec time_to_set(unsigned int valid, unsigned int set, unsigned int now,
				   struct host_hostfs_time t)
{
	if (valid & now)
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	if (valid & set)
		return (struct timespec){ .tv_sec = t.sec, .tv_nsec = t.nsec };
	return (struct timespec){ .tv_nsec = UTIME_OMIT };
}

static int change_times(int fd, const struct host_hostfs_change *change)
{
	struct timespec times[2] = {
		time_to_set(change->valid, HOST_HOSTFS_ATIME, HOST_HOSTFS_ATIME_NOW,
			    change->atime),
		time_to_set(change->valid, HOST_HOSTFS_MTIME, HOST_HOSTFS_MTIME_NOW,
			    change->mtime),
	};

	return RETRY(utimensat(fd, "", times, AT_EMPTY_PATH));
}

static int change_owner(int fd, const struct host_hostfs_change *change)
{
	return RETRY(fchownat(fd, "", (change->valid & HOST_HOSTFS_UID) ? change->uid : -1u,
			      (change->valid & HOST_HOSTFS_GID) ? change->gid : -1u,
			      AT_EMPTY_PATH));
}

#define OWNER	(HOST_HOSTFS_UID | HOST_HOSTFS_GID)
#define TIMES	(HOST_HOSTFS_ATIME | HOST_HOSTFS_MTIME | HOST_HOSTFS_ATIME_NOW | \
		 HOST_HOSTFS_MTIME_NOW)

/* The size first, the times last: what comes between changes them. */
static int change_all(int fd, const char *path, int how, const struct host_hostfs_change *change)
{
	int mapped = how & HOST_HOSTFS_MAPPED;
	int err = 0;

	if (change->valid & HOST_HOSTFS_SIZE)
		err = change->write_fd >= 0 ? RETRY(ftruncate(change->write_fd, change->size)) :
					      RETRY(truncate(path, change->size));
	if (!err && mapped && (change->valid & (OWNER | HOST_HOSTFS_MODE)))
		err = hostfs_mapped_change(path, change);
	if (!err && !mapped && (change->valid & OWNER))
		err = change_owner(fd, change);
	/* After the owner, whose change takes set-id bits away. */
	if (!err && !mapped && (change->valid & HOST_HOSTFS_MODE))
		err = RETRY(chmod(path, hostfs_given_mode(how, change->mode)));
	if (!err && (change->valid & TIMES))
		err = change_times(fd, change);
	return err;
}

int host_hostfs_change(int fd, int how, const struct host_hostfs_change *change,
		       struct host_hostfs_attr *attr)
{
	struct hostfs_proc_path path;
	int err, stat_err;

	err = change_all(fd, hostfs_proc_path(&path, fd), how, change);
	stat_err = host_hostfs_stat(fd, NULL, how, attr);
	return err ? err : stat_err;
}

int host_hostfs_access(int fd, int mask)
{
	struct hostfs_proc_path path;

	return RETRY(faccessat(AT_FDCWD, hostfs_proc_path(&path, fd), mask, AT_EACCESS));
}

int host_hostfs_statfs(int fd, struct host_hostfs_space *space)
{
	struct statfs st;
	int err = RETRY(fstatfs(fd, &st));

	if (err)
		return err;
	space->bsize = st.f_bsize;
	space->frsize = st.f_frsize ? st.f_frsize : st.f_bsize;
	space->blocks = st.f_blocks;
	space->bfree = st.f_bfree;
	space->bavail = st.f_bavail;
	space->files = st.f_files;
	space->ffree = st.f_ffree;
	space->namelen = st.f_namelen;
	return 0;
}
