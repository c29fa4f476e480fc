// SPDX-License-Identifier: GPL-2.0
/*
 * What the host does to ranges of files: allocation, holes, copies, reflinks. Dirty data
 * is written before, and what is cached there is forgotten after.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/pagemap.h>
#include <linux/splice.h>
#include "hostfs.h"

/*
 * Whole pages go, and are read again: never zeroed ones of which a part is the
 * neighbour's. A dirty one would stay.
 */
static void forget_range(struct inode *inode, loff_t first, loff_t last)
{
	invalidate_inode_pages2_range(inode->i_mapping, first >> PAGE_SHIFT, last >> PAGE_SHIFT);
}

static void ask_again(struct inode *inode)
{
	hostfs_expire(inode);
	hostfs_refresh(inode);
}

/* Nothing is dirty. What was cached where the host's data is another now goes. */
static void forget_allocated(struct inode *inode, int mode, loff_t offset, loff_t len)
{
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
		forget_range(inode, offset, offset + len - 1);
	} else if (mode & FALLOC_FL_COLLAPSE_RANGE) {
		forget_range(inode, offset, LLONG_MAX);
		truncate_setsize(inode, max(i_size_read(inode) - len, offset));
	} else if (mode & FALLOC_FL_INSERT_RANGE) {
		forget_range(inode, offset, LLONG_MAX);
		i_size_write(inode, i_size_read(inode) + len);
	}
}

long hostfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	struct hostfs_data *data;
	long err;

	if (hostfs_append(inode->i_sb) && (mode & ~FALLOC_FL_KEEP_SIZE))
		return -EPERM;
	data = hostfs_get_data(inode, true);
	if (!data)
		return -EBADF;
	inode_lock(inode);
	err = file_modified(file);
	/* From here on until the cache is right nothing becomes dirty. */
	filemap_invalidate_lock(inode->i_mapping);
	if (!err)
		err = filemap_write_and_wait(inode->i_mapping);
	if (!err)
		err = hostfs_call_threaded(inode, host_hostfs_allocate, data->fd, mode, offset, len);
	if (!err)
		forget_allocated(inode, mode, offset, len);
	filemap_invalidate_unlock(inode->i_mapping);
	ask_again(inode);
	inode_unlock(inode);
	hostfs_put_data(data);
	return err;
}

/* The caller holds both inodes' locks. What is cached of the target goes. */
static long copy_on_host(struct file *from, loff_t from_pos, struct file *to, loff_t to_pos,
			 size_t len, bool clone)
{
	struct inode *from_inode = file_inode(from), *to_inode = file_inode(to);
	struct host_hostfs_copy copy = {
		.from_offset = from_pos,
		.to_offset = to_pos,
		.len = len,
		.clone = clone,
	};
	struct hostfs_data *from_data, *to_data;
	long ret;

	from_data = hostfs_get_data(from_inode, false);
	to_data = hostfs_get_data(to_inode, true);
	ret = from_data && to_data ? 0 : -EBADF;
	if (!ret)
		ret = filemap_write_and_wait(from_inode->i_mapping);
	filemap_invalidate_lock(to_inode->i_mapping);
	if (!ret)
		ret = filemap_write_and_wait(to_inode->i_mapping);
	if (!ret) {
		copy.from = from_data->fd;
		copy.to = to_data->fd;
		ret = hostfs_call_threaded(to_inode, host_hostfs_copy, &copy);
	}
	/* A clone of length 0 goes to the end. */
	if (ret >= 0 && (ret || clone))
		forget_range(to_inode, to_pos, ret ? to_pos + ret - 1 : LLONG_MAX);
	filemap_invalidate_unlock(to_inode->i_mapping);
	ask_again(to_inode);
	if (from_data)
		hostfs_put_data(from_data);
	if (to_data)
		hostfs_put_data(to_data);
	return ret;
}

ssize_t hostfs_copy_file_range(struct file *from, loff_t from_pos, struct file *to,
			       loff_t to_pos, size_t len, unsigned int flags)
{
	ssize_t ret = -EXDEV;

	if (file_inode(from)->i_sb == file_inode(to)->i_sb &&
	    !hostfs_append(file_inode(to)->i_sb)) {
		lock_two_nondirectories(file_inode(from), file_inode(to));
		ret = file_modified(to);
		if (!ret)
			ret = copy_on_host(from, from_pos, to, to_pos, min_t(size_t, len, SZ_1G),
					   false);
		unlock_two_nondirectories(file_inode(from), file_inode(to));
	}
	if (ret == -EXDEV || ret == -EOPNOTSUPP)
		ret = splice_copy_file_range(from, from_pos, to, to_pos, len);
	return ret;
}

loff_t hostfs_remap_range(struct file *from, loff_t from_pos, struct file *to, loff_t to_pos,
			  loff_t len, unsigned int flags)
{
	long ret;

	if (flags & ~REMAP_FILE_ADVISORY)
		return -EOPNOTSUPP;
	if (hostfs_append(file_inode(to)->i_sb))
		return -EPERM;
	lock_two_nondirectories(file_inode(from), file_inode(to));
	ret = file_modified(to);
	if (!ret)
		ret = copy_on_host(from, from_pos, to, to_pos, len, true);
	unlock_two_nondirectories(file_inode(from), file_inode(to));
	/* "To the end" is what a length of 0 means. */
	return ret < 0 ? ret : len ? len : i_size_read(file_inode(from)) - from_pos;
}
