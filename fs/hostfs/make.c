// SPDX-License-Identifier: GPL-2.0
/*
 * Making files.
 *
 * The host makes them by one call, with the owner and the mode they are to have as far
 * as it lets us; a path descriptor of what was made comes back, so that nothing that
 * takes the name meanwhile is taken for it.
 */
#include <linux/namei.h>
#include "hostfs.h"

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
		hostfs_unlink_on_host(dir, name, S_ISDIR(mode));
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
	hostfs_set_fresh(dentry);
	d_instantiate(dentry, inode);
	return 0;
}

int hostfs_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		  umode_t mode, bool excl)
{
	struct host_hostfs_new new = { .mode = S_IFREG | (mode & S_IALLUGO) };

	return make(idmap, dir, dentry, &new);
}

/* Making and opening are one: a file that can't be opened is not left behind. */
int hostfs_atomic_open(struct inode *dir, struct dentry *dentry, struct file *file,
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

int hostfs_mkdir(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		 umode_t mode)
{
	struct host_hostfs_new new = { .mode = S_IFDIR | (mode & S_IALLUGO) };

	return make(idmap, dir, dentry, &new);
}

int hostfs_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		 umode_t mode, dev_t dev)
{
	struct host_hostfs_new new = {
		.mode = mode,
		.major = MAJOR(dev),
		.minor = MINOR(dev),
	};

	return make(idmap, dir, dentry, &new);
}

int hostfs_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		   const char *target)
{
	struct host_hostfs_new new = { .mode = S_IFLNK | 0777, .target = target };

	return make(idmap, dir, dentry, &new);
}

int hostfs_tmpfile(struct mnt_idmap *idmap, struct inode *dir, struct file *file,
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
