// SPDX-License-Identifier: GPL-2.0
/*
 * Path descriptors of inodes.
 *
 * An inode has one when it is needed: a directory for what is done below it, any
 * file for changes of its attributes. They stay open as long as there are
 * few, in the order of their last use. When they become many the oldest are closed,
 * and opened again by walking down the guest's names from a directory that
 * is open; each step is checked to be the file it was. What has no name any more is
 * held open, as long as it is in use: a file that lost a name is on a list of those
 * that are kept, and leaves it when descriptors are short and it has another name.
 */
#include <linux/dcache.h>
#include "hostfs.h"

/* Descriptors we keep for later; others need some, too. */
#define SHARE	4	/* a quarter of what the process may have */
#define MOST	16384
#define BATCH	64U

static DEFINE_SPINLOCK(lock);
static LIST_HEAD(unused);	/* oldest first */
static unsigned int nr_unused, max_unused;
static LIST_HEAD(kept);
static unsigned int nr_kept;

/* Takes a user's reference if the descriptor is open. */
static bool hold_if_open(struct inode *inode)
{
	struct hostfs_handle *handle = &HOSTFS_I(inode)->handle;
	bool open;

	spin_lock(&lock);
	open = handle->fd >= 0;
	if (open && !handle->users++ && !list_empty(&handle->lru)) {
		list_del_init(&handle->lru);
		nr_unused--;
	}
	spin_unlock(&lock);
	return open;
}

static void close_oldest(unsigned int limit)
{
	while (READ_ONCE(nr_unused) > limit) {
		struct hostfs_handle *handle;
		int fd;

		spin_lock(&lock);
		handle = list_first_entry_or_null(&unused, struct hostfs_handle, lru);
		if (!handle) {
			spin_unlock(&lock);
			return;
		}
		list_del_init(&handle->lru);
		nr_unused--;
		fd = handle->fd;
		handle->fd = -1;
		spin_unlock(&lock);
		host_hostfs_close(fd);
	}
}

static bool has_known_name(struct inode *inode)
{
	struct dentry *dentry;
	bool found = false;

	spin_lock(&inode->i_lock);
	hlist_for_each_entry(dentry, &inode->i_dentry, d_u.d_alias)
		found |= !d_unhashed(dentry);
	spin_unlock(&inode->i_lock);
	return found;
}

/* What can be found by another name needn't be kept. Returns true if there was such a one. */
static bool unkeep_some(unsigned int most)
{
	struct hostfs_handle *handle;
	unsigned int i;
	bool any = false;

	spin_lock(&lock);
	for (i = min(nr_kept, most); i; i--) {
		handle = list_first_entry(&kept, struct hostfs_handle, kept);
		if (handle->users > 1 ||
		    !has_known_name(&container_of(handle, struct hostfs_inode, handle)->vfs)) {
			list_move_tail(&handle->kept, &kept);
			continue;
		}
		list_del_init(&handle->kept);
		nr_kept--;
		handle->users = 0;
		list_add_tail(&handle->lru, &unused);
		nr_unused++;
		any = true;
	}
	spin_unlock(&lock);
	return any;
}

/* Kept ones and unused ones share the room; half of it is for each, if both are many. */
static unsigned int unused_limit(void)
{
	return max_unused - min(READ_ONCE(nr_kept), max_unused / 2);
}

bool hostfs_reclaim(void)
{
	unsigned int had = READ_ONCE(nr_unused);

	if (!had && unkeep_some(UINT_MAX))
		had = READ_ONCE(nr_unused);
	if (!had)
		return false;
	close_oldest(had > BATCH ? had - BATCH : 0);
	return true;
}

void hostfs_let_go(struct inode *inode)
{
	struct hostfs_handle *handle = &HOSTFS_I(inode)->handle;

	spin_lock(&lock);
	if (!--handle->users) {
		list_add_tail(&handle->lru, &unused);
		nr_unused++;
	}
	spin_unlock(&lock);
	close_oldest(unused_limit());
}

void hostfs_give(struct inode *inode, int fd)
{
	struct hostfs_handle *handle = &HOSTFS_I(inode)->handle;

	spin_lock(&lock);
	if (handle->fd < 0) {
		handle->fd = fd;
		fd = -1;
	} else if (!list_empty(&handle->lru)) {
		list_del_init(&handle->lru);
		nr_unused--;
	}
	handle->users++;
	spin_unlock(&lock);
	if (fd >= 0)
		host_hostfs_close(fd);
}

void hostfs_keep(struct inode *inode)
{
	struct hostfs_handle *handle = &HOSTFS_I(inode)->handle;
	bool again, many;

	spin_lock(&lock);
	again = !list_empty(&handle->kept);
	if (!again) {
		list_add_tail(&handle->kept, &kept);
		nr_kept++;
	}
	many = nr_kept > max_unused / 2;
	spin_unlock(&lock);
	if (again)
		hostfs_let_go(inode);
	if (many && unkeep_some(BATCH))
		close_oldest(unused_limit());
}

void hostfs_drop_handle(struct inode *inode)
{
	struct hostfs_handle *handle = &HOSTFS_I(inode)->handle;
	int fd;

	spin_lock(&lock);
	if (!list_empty(&handle->lru)) {
		list_del_init(&handle->lru);
		nr_unused--;
	}
	if (!list_empty(&handle->kept)) {
		list_del_init(&handle->kept);
		nr_kept--;
	}
	fd = handle->fd;
	handle->fd = -1;
	spin_unlock(&lock);
	if (fd >= 0)
		host_hostfs_close(fd);
}

/* Opens @dentry's file below @dir, which the caller holds. */
static int open_below(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	struct host_hostfs_attr attr;
	struct name_snapshot name;
	int fd;

	if (!inode)
		return -ESTALE;
	attr.dev = HOSTFS_I(inode)->dev;
	take_dentry_name_snapshot(&name, dentry);
	fd = hostfs_need_fd(hostfs_call(inode, host_hostfs_open_path, HOSTFS_I(dir)->handle.fd,
					name.name.name, hostfs_how(dir) | hostfs_near(inode),
					&attr));
	release_dentry_name_snapshot(&name);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -EXDEV ? -ESTALE : fd;
	if (!hostfs_is(inode, &attr)) {
		host_hostfs_close(fd);
		return -ESTALE;
	}
	hostfs_give(inode, fd);
	return 0;
}

/*
 * Open the topmost of @dentry and the directories above it that is not open, below
 * one that is: the root always is. Returns 1 when that was @dentry itself.
 */
static int open_next(struct dentry *dentry)
{
	struct dentry *target = dget(dentry);
	struct dentry *parent = dget_parent(target);
	int err;

	while (!hold_if_open(d_inode(parent))) {
		dput(target);
		target = parent;
		parent = dget_parent(target);
	}
	err = open_below(d_inode(parent), target);
	hostfs_let_go(d_inode(parent));
	if (!err && target == dentry)
		err = 1;
	else if (!err)
		hostfs_let_go(d_inode(target));
	dput(target);
	dput(parent);
	return err;
}

int hostfs_hold(struct inode *inode)
{
	struct dentry *dentry;
	int ret;

	if (hold_if_open(inode))
		return HOSTFS_I(inode)->handle.fd;
	/* A name that is gone leads nowhere, if there is another. */
	dentry = d_find_alias(inode) ?: d_find_any_alias(inode);
	if (!dentry)
		return -ESTALE;
	do {
		ret = open_next(dentry);
	} while (!ret);
	dput(dentry);
	return ret < 0 ? ret : HOSTFS_I(inode)->handle.fd;
}

void hostfs_handles_init(void)
{
	max_unused = clamp(host_hostfs_max_files() / SHARE, 16U, MOST);
}
