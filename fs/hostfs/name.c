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

static void set_fresh(struct dentry *dentry)
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

static struct dentry *hostfs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
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
	set_fresh(dentry);
	alias = d_splice_alias(inode, dentry);
	if (!IS_ERR_OR_NULL(alias))
		set_fresh(alias);
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
		set_fresh(dentry);
	return ret;
}

const struct dentry_operations hostfs_dentry_ops = {
	.d_revalidate = hostfs_d_revalidate,
};

static void set_owner(struct mnt_idmap *idmap, struct inode *dir, struct host_hostfs_new *new)
{
	struct user_namespace *ns = dir->i_sb->s_user_ns;

	new->uid = from_kuid(ns, mapped_fsuid(idmap, ns));
	if (dir->i_mode & S_ISGID) {
		new->gid = from_kgid(ns, dir->i_gid);
		if (S_ISDIR(new->mode))
			new->mode |= S_ISGID;
	} else {
		new->gid = from_kgid(ns, mapped_fsgid(idmap, ns));
	}
}

/* The caller holds the inode that is returned. */
static struct inode *make_on_host(struct inode *dir, const char *name,
				  struct host_hostfs_new *new)
{
	struct super_block *sb = dir->i_sb;
	u64 version = hostfs_version(sb);
	struct host_hostfs_attr attr;
	struct inode *inode;
	int fd;

	fd = hostfs_hold(dir);
	if (fd < 0)
		return ERR_PTR(fd);
	fd = hostfs_need_fd(hostfs_call(dir, host_hostfs_make, fd, name, hostfs_how(dir), new,
					&attr));
	hostfs_let_go(dir);
	if (fd < 0)
		return ERR_PTR(fd);
	inode = hostfs_iget(sb, dir, &attr, version);
	if (IS_ERR(inode)) {
		host_hostfs_close(fd);
		if (new->data_fd >= 0)
			host_hostfs_close(new->data_fd);
		return inode;
	}
	hostfs_check_setid(sb, new->mode, attr.mode);
	hostfs_give(inode, fd);
	if (new->data_fd >= 0)
		hostfs_give_data(inode, new->data_fd);
	return inode;
}

static int unlink_on_host(struct inode *dir, const char *name, int rmdir)
{
	int fd = hostfs_hold(dir), err;

	if (fd < 0)
		return fd;
	err = hostfs_call(dir, host_hostfs_unlink, fd, name, rmdir);
	hostfs_let_go(dir);
	return err;
}

/*
 * Makes a file of any type, with what it inherits; without a name if that is NULL. The
 * caller holds the inode that is returned.
 */
static struct inode *make_inode(struct mnt_idmap *idmap, struct inode *dir, const char *name,
				struct host_hostfs_new *new)
{
	struct hostfs_acls acls = { };
	umode_t mode = new->mode;
	struct inode *inode;
	int err;

	err = hostfs_prepare_acls(dir, &mode, &acls);
	if (err)
		return ERR_PTR(err);
	new->mode = mode;
	set_owner(idmap, dir, new);
	inode = make_on_host(dir, name, new);
	err = IS_ERR(inode) ? 0 : hostfs_give_acls(inode, &acls);
	hostfs_release_acls(&acls);
	if (!err)
		return inode;
	/* Not with other rights than its directory says. */
	if (name)
		unlink_on_host(dir, name, S_ISDIR(mode));
	hostfs_drop_data(inode);
	hostfs_let_go(inode);
	iput(inode);
	return ERR_PTR(err);
}

static int make(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		struct host_hostfs_new *new)
{
	struct inode *inode;

	if (dentry->d_name.len > NAME_MAX)
		return -ENAMETOOLONG;
	inode = make_inode(idmap, dir, dentry->d_name.name, new);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	hostfs_let_go(inode);
	hostfs_expire(dir);
	set_fresh(dentry);
	d_instantiate(dentry, inode);
	return 0;
}

static int hostfs_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			 umode_t mode, bool excl)
{
	struct host_hostfs_new new = { .mode = S_IFREG | (mode & S_IALLUGO) };

	return make(idmap, dir, dentry, &new);
}

/* Making and opening are one: a file that can't be opened is not left behind. */
static int hostfs_atomic_open(struct inode *dir, struct dentry *dentry, struct file *file,
			      unsigned int flags, umode_t mode)
{
	struct host_hostfs_new new = { .mode = S_IFREG | (mode & S_IALLUGO), .open = 1 };
	struct dentry *alias = NULL;
	int err;

	if (d_in_lookup(dentry)) {
		alias = hostfs_lookup(dir, dentry, 0);
		if (IS_ERR(alias))
			return PTR_ERR(alias);
		if (alias)
			dentry = alias;
	}
	if (!(flags & O_CREAT) || d_really_is_positive(dentry))
		return finish_no_open(file, alias);

	err = make(file_mnt_idmap(file), dir, dentry, &new);
	if (err == -EEXIST && !(flags & O_EXCL)) {
		/* The host made it meanwhile: looked up again, it will be opened. */
		d_drop(dentry);
		err = -ESTALE;
	}
	if (!err) {
		file->f_mode |= FMODE_CREATED;
		err = finish_open(file, dentry, NULL);
		hostfs_drop_data(d_inode(dentry));
	}
	dput(alias);
	return err;
}

static int hostfs_mkdir(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			umode_t mode)
{
	struct host_hostfs_new new = { .mode = S_IFDIR | (mode & S_IALLUGO) };

	return make(idmap, dir, dentry, &new);
}

static int hostfs_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			umode_t mode, dev_t dev)
{
	struct host_hostfs_new new = {
		.mode = mode,
		.major = MAJOR(dev),
		.minor = MINOR(dev),
	};

	return make(idmap, dir, dentry, &new);
}

static int hostfs_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
			  const char *target)
{
	struct host_hostfs_new new = { .mode = S_IFLNK | 0777, .target = target };

	return make(idmap, dir, dentry, &new);
}

static int hostfs_tmpfile(struct mnt_idmap *idmap, struct inode *dir, struct file *file,
			  umode_t mode)
{
	struct host_hostfs_new new = { .mode = S_IFREG | (mode & S_IALLUGO), .open = 1 };
	struct inode *inode;
	int err;

	inode = make_inode(idmap, dir, NULL, &new);
	if (IS_ERR(inode))
		return inode == ERR_PTR(-EISDIR) ? -EOPNOTSUPP : PTR_ERR(inode);
	/* It has no name by which it could be opened again. */
	hostfs_keep(inode);
	d_mark_tmpfile(file, inode);
	d_instantiate(file->f_path.dentry, inode);
	err = finish_open_simple(file, 0);
	hostfs_drop_data(inode);
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
	err = unlink_on_host(dir, dentry->d_name.name, rmdir);
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
	set_fresh(dentry);
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
	set_fresh(from);
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

const struct inode_operations hostfs_special_iops = {
	.permission = hostfs_permission,
	.get_inode_acl = hostfs_get_acl,
	.set_acl = hostfs_set_acl,
	.setattr = hostfs_setattr,
	.getattr = hostfs_getattr,
	.listxattr = hostfs_listxattr,
};
