// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes: which file of the host they are, and their attributes.
 *
 * A file is known by its device, inode number, type and time of birth, as a number
 * may be used again. What the host tells about a file is believed for as
 * long as the mount says. Cached data belongs to a state of the file, told
 * by its size and times; when these change and it was not us, the
 * data is dropped.
 *
 * What the host said can be old when it is used: another task may have changed
 * the file meanwhile. So changes are counted, and an answer from before the last
 * one is not used.
 */
#include <linux/hash.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include "hostfs.h"

static bool same_time(struct host_hostfs_time a, struct host_hostfs_time b)
{
	return a.sec == b.sec && a.nsec == b.nsec;
}

static bool same_file(struct inode *inode, const struct host_hostfs_attr *attr)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);

	return hi->dev == attr->dev && hi->ino == attr->ino && hi->mount == attr->mount &&
	       !((inode->i_mode ^ attr->mode) & S_IFMT);
}

/*
 * While we have a descriptor its inode number can't be used again. Then a new
 * birth is what an overlay file system does when it copies a file up.
 */
static bool reborn(struct inode *inode, const struct host_hostfs_attr *attr)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);
	struct host_hostfs_attr own;
	bool same;

	if (READ_ONCE(hi->handle.fd) < 0 || hostfs_hold(inode) < 0)
		return false;
	same = !hostfs_call(inode, host_hostfs_stat, hi->handle.fd, NULL,
			    hostfs_how(inode), &own) &&
	       same_file(inode, &own) && same_time(own.birth, attr->birth);
	hostfs_let_go(inode);
	if (same)
		hi->birth = attr->birth;
	return same;
}

bool hostfs_is(struct inode *inode, const struct host_hostfs_attr *attr)
{
	if (!same_file(inode, attr))
		return false;
	return same_time(HOSTFS_I(inode)->birth, attr->birth) || reborn(inode, attr);
}

/*
 * The host's own number on the device that is mounted. Another device below it has
 * numbers of its own, which must not meet these: its number goes to the upper bits.
 */
u64 hostfs_inode_number(struct super_block *sb, u64 dev, u64 ino)
{
	if (dev == HOSTFS_SB(sb)->root.dev)
		return ino;
	return ino ^ ((u64)(hash_64(dev, 15) + 1) << 48);
}

bool hostfs_is_remote(struct super_block *sb, u64 dev)
{
	struct hostfs_sb *sbi = HOSTFS_SB(sb);
	struct hostfs_device *device;
	bool remote = true;

	if (dev == sbi->root.dev)
		return sbi->remote;
	spin_lock(&sbi->devices_lock);
	list_for_each_entry(device, &sbi->devices, list) {
		if (device->dev == dev) {
			remote = device->remote;
			break;
		}
	}
	spin_unlock(&sbi->devices_lock);
	return remote;
}

/* The last word counts: the host's number may be used again. */
int hostfs_add_device(struct super_block *sb, u64 dev, bool remote)
{
	struct hostfs_device *device = kmalloc(sizeof(*device), GFP_KERNEL);
	struct hostfs_sb *sbi = HOSTFS_SB(sb);
	struct hostfs_device *old;

	if (!device)
		return -ENOMEM;
	device->dev = dev;
	device->remote = remote;
	spin_lock(&sbi->devices_lock);
	list_for_each_entry(old, &sbi->devices, list) {
		if (old->dev == dev) {
			list_del(&old->list);
			kfree(old);
			break;
		}
	}
	list_add(&device->list, &sbi->devices);
	spin_unlock(&sbi->devices_lock);
	return 0;
}

bool hostfs_has_dirty_data(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;

	return mapping_tagged(mapping, PAGECACHE_TAG_DIRTY) ||
	       mapping_tagged(mapping, PAGECACHE_TAG_WRITEBACK);
}

static struct timespec64 guest_time(struct host_hostfs_time t)
{
	return (struct timespec64){ .tv_sec = t.sec, .tv_nsec = t.nsec };
}

/* Attributes that never depend on cached data. */
static void set_attributes(struct inode *inode, const struct host_hostfs_attr *attr)
{
	inode->i_mode = (inode->i_mode & S_IFMT) | (attr->mode & ~S_IFMT);
	/* To be looked at again before somebody writes. */
	if (attr->mode & (S_ISUID | S_ISGID))
		inode->i_flags &= ~S_NOSEC;
	set_nlink(inode, attr->nlink);
	inode->i_uid = make_kuid(inode->i_sb->s_user_ns, attr->uid);
	inode->i_gid = make_kgid(inode->i_sb->s_user_ns, attr->gid);
	inode_set_atime_to_ts(inode, guest_time(attr->atime));
}

static void set_data_attributes(struct inode *inode, const struct host_hostfs_attr *attr)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);

	inode_set_mtime_to_ts(inode, guest_time(attr->mtime));
	inode_set_ctime_to_ts(inode, guest_time(attr->ctime));
	inode->i_blocks = attr->blocks;
	hi->seen_mtime = attr->mtime;
	hi->seen_ctime = attr->ctime;
	hi->seen_size = attr->size;
}

/* Something about it that we don't look at may be another: its ACLs, its capabilities. */
static void forget_derived(struct inode *inode, const struct host_hostfs_attr *attr)
{
	if (!same_time(HOSTFS_I(inode)->seen_ctime, attr->ctime)) {
		forget_all_cached_acls(inode);
		inode->i_flags &= ~S_NOSEC;
	}
}

static bool data_changed(struct inode *inode, const struct host_hostfs_attr *attr)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);

	return !same_time(hi->seen_mtime, attr->mtime) || !same_time(hi->seen_ctime, attr->ctime) ||
	       hi->seen_size != attr->size;
}

/*
 * The file is another one than what is cached. While there is dirty data it is not
 * taken: writing that changes size and times once more. The lock keeps data from
 * becoming dirty after it was looked for (write_begin, page_mkwrite).
 */
static void take_data(struct inode *inode, const struct host_hostfs_attr *attr, u64 version)
{
	struct address_space *mapping = inode->i_mapping;
	loff_t old;

	filemap_invalidate_lock(mapping);
	if (version >= READ_ONCE(HOSTFS_I(inode)->version) && !hostfs_has_dirty_data(inode)) {
		bool changed = data_changed(inode, attr);

		set_data_attributes(inode, attr);
		old = i_size_read(inode);
		if (old != attr->size)
			i_size_write(inode, attr->size);
		if (old > attr->size)
			truncate_pagecache(inode, attr->size);
		if (changed && mapping->nrpages)
			invalidate_inode_pages2(mapping);
	}
	filemap_invalidate_unlock(mapping);
}

void hostfs_update(struct inode *inode, const struct host_hostfs_attr *attr, u64 version)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);

	if (version < READ_ONCE(hi->version))
		return;
	forget_derived(inode, attr);
	set_attributes(inode, attr);
	hi->checked = ktime_get_ns();
	if (!S_ISREG(inode->i_mode)) {
		set_data_attributes(inode, attr);
		i_size_write(inode, attr->size);
	} else if (data_changed(inode, attr) || i_size_read(inode) != attr->size) {
		if (!hostfs_has_dirty_data(inode))
			take_data(inode, attr, version);
	} else {
		inode->i_blocks = attr->blocks;
	}
}

void hostfs_changed(struct inode *inode, const struct host_hostfs_attr *attr)
{
	struct hostfs_inode *hi = HOSTFS_I(inode);

	WRITE_ONCE(hi->version, atomic64_inc_return(&HOSTFS_SB(inode->i_sb)->version));
	set_attributes(inode, attr);
	set_data_attributes(inode, attr);
}

/* Attributes by any descriptor that is open, or by the one that has to be opened. */
static int ask(struct inode *inode, struct host_hostfs_attr *attr)
{
	struct hostfs_data *data = NULL;
	int fd, err;

	if (READ_ONCE(HOSTFS_I(inode)->handle.fd) < 0)
		data = hostfs_get_data(inode, false) ?: hostfs_get_data(inode, true);
	fd = data ? data->fd : hostfs_hold(inode);
	if (fd < 0)
		return fd;
	err = hostfs_call(inode, host_hostfs_stat, fd, NULL, hostfs_how(inode), attr);
	if (data)
		hostfs_put_data(data);
	else
		hostfs_let_go(inode);
	return err;
}

int hostfs_refresh(struct inode *inode)
{
	u64 version = hostfs_version(inode->i_sb), checked = HOSTFS_I(inode)->checked;
	struct host_hostfs_attr attr;
	int err;

	/* The clock began with the machine: 0 can be a moment ago. */
	if (checked && ktime_get_ns() - checked < HOSTFS_SB(inode->i_sb)->fresh_ns)
		return 0;
	err = ask(inode, &attr);
	if (!err)
		hostfs_update(inode, &attr, version);
	return err;
}

int hostfs_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat,
		   u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct host_hostfs_time birth = HOSTFS_I(inode)->birth;
	int err = 0;

	if (!(flags & AT_STATX_DONT_SYNC)) {
		/* Size, blocks and times are the host's when all is written. */
		if (S_ISREG(inode->i_mode) && hostfs_has_dirty_data(inode) &&
		    (mask & (STATX_SIZE | STATX_BLOCKS | STATX_MTIME | STATX_CTIME))) {
			err = filemap_write_and_wait(inode->i_mapping);
			hostfs_expire(inode);
		}
		/* An error of writing is told to who wrote. */
		err = hostfs_refresh(inode);
		if (err)
			return err;
	}
	generic_fillattr(idmap, mask, inode, stat);
	if (birth.sec || birth.nsec) {
		stat->btime = guest_time(birth);
		stat->result_mask |= STATX_BTIME;
	}
	return 0;
}

/*
 * The guest decides by owner and mode. Who asks with access() also hears what the
 * host will say to this process, which is not root there.
 */
int hostfs_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	int err = generic_permission(idmap, inode, mask);
	int fd;

	if (err || !(mask & MAY_ACCESS) || (hostfs_how(inode) & HOST_HOSTFS_MAPPED) ||
	    !(mask & (MAY_READ | MAY_WRITE | MAY_EXEC)) ||
	    (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode)))
		return err;
	if (mask & MAY_NOT_BLOCK)
		return -ECHILD;
	fd = hostfs_hold(inode);
	if (fd < 0)
		return fd;
	err = hostfs_call(inode, host_hostfs_access, fd,
			  mask & (MAY_READ | MAY_WRITE | MAY_EXEC));
	hostfs_let_go(inode);
	return err;
}

struct wanted {
	const struct host_hostfs_attr *attr;
	bool remote;
};

static int test_inode(struct inode *inode, void *data)
{
	const struct wanted *wanted = data;

	/* May not sleep: a birth that differs is looked at later. */
	return same_file(inode, wanted->attr) &&
	       (same_time(HOSTFS_I(inode)->birth, wanted->attr->birth) ||
		READ_ONCE(HOSTFS_I(inode)->handle.fd) >= 0);
}

static int set_inode(struct inode *inode, void *data)
{
	const struct wanted *wanted = data;
	const struct host_hostfs_attr *attr = wanted->attr;
	struct hostfs_inode *hi = HOSTFS_I(inode);

	hi->remote = wanted->remote;
	hi->dev = attr->dev;
	hi->ino = attr->ino;
	hi->mount = attr->mount;
	hi->birth = attr->birth;
	inode->i_mode = attr->mode;
	inode->i_ino = hostfs_inode_number(inode->i_sb, attr->dev, attr->ino);
	return 0;
}

static void set_operations(struct inode *inode, const struct host_hostfs_attr *attr)
{
	switch (attr->mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &hostfs_file_iops;
		inode->i_fop = &hostfs_file_fops;
		inode->i_mapping->a_ops = &hostfs_aops;
		mapping_set_large_folios(inode->i_mapping);
		break;
	case S_IFDIR:
		inode->i_op = &hostfs_dir_iops;
		inode->i_fop = &hostfs_dir_fops;
		break;
	case S_IFLNK:
		inode->i_op = &hostfs_link_iops;
		break;
	default:
		/* The guest's device, FIFO or socket of that number or name. */
		inode->i_op = &hostfs_file_iops;
		init_special_inode(inode, attr->mode, MKDEV(attr->major, attr->minor));
		break;
	}
}

struct inode *hostfs_iget(struct super_block *sb, struct inode *dir,
			  const struct host_hostfs_attr *attr, u64 version)
{
	struct wanted wanted = {
		.attr = attr,
		.remote = dir && HOSTFS_I(dir)->dev == attr->dev ? HOSTFS_I(dir)->remote :
								   hostfs_is_remote(sb, attr->dev),
	};
	unsigned long hash = hash_64(attr->ino ^ (attr->dev << 40), 32);
	struct inode *inode;

again:
	inode = iget5_locked(sb, hash, test_inode, set_inode, &wanted);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (inode->i_state & I_NEW) {
		/* The host looks after atime; mtime changes when the data is written. */
		inode->i_flags |= S_NOATIME | S_NOCMTIME;
		set_operations(inode, attr);
		set_attributes(inode, attr);
		set_data_attributes(inode, attr);
		i_size_write(inode, attr->size);
		HOSTFS_I(inode)->checked = ktime_get_ns();
		unlock_new_inode(inode);
		return inode;
	}
	if (!hostfs_is(inode, attr)) {
		/* Its number is another file's now. */
		remove_inode_hash(inode);
		iput(inode);
		goto again;
	}
	hostfs_update(inode, attr, version);
	return inode;
}
