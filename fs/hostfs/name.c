// SPDX-License-Identifier: GPL-2.0
/*
 * Names: what is done in directories.
 *
 * Each call to the host is by the descriptor of the directory and one name. The
 * guest's kernel resolves paths and symbolic links; ".." is never seen by the
 * host.
 */
#include <linux/namei.h>
#include <linux/slab.h>
#include "hostfs.h"

static u64 fresh_ns(struct dentry *dentry)
{
	return HOSTFS_SB(dentry->d_sb)->fresh_ns;
}

void hostfs_set_fresh(struct dentry *dentry)
{
	dentry->d_time = ktime_get_ns();
}

static bool is_fresh(struct dentry *dentry)
{
	unsigned long checked = READ_ONCE(dentry->d_time);

	return checked && ktime_get_ns() - checked < fresh_ns(dentry);
}

/*
 * What is mounted there is on another device. It is asked for by a thread unless it is
 * known to answer.
 */
static int stat_elsewhere(struct inode *dir, int fd, const char *name,
			  struct host_hostfs_attr *attr)
{
	int how = hostfs_how(dir);
	int local, err = -EXDEV;

	if (!hostfs_is_remote(dir->i_sb, attr->dev))
		err = hostfs_need_fd(hostfs_call(dir, host_hostfs_stat, fd, name,
						 how | HOST_HOSTFS_NEAR, attr));
	if (err != -EXDEV)
		return err;
	err = hostfs_need_fd(hostfs_call_remote(host_hostfs_look, fd, name, how, attr, &local));
	return err ? err : hostfs_add_device(dir->i_sb, attr->dev, !local);
}

/* The attributes of what the host has by a name. */
static int stat_below(struct inode *dir, const char *name, struct host_hostfs_attr *attr)
{
	int fd, err;

	fd = hostfs_hold(dir);
	if (fd < 0)
		return fd;
	attr->dev = HOSTFS_I(dir)->dev;
	err = hostfs_need_fd(hostfs_call(dir, host_hostfs_stat, fd, name,
					 hostfs_how(dir) | hostfs_near(dir), attr));
	if (err == -EXDEV)
		err = stat_elsewhere(dir, fd, name, attr);
	hostfs_let_go(dir);
	return err;
}

struct dentry *hostfs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	u64 version = hostfs_version(dir->i_sb);
	struct host_hostfs_attr attr;
	struct inode *inode = NULL;
	struct dentry *alias;
	int err;

	if (dentry->d_name.len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	err = stat_below(dir, dentry->d_name.name, &attr);
	if (err && err != -ENOENT)
		return ERR_PTR(err);
	if (!err)
		inode = hostfs_iget(dir->i_sb, dir, &attr, version);
	hostfs_set_fresh(dentry);
	alias = d_splice_alias(inode, dentry);
	if (!IS_ERR_OR_NULL(alias))
		hostfs_set_fresh(alias);
	return alias;
}

/* Is what the host has by the dentry's name now what we think it is? */
static int compare(struct dentry *dentry, struct inode *dir)
{
	u64 version = hostfs_version(dir->i_sb);
	struct inode *inode = d_inode(dentry);
	struct host_hostfs_attr attr;
	struct name_snapshot name;
	int err;

	take_dentry_name_snapshot(&name, dentry);
	err = stat_below(dir, name.name.name, &attr);
	release_dentry_name_snapshot(&name);
	if (err == -ESTALE)
		return 0;
	if (err == -ENOENT || err == -ENOTDIR)
		return !inode;
	if (err)
		return err;
	if (!inode || !hostfs_is(inode, &attr))
		return 0;
	hostfs_update(inode, &attr, version);
	return 1;
}

static int hostfs_d_revalidate(struct dentry *dentry, unsigned int flags)
{
	struct dentry *parent;
	int ret;

	if (is_fresh(dentry))
		return 1;
	if (flags & LOOKUP_RCU)
		return -ECHILD;
	parent = dget_parent(dentry);
	ret = compare(dentry, d_inode(parent));
	dput(parent);
	if (ret > 0)
		hostfs_set_fresh(dentry);
	return ret;
}

const struct dentry_operations hostfs_dentry_ops = {
	.d_revalidate = hostfs_d_revalidate,
};

int hostfs_unlink_on_host(struct inode *dir, const char *name, int rmdir)
{
	int fd = hostfs_hold(dir), err;

	if (fd < 0)
		return fd;
	err = hostfs_call(dir, host_hostfs_unlink, fd, name, rmdir);
	hostfs_let_go(dir);
	return err;
}

/*
 * A file that loses its name, but is in use by others than the caller: only a descriptor
 * reaches it from now on. Returns true if one is held.
 */
static bool keep_if_used(struct dentry *dentry)
{
	return d_count(dentry) > 1 && hostfs_hold(d_inode(dentry)) >= 0;
}

static void lost_a_name(struct inode *inode)
{
	struct host_hostfs_attr attr;
	int fd;

	if (S_ISDIR(inode->i_mode)) {
		clear_nlink(inode);
		return;
	}
	if (inode->i_nlink > 1 && READ_ONCE(HOSTFS_I(inode)->handle.fd) >= 0) {
		fd = hostfs_hold(inode);
		if (fd >= 0 && !hostfs_call(inode, host_hostfs_stat, fd, NULL,
					    hostfs_how(inode), &attr))
			hostfs_changed(inode, &attr);
		if (fd >= 0)
			hostfs_let_go(inode);
		return;
	}
	if (inode->i_nlink)
		drop_nlink(inode);
	hostfs_expire(inode);
}

static int remove(struct inode *dir, struct dentry *dentry, int rmdir)
{
	struct inode *inode = d_inode(dentry);
	bool kept;
	int err;

	/* Files that may only grow don't vanish. */
	if (hostfs_append(dir->i_sb))
		return -EPERM;
	kept = keep_if_used(dentry);
	err = hostfs_unlink_on_host(dir, dentry->d_name.name, rmdir);
	if (err) {
		if (kept)
			hostfs_let_go(inode);
		return err;
	}
	if (kept)
		hostfs_keep(inode);
	lost_a_name(inode);
	hostfs_expire(dir);
	return 0;
}

static int hostfs_unlink(struct inode *dir, struct dentry *dentry)
{
	return remove(dir, dentry, 0);
}

static int hostfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	return remove(dir, dentry, 1);
}

static int hostfs_link(struct dentry *old, struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(old);
	struct host_hostfs_attr attr;
	int fd, dir_fd, err;

	if (dentry->d_name.len > NAME_MAX)
		return -ENAMETOOLONG;
	fd = hostfs_hold(inode);
	if (fd < 0)
		return fd;
	dir_fd = hostfs_hold(dir);
	if (dir_fd < 0) {
		hostfs_let_go(inode);
		return dir_fd;
	}
	err = hostfs_call(dir, host_hostfs_link, fd, dir_fd, dentry->d_name.name);
	if (!err)
		err = hostfs_call(dir, host_hostfs_stat, fd, NULL, hostfs_how(dir), &attr);
	hostfs_let_go(dir);
	hostfs_let_go(inode);
	if (err)
		return err;
	hostfs_changed(inode, &attr);
	hostfs_expire(dir);
	hostfs_set_fresh(dentry);
	ihold(inode);
	d_instantiate(dentry, inode);
	return 0;
}

static int rename_on_host(struct inode *from_dir, struct dentry *from,
			  struct inode *to_dir, struct dentry *to, unsigned int flags)
{
	int from_fd, to_fd, err;

	from_fd = hostfs_hold(from_dir);
	if (from_fd < 0)
		return from_fd;
	to_fd = hostfs_hold(to_dir);
	if (to_fd >= 0) {
		err = hostfs_call(from_dir, host_hostfs_rename, from_fd, from->d_name.name,
				  to_fd, to->d_name.name, flags);
		hostfs_let_go(to_dir);
	} else {
		err = to_fd;
	}
	hostfs_let_go(from_dir);
	return err;
}

static int hostfs_rename(struct mnt_idmap *idmap, struct inode *from_dir, struct dentry *from,
			 struct inode *to_dir, struct dentry *to, unsigned int flags)
{
	struct inode *target = d_inode(to);
	bool kept = false;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (to->d_name.len > NAME_MAX)
		return -ENAMETOOLONG;
	if (hostfs_append(from_dir->i_sb) && !(flags & RENAME_EXCHANGE)) {
		/* To replace a file is to remove it. */
		if (target)
			return -EPERM;
		flags |= RENAME_NOREPLACE;
	}
	if (target && !(flags & RENAME_EXCHANGE))
		kept = keep_if_used(to);
	err = rename_on_host(from_dir, from, to_dir, to, flags);
	if (err) {
		if (kept)
			hostfs_let_go(target);
		return err;
	}
	if (target && !(flags & RENAME_EXCHANGE)) {
		if (kept)
			hostfs_keep(target);
		lost_a_name(target);
	}
	hostfs_expire(d_inode(from));
	hostfs_expire(from_dir);
	hostfs_expire(to_dir);
	/* Each dentry moves along with the name. */
	hostfs_set_fresh(from);
	return 0;
}

static const char *hostfs_get_link(struct dentry *dentry, struct inode *inode,
				   struct delayed_call *done)
{
	char *target;
	int fd, n;

	if (!dentry)
		return ERR_PTR(-ECHILD);
	target = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!target)
		return ERR_PTR(-ENOMEM);
	fd = hostfs_hold(inode);
	if (fd < 0) {
		kfree(target);
		return ERR_PTR(fd);
	}
	n = hostfs_call(inode, host_hostfs_readlink, fd, hostfs_how(inode), target,
			PATH_MAX - 1);
	hostfs_let_go(inode);
	if (n < 0) {
		kfree(target);
		return ERR_PTR(n);
	}
	target[n] = '\0';
	set_delayed_call(done, kfree_link, target);
	return target;
}

const struct inode_operations hostfs_dir_iops = {
	.lookup = hostfs_lookup,
	.permission = hostfs_permission,
	.get_inode_acl = hostfs_get_acl,
	.set_acl = hostfs_set_acl,
	.getattr = hostfs_getattr,
	.setattr = hostfs_setattr,
	.listxattr = hostfs_listxattr,
	.create = hostfs_create,
	.atomic_open = hostfs_atomic_open,
	.tmpfile = hostfs_tmpfile,
	.mknod = hostfs_mknod,
	.mkdir = hostfs_mkdir,
	.symlink = hostfs_symlink,
	.link = hostfs_link,
	.rename = hostfs_rename,
	.unlink = hostfs_unlink,
	.rmdir = hostfs_rmdir,
};

/* Also of devices and their like. */
const struct inode_operations hostfs_file_iops = {
	.permission = hostfs_permission,
	.get_inode_acl = hostfs_get_acl,
	.set_acl = hostfs_set_acl,
	.setattr = hostfs_setattr,
	.getattr = hostfs_getattr,
	.listxattr = hostfs_listxattr,
};

const struct inode_operations hostfs_link_iops = {
	.get_link = hostfs_get_link,
	.setattr = hostfs_setattr,
	.getattr = hostfs_getattr,
};
