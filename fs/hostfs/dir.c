// SPDX-License-Identifier: GPL-2.0
/*
 * Listing directories.
 *
 * Each open directory has a descriptor of its own, and positions are the host's:
 * so a listing stays right while others add and remove entries. What the host gives
 * at a time is kept until the reader has taken all of it.
 */
#include <linux/slab.h>
#include "hostfs.h"

#define BUFFER_SIZE	SZ_32K

/**
 * struct listing - an open directory
 * @fd: the host's
 * @pos: position of the entry at @next
 * @next: first entry in @buf that was not taken
 * @end: end of the entries in @buf
 * @buf: entries
 */
struct listing {
	int fd;
	loff_t pos;
	unsigned int next;
	unsigned int end;
	char buf[BUFFER_SIZE] __aligned(8);
};

static int hostfs_dir_open(struct inode *inode, struct file *file)
{
	struct listing *listing;
	int fd;

	listing = kvmalloc(sizeof(*listing), GFP_KERNEL);
	if (!listing)
		return -ENOMEM;
	fd = hostfs_hold(inode);
	if (fd >= 0) {
		listing->fd = hostfs_need_fd(hostfs_call(inode, host_hostfs_open_dir, fd));
		hostfs_let_go(inode);
		fd = listing->fd;
	}
	if (fd < 0) {
		kvfree(listing);
		return fd;
	}
	listing->pos = 0;
	listing->next = 0;
	listing->end = 0;
	file->private_data = listing;
	return 0;
}

static int hostfs_dir_release(struct inode *inode, struct file *file)
{
	struct listing *listing = file->private_data;

	hostfs_call(inode, host_hostfs_close, listing->fd);
	kvfree(listing);
	return 0;
}

static bool emit(struct file *file, struct dir_context *ctx,
		 const struct host_hostfs_dirent *entry)
{
	struct inode *inode = file_inode(file);
	unsigned int len = strlen(entry->name);
	unsigned int type = entry->type;

	/* ".." of the topmost directory is no business of the guest's. */
	if (len == 1 && entry->name[0] == '.')
		return dir_emit_dot(file, ctx);
	if (len == 2 && entry->name[0] == '.' && entry->name[1] == '.')
		return dir_emit_dotdot(file, ctx);
	/* A file can stand for something else there. */
	if ((hostfs_how(inode) & HOST_HOSTFS_MAPPED) && type == DT_REG)
		type = DT_UNKNOWN;
	return dir_emit(ctx, entry->name, len,
			hostfs_inode_number(inode->i_sb, HOSTFS_I(inode)->dev, entry->ino), type);
}

/* Get more entries, beginning at the reader's position. Returns the number of bytes. */
static int fetch(struct file *file, struct listing *listing, loff_t pos)
{
	struct inode *inode = file_inode(file);
	loff_t seek = pos != listing->pos || !pos ? pos : -1;
	int n;

	n = hostfs_call(inode, host_hostfs_list, listing->fd, seek, listing->buf, BUFFER_SIZE);
	listing->next = 0;
	listing->end = n > 0 ? n : 0;
	listing->pos = pos;
	/* The directory was removed. */
	return n == -ENOENT ? 0 : n;
}

static int hostfs_iterate(struct file *file, struct dir_context *ctx)
{
	struct listing *listing = file->private_data;

	for (;;) {
		const struct host_hostfs_dirent *entry;

		if (listing->next == listing->end || ctx->pos != listing->pos) {
			int n = fetch(file, listing, ctx->pos);

			if (n <= 0)
				return n;
		}
		entry = (void *)listing->buf + listing->next;
		if (!emit(file, ctx, entry))
			return 0;
		listing->next += entry->reclen;
		listing->pos = entry->next;
		ctx->pos = entry->next;
	}
}

/* Any position that the host gave is good; rewinding also forgets what was read. */
static loff_t hostfs_dir_llseek(struct file *file, loff_t offset, int whence)
{
	struct listing *listing = file->private_data;
	loff_t pos;

	inode_lock(file_inode(file));
	switch (whence) {
	case SEEK_CUR:
		pos = file->f_pos + offset;
		break;
	case SEEK_SET:
		pos = offset;
		break;
	default:
		pos = -EINVAL;
	}
	if (pos >= 0 && (whence != SEEK_CUR || offset)) {
		file->f_pos = pos;
		listing->next = 0;
		listing->end = 0;
		listing->pos = -1;
	}
	inode_unlock(file_inode(file));
	return pos < 0 ? -EINVAL : pos;
}

static int hostfs_dir_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct listing *listing = file->private_data;

	return hostfs_call_threaded(file_inode(file), host_hostfs_sync, listing->fd, datasync);
}

const struct file_operations hostfs_dir_fops = {
	.open = hostfs_dir_open,
	.release = hostfs_dir_release,
	.iterate_shared = hostfs_iterate,
	.llseek = hostfs_dir_llseek,
	.read = generic_read_dir,
	.fsync = hostfs_dir_fsync,
};
