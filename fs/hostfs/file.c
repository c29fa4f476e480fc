// SPDX-License-Identifier: GPL-2.0
/*
 * Open files.
 *
 * The open files of an inode share at most two files of the host: one to read from,
 * one to write to. All data is written when the last one that could write is closed,
 * and in strict mode at each close, so that the host has it. References keep a file of the
 * host open until the last transfer has ended.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include "hostfs.h"

struct hostfs_data *hostfs_get_data(struct inode *inode, bool write)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);
	struct hostfs_data *data;

	spin_lock(&hi->data_lock);
	data = write ? hi->writer : hi->reader;
	if (!data && !write && hi->writer && hi->writer->readable)
		data = hi->writer;
	if (data)
		refcount_inc(&data->ref);
	spin_unlock(&hi->data_lock);
	return data;
}

static void closed(struct hostfs_request *request)
{
	kfree(container_of(request, struct hostfs_data, closing));
}

/* Any context: closing may take long only where all calls may. */
void hostfs_put_data(struct hostfs_data *data)
{
	if (!refcount_dec_and_test(&data->ref))
		return;
	if (!data->threads) {
		host_hostfs_close(data->fd);
		kfree(data);
		return;
	}
	data->closing.host.fn = (host_hostfs_fn)(void *)host_hostfs_close;
	data->closing.host.args[0] = data->fd;
	data->closing.host.remote = data->remote;
	data->closing.done = closed;
	hostfs_start(&data->closing);
}

static void set_data(struct inode *inode, struct hostfs_data **where, struct hostfs_data *data)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);
	struct hostfs_data *old;

	spin_lock(&hi->data_lock);
	old = *where;
	*where = data;
	spin_unlock(&hi->data_lock);
	if (old)
		hostfs_put_data(old);
}

static struct hostfs_data *new_data(struct inode *inode, int fd, int flags)
{
	struct hostfs_data *data = kmalloc(sizeof(*data), GFP_KERNEL);

	if (!data) {
		host_hostfs_close(fd);
		return ERR_PTR(-ENOMEM);
	}
	data->fd = fd;
	refcount_set(&data->ref, 1);
	data->readable = flags & HOST_HOSTFS_READ;
	data->threads = hostfs_by_thread(inode);
	data->remote = HOSTFS_I(inode)->remote;
	return data;
}

static struct hostfs_data *open_data(struct inode *inode, int flags)
{
	int path = hostfs_hold(inode);
	int fd;

	if (path < 0)
		return ERR_PTR(path);
	fd = hostfs_need_fd(hostfs_call(inode, host_hostfs_open, path, hostfs_how(inode),
					flags));
	hostfs_let_go(inode);
	return fd < 0 ? ERR_PTR(fd) : new_data(inode, fd, flags);
}

void hostfs_give_data(struct inode *inode, int fd)
{
	struct hostfs_data *data = new_data(inode, fd, HOST_HOSTFS_READ | HOST_HOSTFS_WRITE);

	if (!IS_ERR(data))
		set_data(inode, &HOSTFS_I(inode)->made, data);
}

void hostfs_drop_data(struct inode *inode)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);

	if (!READ_ONCE(hi->made))
		return;
	mutex_lock(&hi->open_lock);
	set_data(inode, &hi->made, NULL);
	mutex_unlock(&hi->open_lock);
}

/* As it was made, whatever its mode says; the caller holds open_lock. */
static struct hostfs_data *get_made(struct inode *inode)
{
	struct hostfs_data *made = HOSTFS_I(inode)->made;

	if (made)
		refcount_inc(&made->ref);
	return made;
}

static int open_reader(struct inode *inode)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);
	struct hostfs_data *data;

	if (!hi->reader && !(hi->writer && hi->writer->readable)) {
		data = get_made(inode) ?: open_data(inode, HOST_HOSTFS_READ);
		if (IS_ERR(data))
			return PTR_ERR(data);
		set_data(inode, &hi->reader, data);
	}
	hi->readers++;
	return 0;
}

/* To write a part of a page the rest is read: if the host lets us. */
static struct hostfs_data *open_for_writing(struct inode *inode)
{
	int at_end = hostfs_append(inode->i_sb) ? HOST_HOSTFS_AT_END : 0;
	struct hostfs_data *data;

	if (!at_end) {
		data = get_made(inode);
		if (data)
			return data;
	}
	data = open_data(inode, HOST_HOSTFS_READ | HOST_HOSTFS_WRITE | at_end);
	if (data == ERR_PTR(-EACCES))
		data = open_data(inode, HOST_HOSTFS_WRITE | at_end);
	return data;
}

static int open_writer(struct inode *inode)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);
	struct hostfs_data *data;

	if (!hi->writer) {
		data = open_for_writing(inode);
		if (IS_ERR(data))
			return PTR_ERR(data);
		set_data(inode, &hi->writer, data);
	}
	hi->writers++;
	return 0;
}

static void close_reader(struct inode *inode)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);

	if (!--hi->readers)
		set_data(inode, &hi->reader, NULL);
}

static void close_writer(struct inode *inode)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);

	if (--hi->writers)
		return;
	filemap_write_and_wait(inode->i_mapping);
	/* Readers that did without one of their own go on with it. */
	if (hi->readers && !hi->reader) {
		refcount_inc(&hi->writer->ref);
		set_data(inode, &hi->reader, hi->writer);
	}
	set_data(inode, &hi->writer, NULL);
}

/* O_DIRECT is the open file's own affair. */
static int open_direct(struct inode *inode, struct file *file)
{
	struct hostfs_data *data;
	int flags = HOST_HOSTFS_DIRECT;

	if (hostfs_append(inode->i_sb))
		return -EINVAL;
	if (file->f_mode & FMODE_READ)
		flags |= HOST_HOSTFS_READ;
	if (file->f_mode & FMODE_WRITE)
		flags |= HOST_HOSTFS_WRITE;
	data = open_data(inode, flags);
	if (IS_ERR(data))
		return PTR_ERR(data);
	file->private_data = data;
	file->f_mode |= FMODE_CAN_ODIRECT;
	return 0;
}

static int hostfs_open(struct inode *inode, struct file *file)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);
	int err;

	/* Cached data that is not the host's any more goes. */
	err = hostfs_refresh(inode);
	if (err)
		return err;
	if (file->f_flags & O_DIRECT) {
		err = open_direct(inode, file);
		if (err)
			return err;
	}
	mutex_lock(&hi->open_lock);
	if (file->f_mode & FMODE_WRITE)
		err = open_writer(inode);
	if (!err && (file->f_mode & FMODE_READ)) {
		err = open_reader(inode);
		if (err && (file->f_mode & FMODE_WRITE))
			close_writer(inode);
	}
	mutex_unlock(&hi->open_lock);
	if (err && file->private_data)
		hostfs_put_data(file->private_data);
	return err;
}

static int hostfs_release(struct inode *inode, struct file *file)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);

	mutex_lock(&hi->open_lock);
	if (file->f_mode & FMODE_WRITE)
		close_writer(inode);
	if (file->f_mode & FMODE_READ)
		close_reader(inode);
	mutex_unlock(&hi->open_lock);
	if (file->private_data)
		hostfs_put_data(file->private_data);
	return 0;
}

static int hostfs_flush(struct file *file, fl_owner_t id)
{
	struct inode *inode = file_inode(file);

	if (!(file->f_mode & FMODE_WRITE) || HOSTFS_SB(inode->i_sb)->loose)
		return 0;
	filemap_write_and_wait(inode->i_mapping);
	return file_check_and_advance_wb_err(file);
}

static int hostfs_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct inode *inode = file_inode(file);
	struct hostfs_data *data;
	int err;

	err = file_write_and_wait_range(file, start, end);
	if (err)
		return err;
	data = hostfs_get_data(inode, true) ?: hostfs_get_data(inode, false);
	if (!data)
		return 0;
	err = hostfs_call_threaded(inode, host_hostfs_sync, data->fd, datasync);
	hostfs_put_data(data);
	return err;
}

static ssize_t hostfs_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	ssize_t ret = hostfs_refresh(file_inode(iocb->ki_filp));

	if (ret)
		return ret;
	if (iocb->ki_flags & IOCB_DIRECT)
		return hostfs_direct_read(iocb, iter);
	if (hostfs_read_uncached(iocb, iter, &ret))
		return ret;
	return generic_file_read_iter(iocb, iter);
}

/*
 * Where files may only grow the host's file is written at once, wherever its end is,
 * and nothing of it is cached before.
 */
static ssize_t write_at_end(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct hostfs_data *data = hostfs_get_data(inode, true);
	void *buf = (void *)__get_free_page(GFP_KERNEL);
	ssize_t done = 0, err = 0;

	if (!data || !buf)
		err = data ? -ENOMEM : -EBADF;
	else
		err = file_modified(iocb->ki_filp);
	while (!err && iov_iter_count(iter)) {
		size_t len = min_t(size_t, iov_iter_count(iter), PAGE_SIZE);
		struct host_hostfs_segment segment = { .base = buf, .len = len };
		struct host_hostfs_io io = {
			.fd = data->fd,
			.write = 1,
			.how = hostfs_how(inode),
			.nr = 1,
			.segments = &segment,
			.len = len,
		};
		long n;

		if (!copy_from_iter_full(buf, len, iter)) {
			err = -EFAULT;
			break;
		}
		n = hostfs_call_threaded(inode, host_hostfs_transfer, &io);
		if (n > 0)
			done += n;
		if (io.has_attr) {
			hostfs_update(inode, &io.attr, hostfs_version(inode->i_sb));
			iocb->ki_pos = io.attr.size;
		}
		err = io.error;
	}
	free_page((unsigned long)buf);
	if (data)
		hostfs_put_data(data);
	return done ? done : err;
}

static ssize_t hostfs_write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret = 0;

	inode_lock(inode);
	/* The end may have moved on the host. */
	if (iocb->ki_flags & IOCB_APPEND)
		ret = hostfs_refresh(inode);
	if (!ret)
		ret = generic_write_checks(iocb, iter);
	if (ret > 0 && hostfs_append(inode->i_sb))
		ret = write_at_end(iocb, iter);
	else if (ret > 0 && (iocb->ki_flags & IOCB_DIRECT))
		ret = hostfs_direct_write(iocb, iter);
	else if (ret > 0)
		ret = __generic_file_write_iter(iocb, iter);
	inode_unlock(inode);
	return ret > 0 ? generic_write_sync(iocb, ret) : ret;
}

static loff_t seek_host(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);
	struct hostfs_data *data;
	loff_t pos;

	inode_lock(inode);
	pos = filemap_write_and_wait(inode->i_mapping);
	data = hostfs_get_data(inode, false) ?: hostfs_get_data(inode, true);
	if (!pos)
		pos = data ? hostfs_call(inode, host_hostfs_seek, data->fd, offset, whence) :
			     -EBADF;
	if (data)
		hostfs_put_data(data);
	inode_unlock(inode);
	return pos < 0 ? pos : vfs_setpos(file, pos, inode->i_sb->s_maxbytes);
}

static loff_t hostfs_llseek(struct file *file, loff_t offset, int whence)
{
	if (whence == SEEK_DATA || whence == SEEK_HOLE)
		return seek_host(file, offset, whence);
	if (whence == SEEK_END) {
		int err = hostfs_refresh(file_inode(file));

		if (err)
			return err;
	}
	return generic_file_llseek(file, offset, whence);
}

const struct file_operations hostfs_file_fops = {
	.open = hostfs_open,
	.flush = hostfs_flush,
	.release = hostfs_release,
	.llseek = hostfs_llseek,
	.read_iter = hostfs_read_iter,
	.write_iter = hostfs_write_iter,
	.splice_read = filemap_splice_read,
	.splice_write = iter_file_splice_write,
	.mmap = hostfs_fault_init,
	.fsync = hostfs_fsync,
	.fallocate = hostfs_fallocate,
	.copy_file_range = hostfs_copy_file_range,
	.remap_file_range = hostfs_remap_range,
};
