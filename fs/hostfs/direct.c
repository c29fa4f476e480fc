// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers between the host and user memory, past the guest's page cache.
 *
 * O_DIRECT opens the host's file so, too: what alignment it asks for, or that it
 * refuses, is the host's answer. And a long read of what is not cached here would only be
 * copied twice: the host caches it already.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include "hostfs.h"

/**
 * struct direct - a part of a transfer
 * @io: the call's argument
 * @pages: the memory's pages
 * @segments: the same for the host
 */
struct direct {
	struct host_hostfs_io io;
	struct page *pages[HOST_HOSTFS_SEGMENTS];
	struct host_hostfs_segment segments[HOST_HOSTFS_SEGMENTS];
};

static void describe(struct direct *direct, size_t len, size_t offset)
{
	struct host_hostfs_io *io = &direct->io;
	unsigned int i;

	io->nr = 0;
	io->len = len;
	for (i = 0; len; i++) {
		size_t part = min(len, PAGE_SIZE - offset);
		void *base = page_address(direct->pages[i]) + offset;
		struct host_hostfs_segment *last = &direct->segments[io->nr - 1];

		if (io->nr && last->base + last->len == base) {
			last->len += part;
		} else {
			direct->segments[io->nr].base = base;
			direct->segments[io->nr++].len = part;
		}
		len -= part;
		offset = 0;
	}
}

/* What the host has in memory is copied at once, the rest waited for. */
static long transfer(struct inode *inode, struct direct *direct, bool inline_ok)
{
	struct host_hostfs_io *io = &direct->io;
	long n;

	if (inline_ok && !hostfs_by_thread(inode)) {
		io->cached = 1;
		n = host_hostfs_transfer(io);
		io->cached = 0;
		if (n > 0 || (!n && !io->error))
			return n;
	}
	return hostfs_call_threaded(inode, host_hostfs_transfer, io);
}

/* One part, as long as there is room for. Returns bytes, or an error. */
static long do_part(struct inode *inode, struct direct *direct, struct iov_iter *iter,
		    bool inline_ok)
{
	bool pinned = iov_iter_extract_will_pin(iter);
	struct page **pages = direct->pages;
	size_t offset;
	ssize_t len;
	long n;

	len = iov_iter_extract_pages(iter, &pages, iov_iter_count(iter), HOST_HOSTFS_SEGMENTS, 0,
				     &offset);
	if (len <= 0)
		return len ? len : -EFAULT;
	describe(direct, len, offset);
	n = transfer(inode, direct, inline_ok);
	if (pinned)
		unpin_user_pages_dirty_lock(pages, DIV_ROUND_UP(offset + len, PAGE_SIZE),
					    !direct->io.write);
	if (n < len)
		iov_iter_revert(iter, len - max(n, 0L));
	return n;
}

/* Returns bytes, or an error if there were none; moves ki_pos. */
static ssize_t transfer_all(struct kiocb *iocb, struct iov_iter *iter, struct hostfs_data *data,
			    bool write)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	bool direct_io = iocb->ki_flags & IOCB_DIRECT;
	struct direct *direct = kmalloc(sizeof(*direct), GFP_KERNEL);
	ssize_t done = 0;
	long n = 0;

	if (!direct)
		return -ENOMEM;
	direct->io = (struct host_hostfs_io) {
		.fd = data->fd,
		.write = write,
		.sync = write && (iocb->ki_flags & IOCB_DSYNC),
		.how = hostfs_how(inode),
		.segments = direct->segments,
	};
	while (iov_iter_count(iter)) {
		direct->io.offset = iocb->ki_pos;
		n = do_part(inode, direct, iter, !write && !direct_io);
		if (n <= 0)
			break;
		iocb->ki_pos += n;
		done += n;
		if (direct->io.has_attr)
			hostfs_update(inode, &direct->io.attr, hostfs_version(inode->i_sb));
		if (write && iocb->ki_pos > i_size_read(inode))
			i_size_write(inode, iocb->ki_pos);
		/* The end of the file, or something is wrong behind this part. */
		if (n < direct->io.len && direct->io.error != -EAGAIN)
			break;
		if (fatal_signal_pending(current)) {
			n = -EINTR;
			break;
		}
		cond_resched();
	}
	kfree(direct);
	return done ? done : n;
}

ssize_t hostfs_direct_read(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct hostfs_data *data = iocb->ki_filp->private_data;
	size_t len = iov_iter_count(iter);
	ssize_t ret;

	if (!len)
		return 0;
	inode_lock_shared(inode);
	ret = filemap_write_and_wait_range(inode->i_mapping, iocb->ki_pos,
					   iocb->ki_pos + len - 1);
	if (!ret)
		ret = transfer_all(iocb, iter, data, false);
	inode_unlock_shared(inode);
	return ret;
}

/* The caller holds the inode's lock. */
ssize_t hostfs_direct_write(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct hostfs_data *data = iocb->ki_filp->private_data;
	loff_t pos = iocb->ki_pos;
	ssize_t ret;

	ret = file_modified(iocb->ki_filp);
	if (!ret)
		ret = filemap_write_and_wait(inode->i_mapping);
	if (!ret)
		ret = transfer_all(iocb, iter, data, true);
	if (ret > 0)
		invalidate_inode_pages2_range(inode->i_mapping, pos >> PAGE_SHIFT,
					      (pos + ret - 1) >> PAGE_SHIFT);
	return ret;
}

bool hostfs_read_uncached(struct kiocb *iocb, struct iov_iter *iter, ssize_t *ret)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct address_space *mapping = inode->i_mapping;
	loff_t left = i_size_read(inode) - iocb->ki_pos;
	size_t len = min_t(loff_t, iov_iter_count(iter), max(left, 0LL));
	struct hostfs_data *data;

	/* What is to be written may lie behind the end of the host's file. */
	if (len < HOSTFS_UNCACHED_MIN || !user_backed_iter(iter) ||
	    (iocb->ki_flags & (IOCB_NOWAIT | IOCB_DIRECT)) || hostfs_has_dirty_data(inode) ||
	    filemap_range_has_page(mapping, iocb->ki_pos, iocb->ki_pos + len - 1))
		return false;
	data = hostfs_get_data(inode, false);
	if (!data)
		return false;
	*ret = transfer_all(iocb, iter, data, false);
	hostfs_put_data(data);
	return true;
}
