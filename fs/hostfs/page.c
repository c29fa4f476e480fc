// SPDX-License-Identifier: GPL-2.0
/*
 * The page cache of regular files.
 *
 * Reading ahead and writing back gather neighbouring folios into transfers, which a
 * host thread makes; their interrupt ends the folios' reading or writing. What is small
 * and needs no waiting is read at once. Data moves between the host's page cache and
 * the guest's directly, through the linear map.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/writeback.h>
#include "hostfs.h"

/**
 * struct transfer - folios that are read or written together
 * @request: the call that does it
 * @io: its argument
 * @data: the file of the host
 * @inode: whose data it is
 * @nr: number of folios
 * @folios: they, in the order of the file
 * @segments: their memory
 */
struct transfer {
	struct hostfs_request request;
	struct host_hostfs_io io;
	struct hostfs_data *data;
	struct inode *inode;
	unsigned int nr;
	struct folio *folios[HOST_HOSTFS_SEGMENTS];
	struct host_hostfs_segment segments[HOST_HOSTFS_SEGMENTS];
};

static struct transfer *new_transfer(struct inode *inode, bool write, loff_t pos, gfp_t gfp)
{
	struct transfer *transfer = kmalloc(sizeof(*transfer), gfp);

	if (!transfer)
		return NULL;
	transfer->data = hostfs_get_data(inode, write);
	if (!transfer->data) {
		kfree(transfer);
		return NULL;
	}
	transfer->inode = inode;
	transfer->nr = 0;
	transfer->io = (struct host_hostfs_io) {
		.fd = transfer->data->fd,
		.write = write,
		.how = hostfs_how(inode),
		.segments = transfer->segments,
		.offset = pos,
	};
	return transfer;
}

static void free_transfer(struct transfer *transfer)
{
	hostfs_put_data(transfer->data);
	kfree(transfer);
}

static bool is_full(const struct transfer *transfer)
{
	return transfer->nr == HOST_HOSTFS_SEGMENTS;
}

static void add_folio(struct transfer *transfer, struct folio *folio, size_t len)
{
	struct host_hostfs_io *io = &transfer->io;
	struct host_hostfs_segment *last = &transfer->segments[io->nr - 1];
	void *base = folio_address(folio);

	transfer->folios[transfer->nr++] = folio;
	io->len += len;
	if (io->nr && last->base + last->len == base) {
		last->len += len;
		return;
	}
	transfer->segments[io->nr].base = base;
	transfer->segments[io->nr++].len = len;
}

/* Reading */

/* What the host's file did not have is zero: it ends there, or we are to write that. */
static void end_read(struct transfer *transfer)
{
	struct host_hostfs_io *io = &transfer->io;
	long left = max(transfer->request.host.result, 0L);
	unsigned int i;

	for (i = 0; i < transfer->nr; i++) {
		struct folio *folio = transfer->folios[i];
		size_t size = folio_size(folio);
		size_t got = min_t(size_t, left, size);

		left -= got;
		if (got < size && !io->error)
			folio_zero_range(folio, got, size - got);
		folio_end_read(folio, got == size || !io->error);
	}
	free_transfer(transfer);
}

static void read_done(struct hostfs_request *request)
{
	end_read(container_of(request, struct transfer, request));
}

static void call_of(struct transfer *transfer)
{
	transfer->request.host.fn = (host_hostfs_fn)(void *)host_hostfs_transfer;
	transfer->request.host.args[0] = (long)&transfer->io;
	transfer->request.host.remote = HOSTFS_I(transfer->inode)->remote;
}

/* Returns true if all was in the host's memory. */
static bool read_at_once(struct transfer *transfer)
{
	struct host_hostfs_io *io = &transfer->io;
	long n;

	if (io->len > HOSTFS_INLINE_MAX || hostfs_by_thread(transfer->inode))
		return false;
	io->cached = 1;
	n = host_hostfs_transfer(io);
	io->cached = 0;
	if (n < 0 || io->error)
		return false;
	transfer->request.host.result = n;
	return true;
}

static void start_read(struct transfer *transfer)
{
	if (read_at_once(transfer)) {
		end_read(transfer);
		return;
	}
	call_of(transfer);
	transfer->request.done = read_done;
	hostfs_start(&transfer->request);
}

static void hostfs_readahead(struct readahead_control *rac)
{
	struct transfer *transfer = NULL;
	struct folio *folio;

	while ((folio = readahead_folio(rac))) {
		if (!transfer)
			transfer = new_transfer(rac->mapping->host, false, folio_pos(folio),
						GFP_KERNEL);
		/* What stays unread is read folio by folio. */
		if (!transfer) {
			folio_unlock(folio);
			continue;
		}
		add_folio(transfer, folio, folio_size(folio));
		if (is_full(transfer)) {
			start_read(transfer);
			transfer = NULL;
		}
	}
	if (transfer)
		start_read(transfer);
}

static int hostfs_read_folio(struct file *file, struct folio *folio)
{
	struct transfer *transfer;

	transfer = new_transfer(folio->mapping->host, false, folio_pos(folio), GFP_KERNEL);
	if (!transfer) {
		folio_unlock(folio);
		return -EIO;
	}
	add_folio(transfer, folio, folio_size(folio));
	start_read(transfer);
	return 0;
}

/* Fill a locked folio and leave it locked. */
static int fill_folio(struct inode *inode, struct folio *folio)
{
	struct host_hostfs_segment segment = {
		.base = folio_address(folio),
		.len = folio_size(folio),
	};
	struct host_hostfs_io io = {
		.how = hostfs_how(inode),
		.nr = 1,
		.segments = &segment,
		.offset = folio_pos(folio),
		.len = segment.len,
		.cached = 1,
	};
	struct hostfs_data *data = hostfs_get_data(inode, false);
	long n = -EAGAIN;

	if (!data)
		return -EBADF;
	io.fd = data->fd;
	if (!hostfs_by_thread(inode))
		n = host_hostfs_transfer(&io);
	if (n < 0 || io.error) {
		io.cached = 0;
		n = hostfs_call_threaded(inode, host_hostfs_transfer, &io);
	}
	hostfs_put_data(data);
	if (n < 0 || io.error)
		return n < 0 ? n : io.error;
	if (n < segment.len)
		folio_zero_range(folio, n, segment.len - n);
	return 0;
}

/* Writing */

static void end_write(struct transfer *transfer)
{
	struct host_hostfs_io *io = &transfer->io;
	unsigned int i;

	if (io->error)
		mapping_set_error(transfer->inode->i_mapping, io->error);
	if (io->has_attr)
		hostfs_changed(transfer->inode, &io->attr);
	for (i = 0; i < transfer->nr; i++)
		folio_end_writeback(transfer->folios[i]);
	free_transfer(transfer);
}

static void write_done(struct hostfs_request *request)
{
	end_write(container_of(request, struct transfer, request));
}

static void start_write(struct transfer *transfer)
{
	call_of(transfer);
	transfer->request.done = write_done;
	hostfs_start(&transfer->request);
}

/* Adds a locked folio to be written, and unlocks it. */
static int write_folio(struct inode *inode, struct folio *folio, struct transfer **transfer)
{
	loff_t pos = folio_pos(folio), size = i_size_read(inode);
	size_t len = folio_size(folio);

	/* Cut off meanwhile. */
	if (pos >= size) {
		folio_unlock(folio);
		return 0;
	}
	if (size - pos < len) {
		folio_zero_range(folio, size - pos, len - (size - pos));
		len = size - pos;
	}
	if (*transfer && (is_full(*transfer) ||
			  (*transfer)->io.offset + (*transfer)->io.len != pos)) {
		start_write(*transfer);
		*transfer = NULL;
	}
	if (!*transfer)
		*transfer = new_transfer(inode, true, pos, GFP_NOFS | __GFP_NOFAIL);
	if (!*transfer) {
		folio_unlock(folio);
		return -EBADF;
	}
	folio_start_writeback(folio);
	folio_unlock(folio);
	add_folio(*transfer, folio, len);
	return 0;
}

static int hostfs_writepages(struct address_space *mapping, struct writeback_control *wbc)
{
	struct transfer *transfer = NULL;
	struct folio *folio = NULL;
	int err = 0;

	while ((folio = writeback_iter(mapping, wbc, folio, &err)))
		err = write_folio(mapping->host, folio, &transfer);
	if (transfer)
		start_write(transfer);
	return err;
}

static int hostfs_write_begin(struct file *file, struct address_space *mapping, loff_t pos,
			      unsigned int len, struct folio **foliop, void **fsdata)
{
	struct inode *inode = mapping->host;
	struct folio *folio;
	size_t from, size;
	int err;

	/* Until write_end, where the data is dirty: size and cache stay as they are. */
	filemap_invalidate_lock_shared(mapping);
	folio = __filemap_get_folio(mapping, pos >> PAGE_SHIFT,
				    FGP_WRITEBEGIN | fgf_set_order(len),
				    mapping_gfp_mask(mapping));
	if (IS_ERR(folio)) {
		filemap_invalidate_unlock_shared(mapping);
		return PTR_ERR(folio);
	}
	*foliop = folio;
	from = offset_in_folio(folio, pos);
	size = folio_size(folio);
	len = min_t(size_t, len, size - from);
	if (folio_test_uptodate(folio) || len == size)
		return 0;
	if (folio_pos(folio) >= i_size_read(inode)) {
		folio_zero_segments(folio, 0, from, from + len, size);
		return 0;
	}
	err = fill_folio(inode, folio);
	if (err) {
		folio_unlock(folio);
		folio_put(folio);
		filemap_invalidate_unlock_shared(mapping);
		return err;
	}
	folio_mark_uptodate(folio);
	return 0;
}

static int hostfs_write_end(struct file *file, struct address_space *mapping, loff_t pos,
			    unsigned int len, unsigned int copied, struct folio *folio,
			    void *fsdata)
{
	struct inode *inode = mapping->host;

	if (!folio_test_uptodate(folio)) {
		/* What was not copied was not read either: once more. */
		if (copied < len)
			copied = 0;
		else
			folio_mark_uptodate(folio);
	}
	if (copied) {
		if (pos + copied > i_size_read(inode))
			i_size_write(inode, pos + copied);
		folio_mark_dirty(folio);
	}
	folio_unlock(folio);
	folio_put(folio);
	filemap_invalidate_unlock_shared(mapping);
	return copied;
}

const struct address_space_operations hostfs_aops = {
	.read_folio = hostfs_read_folio,
	.readahead = hostfs_readahead,
	.writepages = hostfs_writepages,
	.dirty_folio = filemap_dirty_folio,
	.write_begin = hostfs_write_begin,
	.write_end = hostfs_write_end,
	.migrate_folio = filemap_migrate_folio,
};

static vm_fault_t hostfs_page_mkwrite(struct vm_fault *vmf)
{
	struct folio *folio = page_folio(vmf->page);
	struct inode *inode = file_inode(vmf->vma->vm_file);
	vm_fault_t ret = VM_FAULT_LOCKED;

	sb_start_pagefault(inode->i_sb);
	file_update_time(vmf->vma->vm_file);
	/* Not while the host changes data that is cached. */
	filemap_invalidate_lock_shared(inode->i_mapping);
	folio_lock(folio);
	if (folio->mapping != inode->i_mapping || folio_pos(folio) >= i_size_read(inode)) {
		folio_unlock(folio);
		ret = VM_FAULT_NOPAGE;
	} else {
		folio_mark_dirty(folio);
		folio_wait_stable(folio);
	}
	filemap_invalidate_unlock_shared(inode->i_mapping);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

static const struct vm_operations_struct hostfs_vm_ops = {
	.fault = filemap_fault,
	.map_pages = filemap_map_pages,
	.page_mkwrite = hostfs_page_mkwrite,
};

int hostfs_fault_init(struct file *file, struct vm_area_struct *vma)
{
	/* Where files may only grow nothing that is there may change. */
	if (hostfs_append(file_inode(file)->i_sb) && (vma->vm_flags & VM_SHARED) &&
	    (vma->vm_flags & VM_MAYWRITE)) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	file_accessed(file);
	vma->vm_ops = &hostfs_vm_ops;
	return 0;
}
