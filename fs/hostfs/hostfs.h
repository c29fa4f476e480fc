/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of hostfs' kernel half share. */
#ifndef __HOSTFS_H
#define __HOSTFS_H

#include <linux/args.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/posix_acl.h>
#include <linux/refcount.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include "hostfs_host.h"

/* An answer of the host is as good as new for this long. */
#define HOSTFS_FRESH_NS		(50 * NSEC_PER_USEC)

/* Shorter transfers may be made by the vCPU itself if nothing has to be waited for. */
#define HOSTFS_INLINE_MAX	SZ_64K

/* Longer reads of what is not cached don't go through the page cache. */
#define HOSTFS_UNCACHED_MIN	SZ_64K

#define HOSTFS_MAGIC		0x00c0ffee

/* Who makes calls: the vCPU itself if the file system is a local one, or always, or never. */
enum hostfs_calls { HOSTFS_CALLS_AUTO, HOSTFS_CALLS_DIRECT, HOSTFS_CALLS_THREADS };

/**
 * struct hostfs_sb - a mounted tree
 * @path: its directory, for the list of mounts
 * @root_fd: path descriptor of that, until the root inode has it
 * @root: what it was at the time of mounting
 * @how: HOST_HOSTFS_* for all calls
 * @calls: who makes calls
 * @remote: the root's file system may not answer soon, or ever
 * @acls: the host has POSIX ACLs there, or they are kept in xattrs
 * @devices: other devices than the root's, once they were met
 * @devices_lock: protects that list
 * @loose: names and attributes are believed for @fresh_ns, and data isn't written at
 *	each close
 * @fresh_ns: for how long what the host said is believed
 * @version: counts changes that were made through this mount
 */
struct hostfs_sb {
	char *path;
	int root_fd;
	struct host_hostfs_attr root;
	int how;
	enum hostfs_calls calls;
	bool remote;
	bool acls;
	struct list_head devices;
	spinlock_t devices_lock;
	bool loose;
	u64 fresh_ns;
	atomic64_t version;
};

/**
 * struct hostfs_device - a device below the directory that is mounted
 * @list: all of the tree
 * @dev: the host's number
 * @remote: its file system may not answer soon, or ever
 */
struct hostfs_device {
	struct list_head list;
	u64 dev;
	bool remote;
};

/**
 * struct hostfs_handle - the path descriptor of an inode
 * @fd: descriptor, or -1
 * @users: who needs it to stay
 * @lru: place among those that nobody needs
 * @kept: place among those of files that may have no name any more: one of @users
 */
struct hostfs_handle {
	int fd;
	unsigned int users;
	struct list_head lru;
	struct list_head kept;
};

/**
 * struct hostfs_request - a call that a host thread makes
 * @host: what to call
 * @done: called when it has returned; interrupt context
 */
struct hostfs_request {
	struct host_hostfs_request host;
	void (*done)(struct hostfs_request *request);
};

/**
 * struct hostfs_data - an open file of the host
 * @ref: users: the inode and transfers under way
 * @fd: its descriptor
 * @readable: it is open for reading
 * @threads: a host thread closes it
 * @remote: the inode's
 * @closing: how
 */
struct hostfs_data {
	refcount_t ref;
	int fd;
	bool readable;
	bool threads;
	bool remote;
	struct hostfs_request closing;
};

/**
 * struct hostfs_inode - an inode
 * @vfs: the generic part
 * @dev, @ino, @mount, @birth: which file of the host it is
 * @remote: the host's file system may not answer soon, or ever
 * @handle: its path descriptor
 * @open_lock: protects the following five
 * @reader: to read data from, if @writer doesn't serve
 * @writer: to write data to
 * @made: a new file, open for its maker while that opens it
 * @readers: number of open files that need @reader
 * @writers: number of open files that need @writer
 * @data_lock: for taking references to @reader and @writer
 * @checked: when its attributes were last compared with the host's; 0: they changed since
 * @version: of the last change that was made through this mount
 * @seen_mtime, @seen_ctime, @seen_size: what the page cache belongs to
 */
struct hostfs_inode {
	struct inode vfs;
	u64 dev;
	u64 ino;
	u64 mount;
	bool remote;
	struct host_hostfs_time birth;
	struct hostfs_handle handle;
	struct mutex open_lock;
	struct hostfs_data *reader;
	struct hostfs_data *writer;
	struct hostfs_data *made;
	unsigned int readers;
	unsigned int writers;
	spinlock_t data_lock;
	u64 checked;
	u64 version;
	struct host_hostfs_time seen_mtime;
	struct host_hostfs_time seen_ctime;
	u64 seen_size;
};

static inline struct hostfs_inode *HOSTFS_I(struct inode *inode)
{
	return container_of(inode, struct hostfs_inode, vfs);
}

static inline struct hostfs_sb *HOSTFS_SB(struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline int hostfs_how(struct inode *inode)
{
	return HOSTFS_SB(inode->i_sb)->how;
}

/* Files may only grow. */
static inline bool hostfs_append(struct super_block *sb)
{
	return HOSTFS_SB(sb)->how & HOST_HOSTFS_APPEND;
}

/* Calls about the inode's file are made by host threads. */
static inline bool hostfs_by_thread(struct inode *inode)
{
	enum hostfs_calls calls = HOSTFS_SB(inode->i_sb)->calls;

	return calls == HOSTFS_CALLS_THREADS ||
	       (calls == HOSTFS_CALLS_AUTO && HOSTFS_I(inode)->remote);
}

/* call.c */

int hostfs_calls_init(void);
void hostfs_calls_exit(void);

/** hostfs_start() - have a host thread make @request's call. Any context. */
void hostfs_start(struct hostfs_request *request);

/**
 * hostfs_wait_call() - have a host thread call @fn with @nr arguments, and sleep meanwhile
 * @remote: it may take for ever
 *
 * Where an argument is an int its upper half is undefined, and not looked at by @fn.
 */
long hostfs_wait_call(bool remote, host_hostfs_fn fn, int nr, ...);

#define hostfs_call_pool(remote, fn, ...)					\
	((typeof(fn(__VA_ARGS__)))hostfs_wait_call(remote, (host_hostfs_fn)(void *)(fn), \
						   COUNT_ARGS(__VA_ARGS__),	\
						   __VA_ARGS__))

/* hostfs_call_remote() - call a function of the contract that may never return */
#define hostfs_call_remote(fn, ...)	hostfs_call_pool(true, fn, __VA_ARGS__)

/*
 * hostfs_call_threaded() - call a function of the contract from a host thread
 *
 * For what can take long on any host. hostfs_call() does the same or calls directly, as
 * the inode's host and the mount say.
 */
#define hostfs_call_threaded(inode, fn, ...)					\
	hostfs_call_pool(HOSTFS_I(inode)->remote, fn, __VA_ARGS__)

#define hostfs_call(inode, fn, ...)						\
	(hostfs_by_thread(inode) ? hostfs_call_threaded(inode, fn, __VA_ARGS__) : \
				   fn(__VA_ARGS__))

/* handle.c */

/**
 * hostfs_hold() - get the path descriptor of an inode
 *
 * Opens it anew if it was closed. Returns the descriptor, which stays until
 * hostfs_let_go(); or -ESTALE if the file is not any more where it was.
 */
int hostfs_hold(struct inode *inode);

/** hostfs_let_go() - undo hostfs_hold() */
void hostfs_let_go(struct inode *inode);

/**
 * hostfs_give() - a path descriptor of the inode is there already
 *
 * It belongs to the inode from now on, or is closed if there is one. The caller
 * holds it then, so that nothing can close it between.
 */
void hostfs_give(struct inode *inode, int fd);

/**
 * hostfs_keep() - a file that is in use may be without a name
 *
 * Takes over the caller's hostfs_hold(). The descriptor stays until the inode goes, or
 * descriptors are short and the file has another name that is known.
 */
void hostfs_keep(struct inode *inode);

/** hostfs_drop_handle() - close it for good: the inode goes */
void hostfs_drop_handle(struct inode *inode);

/** hostfs_reclaim() - close some descriptors that nobody needs; false if there was none */
bool hostfs_reclaim(void);

/* Try again when descriptors are short: some of ours may be closed. */
#define hostfs_need_fd(call)						\
({									\
	int __fd;							\
									\
	do {								\
		__fd = (call);						\
	} while ((__fd == -EMFILE || __fd == -ENFILE) && hostfs_reclaim()); \
	__fd;								\
})

void hostfs_handles_init(void);

/* inode.c */

/**
 * hostfs_iget() - the inode of a file
 * @dir: its directory, or NULL for the root
 * @attr: of the file
 * @version: hostfs_version() before @attr was asked for
 *
 * Returns a reference, or an ERR_PTR().
 */
struct inode *hostfs_iget(struct super_block *sb, struct inode *dir,
			  const struct host_hostfs_attr *attr, u64 version);

/** hostfs_is() - is @attr about this inode's file? */
bool hostfs_is(struct inode *inode, const struct host_hostfs_attr *attr);

/** hostfs_near() - HOST_HOSTFS_NEAR, if that is where the inode's file is; or 0 */
static inline int hostfs_near(struct inode *inode)
{
	bool always = HOSTFS_SB(inode->i_sb)->calls == HOSTFS_CALLS_DIRECT;

	return HOSTFS_I(inode)->remote || always ? 0 : HOST_HOSTFS_NEAR;
}

/** hostfs_add_device() - say what is known of a device; 0 or -ENOMEM */
int hostfs_add_device(struct super_block *sb, u64 dev, bool remote);

/** hostfs_is_remote() - may the file system of a device not answer? Yes if it is unknown. */
bool hostfs_is_remote(struct super_block *sb, u64 dev);

/** hostfs_version() - to be taken before the host is asked for attributes */
static inline u64 hostfs_version(struct super_block *sb)
{
	return atomic64_read(&HOSTFS_SB(sb)->version);
}

/**
 * hostfs_update() - the host told attributes
 * @version: hostfs_version() before it was asked: if the inode was changed
 *	since then they are old and not used
 *
 * Drops cached data that does not belong to the file any more.
 */
void hostfs_update(struct inode *inode, const struct host_hostfs_attr *attr, u64 version);

/** hostfs_changed() - attributes after a change that was made through this mount. Any context. */
void hostfs_changed(struct inode *inode, const struct host_hostfs_attr *attr);

/** hostfs_expire() - the attributes changed, ask the host next time */
static inline void hostfs_expire(struct inode *inode)
{
	HOSTFS_I(inode)->checked = 0;
}

/** hostfs_refresh() - ask the host for attributes, unless that was just done */
int hostfs_refresh(struct inode *inode);

/** hostfs_has_dirty_data() - is there data that the host does not have? */
bool hostfs_has_dirty_data(struct inode *inode);

u64 hostfs_inode_number(struct super_block *sb, u64 dev, u64 ino);

/** hostfs_check_setid() - say once if a file was given fewer bits than @asked */
void hostfs_check_setid(struct super_block *sb, umode_t asked, unsigned int got);

int hostfs_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *ia);
int hostfs_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat,
		   u32 mask, unsigned int flags);
int hostfs_permission(struct mnt_idmap *idmap, struct inode *inode, int mask);

/** hostfs_change() - change attributes of the host's file; sets the inode's */
int hostfs_change(struct inode *inode, struct host_hostfs_change *change);

/* acl.c */

/**
 * struct hostfs_acls - what a new file inherits
 * @for_new: its default ACL, or NULL
 * @access: its access ACL, or NULL
 */
struct hostfs_acls {
	struct posix_acl *for_new;
	struct posix_acl *access;
};

struct posix_acl *hostfs_get_acl(struct inode *inode, int type, bool rcu);
int hostfs_set_acl(struct mnt_idmap *idmap, struct dentry *dentry, struct posix_acl *acl,
		   int type);

/** hostfs_chmod_acl() - the mode was changed, the access ACL is to say the same */
int hostfs_chmod_acl(struct mnt_idmap *idmap, struct dentry *dentry);

/** hostfs_prepare_acls() - what a new file below @dir inherits; corrects @mode, by umask or ACL */
int hostfs_prepare_acls(struct inode *dir, umode_t *mode, struct hostfs_acls *acls);

/** hostfs_give_acls() - give it that, if the host doesn't */
int hostfs_give_acls(struct inode *inode, const struct hostfs_acls *acls);

void hostfs_release_acls(struct hostfs_acls *acls);

/* name.c */

extern const struct inode_operations hostfs_dir_iops, hostfs_file_iops;
extern const struct inode_operations hostfs_link_iops;
extern const struct dentry_operations hostfs_dentry_ops;

struct dentry *hostfs_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags);

/** hostfs_set_fresh() - the name was just looked at, or made */
void hostfs_set_fresh(struct dentry *dentry);

/** hostfs_unlink_on_host() - remove a name there; @rmdir: that of a directory */
int hostfs_unlink_on_host(struct inode *dir, const char *name, int rmdir);

/* make.c */

int hostfs_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		  umode_t mode, bool excl);
int hostfs_atomic_open(struct inode *dir, struct dentry *dentry, struct file *file,
		       unsigned int flags, umode_t mode);
int hostfs_mkdir(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		 umode_t mode);
int hostfs_mknod(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		 umode_t mode, dev_t dev);
int hostfs_symlink(struct mnt_idmap *idmap, struct inode *dir, struct dentry *dentry,
		   const char *target);
int hostfs_tmpfile(struct mnt_idmap *idmap, struct inode *dir, struct file *file,
		   umode_t mode);

/* dir.c, file.c, page.c, direct.c, xattr.c */

extern const struct file_operations hostfs_dir_fops, hostfs_file_fops;
extern const struct address_space_operations hostfs_aops;
extern const struct xattr_handler * const hostfs_xattr_handlers[];

struct hostfs_data *hostfs_get_data(struct inode *inode, bool write);
void hostfs_put_data(struct hostfs_data *data);

/**
 * hostfs_give_data() - a new file is open for reading and writing as @fd
 *
 * Until hostfs_drop_data() it is opened by that: its mode may forbid it, descriptors
 * may be short.
 */
void hostfs_give_data(struct inode *inode, int fd);

/** hostfs_drop_data() - its maker has opened the new file, or won't */
void hostfs_drop_data(struct inode *inode);

/* range.c */

long hostfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len);
ssize_t hostfs_copy_file_range(struct file *from, loff_t from_pos, struct file *to,
			       loff_t to_pos, size_t len, unsigned int flags);
loff_t hostfs_remap_range(struct file *from, loff_t from_pos, struct file *to, loff_t to_pos,
			  loff_t len, unsigned int flags);

/** hostfs_direct_read() - read_iter with O_DIRECT */
ssize_t hostfs_direct_read(struct kiocb *iocb, struct iov_iter *iter);

/** hostfs_direct_write() - write_iter with O_DIRECT; the inode is locked */
ssize_t hostfs_direct_write(struct kiocb *iocb, struct iov_iter *iter);

/** hostfs_read_uncached() - read past the page cache, if that is better; sets @ret then */
bool hostfs_read_uncached(struct kiocb *iocb, struct iov_iter *iter, ssize_t *ret);

int hostfs_fault_init(struct file *file, struct vm_area_struct *vma);
/** hostfs_get_xattr() - returns the size; @size 0 asks only for that */
int hostfs_get_xattr(struct inode *inode, const char *name, void *buf, size_t size);

/** hostfs_set_xattr() - @value NULL removes it */
int hostfs_set_xattr(struct inode *inode, const char *name, const void *value, size_t size,
		     int flags);

ssize_t hostfs_listxattr(struct dentry *dentry, char *buf, size_t size);

#endif
