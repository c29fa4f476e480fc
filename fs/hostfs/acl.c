// SPDX-License-Identifier: GPL-2.0
/*
 * POSIX ACLs.
 *
 * They go to the host as the extended attributes they are. In a plain tree these are
 * the host's ACLs: it keeps them and the mode in agreement, has new files inherit them,
 * and the guest's kernel decides by them as it does by the mode. In a mapped tree
 * they are renamed as other attributes are (mapped_host.c), mean nothing to the host,
 * and all of that is our part.
 */
#include <linux/fs.h>
#include <linux/posix_acl_xattr.h>
#include <linux/slab.h>
#include <linux/xattr.h>
#include "hostfs.h"

/* Few have more entries than fit into this; those are asked for twice. */
#define USUAL_SIZE	512

static bool is_mapped(struct inode *inode)
{
	return hostfs_how(inode) & HOST_HOSTFS_MAPPED;
}

static struct posix_acl *read_acl(struct inode *inode, const char *name, size_t size)
{
	struct posix_acl *acl;
	void *buf = kvmalloc(size, GFP_KERNEL);
	int n;

	if (!buf)
		return ERR_PTR(-ENOMEM);
	n = hostfs_get_xattr(inode, name, buf, size);
	acl = n < 0 ? ERR_PTR(n) : posix_acl_from_xattr(inode->i_sb->s_user_ns, buf, n);
	kvfree(buf);
	return acl;
}

struct posix_acl *hostfs_get_acl(struct inode *inode, int type, bool rcu)
{
	const char *name = posix_acl_xattr_name(type);
	struct posix_acl *acl;

	if (rcu)
		return ERR_PTR(-ECHILD);
	acl = read_acl(inode, name, USUAL_SIZE);
	if (acl == ERR_PTR(-ERANGE))
		acl = read_acl(inode, name, XATTR_SIZE_MAX);
	/* What is mounted there may have none. */
	if (acl == ERR_PTR(-ENODATA) || acl == ERR_PTR(-EOPNOTSUPP))
		return NULL;
	return acl;
}

static int write_acl(struct inode *inode, const struct posix_acl *acl, int type)
{
	const char *name = posix_acl_xattr_name(type);
	void *buf;
	int size, err;

	if (!acl) {
		err = hostfs_set_xattr(inode, name, NULL, 0, 0);
		return err == -ENODATA ? 0 : err;
	}
	size = posix_acl_xattr_size(acl->a_count);
	buf = kvmalloc(size, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	err = posix_acl_to_xattr(inode->i_sb->s_user_ns, acl, buf, size);
	if (err >= 0)
		err = hostfs_set_xattr(inode, name, buf, size, 0);
	kvfree(buf);
	return err;
}

int hostfs_set_acl(struct mnt_idmap *idmap, struct dentry *dentry, struct posix_acl *acl, int type)
{
	struct inode *inode = d_inode(dentry);
	struct host_hostfs_change change = {
		.valid = HOST_HOSTFS_MODE,
		.write_fd = -1,
	};
	umode_t mode = inode->i_mode;
	int err = 0;

	/* Who can be told by the mode alone needs no ACL. */
	if (acl && type == ACL_TYPE_ACCESS && is_mapped(inode))
		err = posix_acl_update_mode(idmap, inode, &mode, &acl);
	if (!err)
		err = write_acl(inode, acl, type);
	if (!err && mode != inode->i_mode) {
		change.mode = mode;
		err = hostfs_change(inode, &change);
	}
	forget_cached_acl(inode, type);
	hostfs_expire(inode);
	return err ? err : hostfs_refresh(inode);
}

int hostfs_chmod_acl(struct mnt_idmap *idmap, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);

	if (is_mapped(inode))
		return posix_acl_chmod(idmap, dentry, inode->i_mode);
	forget_cached_acl(inode, ACL_TYPE_ACCESS);
	return 0;
}

int hostfs_prepare_acls(struct inode *dir, umode_t *mode, struct hostfs_acls *acls)
{
	return posix_acl_create(dir, mode, &acls->for_new, &acls->access);
}

int hostfs_give_acls(struct inode *inode, const struct hostfs_acls *acls)
{
	int err = 0;

	if (!is_mapped(inode))
		return 0;
	if (acls->for_new)
		err = write_acl(inode, acls->for_new, ACL_TYPE_DEFAULT);
	if (acls->access && !err)
		err = write_acl(inode, acls->access, ACL_TYPE_ACCESS);
	return err;
}

void hostfs_release_acls(struct hostfs_acls *acls)
{
	posix_acl_release(acls->for_new);
	posix_acl_release(acls->access);
}
