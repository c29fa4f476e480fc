// SPDX-License-Identifier: GPL-2.0
/* Extended attributes: names and values go to the host as they are. */
#include <linux/slab.h>
#include <linux/xattr.h>
#include "hostfs.h"

int hostfs_get_xattr(struct inode *inode, const char *name, void *buf, size_t size)
{
	int fd, ret;

	fd = hostfs_hold(inode);
	if (fd < 0)
		return fd;
	ret = hostfs_call(inode, host_hostfs_get_xattr, fd, hostfs_how(inode), name, buf, size);
	hostfs_let_go(inode);
	return ret;
}

int hostfs_set_xattr(struct inode *inode, const char *name, const void *value, size_t size,
		     int flags)
{
	int fd, ret;

	fd = hostfs_hold(inode);
	if (fd < 0)
		return fd;
	ret = hostfs_call(inode, host_hostfs_set_xattr, fd, hostfs_how(inode), name, value, size,
			  flags);
	hostfs_let_go(inode);
	hostfs_expire(inode);
	return ret;
}

static int get(const struct xattr_handler *handler, struct dentry *dentry, struct inode *inode,
	       const char *name, void *buf, size_t size)
{
	if (S_ISLNK(inode->i_mode))
		return -EOPNOTSUPP;
	return hostfs_get_xattr(inode, xattr_full_name(handler, name), buf, size);
}

static int set(const struct xattr_handler *handler, struct mnt_idmap *idmap,
	       struct dentry *dentry, struct inode *inode, const char *name, const void *value,
	       size_t size, int flags)
{
	/* To be told from a removal. */
	const void *no_bytes = "";

	if (S_ISLNK(inode->i_mode))
		return -EOPNOTSUPP;
	return hostfs_set_xattr(inode, xattr_full_name(handler, name),
				value && !size ? no_bytes : value, size, flags);
}

static const struct xattr_handler user_handler = {
	.prefix = XATTR_USER_PREFIX, .get = get, .set = set,
};

static const struct xattr_handler trusted_handler = {
	.prefix = XATTR_TRUSTED_PREFIX, .get = get, .set = set,
};

static const struct xattr_handler security_handler = {
	.prefix = XATTR_SECURITY_PREFIX, .get = get, .set = set,
};

const struct xattr_handler * const hostfs_xattr_handlers[] = {
	&user_handler, &trusted_handler, &security_handler, NULL
};

/* In a mapped tree only the whole list tells how long the guest's is. */
ssize_t hostfs_listxattr(struct dentry *dentry, char *buf, size_t size)
{
	struct inode *inode = d_inode(dentry);
	char *list = buf;
	int fd, n;

	if (hostfs_how(inode) & HOST_HOSTFS_MAPPED) {
		list = kvmalloc(XATTR_LIST_MAX, GFP_KERNEL);
		if (!list)
			return -ENOMEM;
	}
	fd = hostfs_hold(inode);
	n = fd;
	if (fd >= 0) {
		n = hostfs_call(inode, host_hostfs_list_xattr, fd, hostfs_how(inode), list,
				list == buf ? size : XATTR_LIST_MAX);
		hostfs_let_go(inode);
	}
	if (list != buf) {
		if (n > 0 && size && n > size)
			n = -ERANGE;
		else if (n > 0 && size)
			memcpy(buf, list, n);
		kvfree(list);
	}
	return n;
}
