// SPDX-License-Identifier: GPL-2.0
/*
 * Owners, modes and devices in extended attributes.
 *
 * An ordinary user can neither give files away nor make devices. A mapped tree
 * notes what the guest wanted in xattrs of the file, by the names and in the format
 * that QEMU's 9p server uses for its security model "mapped-xattr", so that
 * a tree can be used by both:
 *
 *	user.virtfs.uid		owner, 32 bits, little endian
 *	user.virtfs.gid		group, 32 bits
 *	user.virtfs.mode	type and permissions, 32 bits
 *	user.virtfs.rdev	device number as the C library has it, 64 bits
 *
 * What has none of them is shown as it is. Symbolic links, devices, FIFOs and
 * sockets are regular files whose mode says what they stand for; the target of a
 * link is the content. Only a directory is always one.
 *
 * Further xattrs of the guest: user.* keep their names, all others (security.*,
 * trusted.*, system.*) become user.virtfs.<name>. Guests neither see
 * nor reach names below user.virtfs.
 */
#include <endian.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "host.h"

#define PREFIX		"user.virtfs."
#define PREFIX_LEN	(sizeof(PREFIX) - 1)

static int get32(const char *path, const char *name, unsigned int *value)
{
	uint32_t raw;
	long n = RETRY(getxattr(path, name, &raw, sizeof(raw)));

	if (n != sizeof(raw))
		return n < 0 ? n : -EINVAL;
	*value = le32toh(raw);
	return 0;
}

static void get_device(const char *path, struct host_hostfs_attr *attr)
{
	uint64_t raw;

	if (RETRY(getxattr(path, PREFIX "rdev", &raw, sizeof(raw))) != sizeof(raw))
		raw = 0;
	attr->major = major(le64toh(raw));
	attr->minor = minor(le64toh(raw));
}

void hostfs_mapped_attr(const char *path, struct host_hostfs_attr *attr)
{
	unsigned int mode;

	/* Nothing else can have user xattrs. */
	if (!S_ISREG(attr->mode) && !S_ISDIR(attr->mode))
		return;
	if (!get32(path, PREFIX "mode", &mode)) {
		unsigned int type = mode & S_IFMT;

		/* A directory and a file can't stand for each other. */
		if (!type || S_ISDIR(attr->mode) || S_ISDIR(mode))
			type = attr->mode & S_IFMT;
		attr->mode = type | (mode & 07777);
	}
	get32(path, PREFIX "uid", &attr->uid);
	get32(path, PREFIX "gid", &attr->gid);
	if (S_ISCHR(attr->mode) || S_ISBLK(attr->mode))
		get_device(path, attr);
}

int hostfs_mapped_new(int fd, const struct host_hostfs_new *new)
{
	uint32_t uid = htole32(new->uid), gid = htole32(new->gid), mode = htole32(new->mode);
	uint64_t device = htole64(makedev(new->major, new->minor));
	int err;

	err = RETRY(fsetxattr(fd, PREFIX "uid", &uid, sizeof(uid), 0));
	if (!err)
		err = RETRY(fsetxattr(fd, PREFIX "gid", &gid, sizeof(gid), 0));
	if (!err)
		err = RETRY(fsetxattr(fd, PREFIX "mode", &mode, sizeof(mode), 0));
	if (!err && (S_ISCHR(new->mode) || S_ISBLK(new->mode)))
		err = RETRY(fsetxattr(fd, PREFIX "rdev", &device, sizeof(device), 0));
	return err;
}

int hostfs_mapped_change(const char *path, const struct host_hostfs_change *change)
{
	uint32_t uid = htole32(change->uid), gid = htole32(change->gid);
	uint32_t mode = htole32(change->mode);
	int err = 0;

	if (change->valid & HOST_HOSTFS_UID)
		err = RETRY(setxattr(path, PREFIX "uid", &uid, sizeof(uid), 0));
	if (!err && (change->valid & HOST_HOSTFS_GID))
		err = RETRY(setxattr(path, PREFIX "gid", &gid, sizeof(gid), 0));
	if (!err && (change->valid & HOST_HOSTFS_MODE))
		err = RETRY(setxattr(path, PREFIX "mode", &mode, sizeof(mode), 0));
	return err;
}

int hostfs_mapped_xattr(const char *name, char *buf)
{
	if (!strncmp(name, "user.", 5)) {
		if (!strncmp(name, PREFIX, PREFIX_LEN) || strlen(name) > 255)
			return -EPERM;
		strcpy(buf, name);
		return 0;
	}
	if (strlen(name) + PREFIX_LEN > 255)
		return -ERANGE;
	memcpy(buf, PREFIX, PREFIX_LEN);
	strcpy(buf + PREFIX_LEN, name);
	return 0;
}

const char *hostfs_mapped_listed(const char *name)
{
	if (!strncmp(name, PREFIX, PREFIX_LEN)) {
		name += PREFIX_LEN;
		/* Those by which the mapping works have no further part. */
		return strchr(name, '.') ? name : NULL;
	}
	return strncmp(name, "user.", 5) ? NULL : name;
}
