// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of attributes. The host makes them, and says what they are then.
 */
#include <linux/pagemap.h>
#include "hostfs.h"

static void describe_change(struct inode *inode, struct iattr *ia,
			    struct host_hostfs_change *change)
{
	if (ia->ia_valid & ATTR_MODE) {
		change->valid |= HOST_HOSTFS_MODE;
		change->mode = (inode->i_mode & S_IFMT) | (ia->ia_mode & S_IALLUGO);
	}
	if (ia->ia_valid & ATTR_UID) {
		change->valid |= HOST_HOSTFS_UID;
		change->uid = from_kuid(inode->i_sb->s_user_ns, ia->ia_uid);
	}
	if (ia->ia_valid & ATTR_GID) {
		change->valid |= HOST_HOSTFS_GID;
		change->gid = from_kgid(inode->i_sb->s_user_ns, ia->ia_gid);
	}
	if (ia->ia_valid & ATTR_SIZE) {
		change->valid |= HOST_HOSTFS_SIZE;
		change->size = ia->ia_size;
	}
	if (ia->ia_valid & ATTR_ATIME) {
		change->valid |= (ia->ia_valid & ATTR_ATIME_SET) ? HOST_HOSTFS_ATIME :
								  HOST_HOSTFS_ATIME_NOW;
		change->atime.sec = ia->ia_atime.tv_sec;
		change->atime.nsec = ia->ia_atime.tv_nsec;
	}
	if (ia->ia_valid & ATTR_MTIME) {
		change->valid |= (ia->ia_valid & ATTR_MTIME_SET) ? HOST_HOSTFS_MTIME :
								  HOST_HOSTFS_MTIME_NOW;
		change->mtime.sec = ia->ia_mtime.tv_sec;
		change->mtime.nsec = ia->ia_mtime.tv_nsec;
	}
}

/* Large files take their time to shrink. */
static int change_on_host(struct inode *inode, int fd, const struct host_hostfs_change *change,
			  struct host_hostfs_attr *attr)
{
	int how = hostfs_how(inode);
	int err;

	if ((change->valid & HOST_HOSTFS_SIZE) && i_size_read(inode) > SZ_16M)
		err = hostfs_call_threaded(inode, host_hostfs_change, fd, how, change, attr);
	else
		err = hostfs_call(inode, host_hostfs_change, fd, how, change, attr);
	if (attr->ino)
		hostfs_changed(inode, attr);
	return err;
}

int hostfs_change(struct inode *inode, struct host_hostfs_change *change)
{
	struct host_hostfs_attr attr = { };
	int fd, err;

	fd = hostfs_hold(inode);
	if (fd < 0)
		return fd;
	err = change_on_host(inode, fd, change, &attr);
	hostfs_let_go(inode);
	return err;
}

/*
 * Nothing becomes dirty from before the host's file is cut until the cache is: else
 * writing back could make it grow again. The host first: it may say no, and private
 * maps would have lost their pages.
 */
static int resize_on_host(struct inode *inode, int fd, struct host_hostfs_change *change,
			  struct host_hostfs_attr *attr)
{
	struct address_space *mapping = inode->i_mapping;
	struct hostfs_data *data = hostfs_get_data(inode, true);
	int err;

	if (data)
		change->write_fd = data->fd;
	filemap_invalidate_lock(mapping);
	filemap_write_and_wait(mapping);
	err = change_on_host(inode, fd, change, attr);
	if (!err)
		truncate_setsize(inode, change->size);
	filemap_invalidate_unlock(mapping);
	if (data)
		hostfs_put_data(data);
	return err;
}

/* Nobody is told by the call that bits are missing. */
void hostfs_check_setid(struct super_block *sb, umode_t asked, unsigned int got)
{
	if (S_ISREG(asked) && (asked & ~got & (S_ISUID | S_ISGID)) &&
	    !(HOSTFS_SB(sb)->how & (HOST_HOSTFS_MAPPED | HOST_HOSTFS_SETID)))
		pr_notice_once("hostfs: files of the host get no set-id bits; hostfs=<directory>,suid allows them\n");
}

int hostfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *ia)
{
	struct host_hostfs_change change = { .write_fd = -1 };
	struct inode *inode = d_inode(dentry);
	struct host_hostfs_attr attr = { };
	int fd, err;

	err = setattr_prepare(idmap, dentry, ia);
	if (err)
		return err;
	/* Files that may only grow: "> file" is not an error, but doesn't empty it. */
	if (hostfs_append(inode->i_sb))
		ia->ia_valid &= ~ATTR_SIZE;
	describe_change(inode, ia, &change);
	if (!change.valid)
		return 0;

	/* Writing later would change times. */
	if (S_ISREG(inode->i_mode))
		filemap_write_and_wait(inode->i_mapping);
	fd = hostfs_hold(inode);
	if (fd < 0)
		return fd;
	if (ia->ia_valid & ATTR_SIZE)
		err = resize_on_host(inode, fd, &change, &attr);
	else
		err = change_on_host(inode, fd, &change, &attr);
	hostfs_let_go(inode);
	if (!err && (change.valid & HOST_HOSTFS_MODE)) {
		hostfs_check_setid(inode->i_sb, change.mode, attr.mode);
		err = hostfs_chmod_acl(idmap, dentry);
	}
	return err;
}
