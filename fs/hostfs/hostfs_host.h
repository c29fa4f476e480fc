/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contract of hostfs: files of the host, reached through descriptors.
 *
 * A file is named by a descriptor, or by the descriptor of its directory and
 * one component of a name. A component is never "", "." or "..", has no
 * slash, and is never followed if it is a symbolic link: so nothing here can
 * leave the directory it starts from, whatever is renamed or replaced
 * meanwhile. The one place where paths are resolved is host_hostfs_mount().
 *
 * Path descriptors (O_PATH) open nothing: a device, FIFO or socket of the host
 * is named by them, never opened.
 *
 * Unless said otherwise functions return 0 or a negative errno value, may be
 * called in task context on a kernel stack, and wait for the host's file system
 * as long as that takes; host_hostfs_start() has another thread wait.
 */
#ifndef __HOSTFS_HOST_H
#define __HOSTFS_HOST_H

/* How a tree is used; the @how of many functions. */
#define HOST_HOSTFS_MAPPED	1	/* owners, modes and devices are kept in xattrs */
#define HOST_HOSTFS_APPEND	2	/* files may only grow */

/*
 * Else regular files get neither set-id bits nor capabilities, and lose set-id bits when
 * they are opened for writing. A mapped tree's are only in its xattrs.
 */
#define HOST_HOSTFS_SETID	8
#define HOST_HOSTFS_DEVICES	16	/* device nodes can be made; in a mapped tree always */

/*
 * Only ask a file system that answers soon: that of the device @attr->dev. A file on
 * another one is -EXDEV, and @attr->dev is set to its device; nobody was asked then.
 */
#define HOST_HOSTFS_NEAR	4

/**
 * struct host_hostfs_time - a time as statx() gives it
 * @sec: seconds since 1970
 * @nsec: nanoseconds
 */
struct host_hostfs_time {
	long long sec;
	unsigned int nsec;
};

/**
 * struct host_hostfs_attr - what is known about a file
 * @dev: the host's device number
 * @ino: inode number there
 * @mount: number of the mount for a directory, or 0
 * @birth: when it was made; zero if the host doesn't know
 * @atime, @mtime, @ctime: times
 * @size: bytes
 * @blocks: units of 512 bytes in use
 * @mode: type and permissions
 * @nlink: links
 * @uid, @gid: owner
 * @major, @minor: of a device node
 * @blksize: preferred size of transfers
 */
struct host_hostfs_attr {
	unsigned long long dev;
	unsigned long long ino;
	unsigned long long mount;
	struct host_hostfs_time birth;
	struct host_hostfs_time atime;
	struct host_hostfs_time mtime;
	struct host_hostfs_time ctime;
	unsigned long long size;
	unsigned long long blocks;
	unsigned int mode;
	unsigned int nlink;
	unsigned int uid;
	unsigned int gid;
	unsigned int major;
	unsigned int minor;
	unsigned int blksize;
};

/* The tree */

/** host_hostfs_root() - what hostfs= named, an absolute path; NULL if it was not given */
const char *host_hostfs_root(void);

/** host_hostfs_flags() - HOST_HOSTFS_APPEND, _SETID and _DEVICES as hostfs= said, or 0 */
int host_hostfs_flags(void);

/* What a file system is like. */
#define HOST_HOSTFS_LOCAL	1	/* answers soon: not a network's, not FUSE */
#define HOST_HOSTFS_ACLS	2	/* has POSIX ACLs */

/**
 * host_hostfs_mount() - open the directory that is to be mounted
 * @path: below the directory of hostfs= (the host's / without it). Links are
 *	resolved as if that were /, and ".." does not lead out of it.
 * @how: HOST_HOSTFS_*
 * @attr: filled in
 * @traits: set to HOST_HOSTFS_LOCAL, _ACLS
 *
 * Returns a path descriptor. -EOPNOTSUPP: HOST_HOSTFS_MAPPED, but there are no
 * user xattrs.
 */
int host_hostfs_mount(const char *path, int how, struct host_hostfs_attr *attr, int *traits);

/** host_hostfs_max_files() - how many descriptors this process may have */
unsigned int host_hostfs_max_files(void);

/** host_hostfs_close() - close a descriptor; never fails */
void host_hostfs_close(int fd);

/**
 * struct host_hostfs_space - how full a file system is
 * @bsize, @frsize: block sizes in bytes
 * @blocks, @bfree, @bavail: blocks of @frsize bytes
 * @files, @ffree: inodes
 * @namelen: longest name
 */
struct host_hostfs_space {
	unsigned long bsize, frsize;
	unsigned long long blocks, bfree, bavail;
	unsigned long long files, ffree;
	unsigned long namelen;
};

/** host_hostfs_statfs() - of the file system that descriptor @fd is on */
int host_hostfs_statfs(int fd, struct host_hostfs_space *space);

/* Attributes */

/**
 * host_hostfs_stat() - attributes of a file
 * @fd: a descriptor, of the directory if there is a @name
 * @name: component, or NULL for @fd itself
 */
int host_hostfs_stat(int fd, const char *name, int how, struct host_hostfs_attr *attr);

/**
 * host_hostfs_look() - attributes of a name, wherever that is
 * @dir: descriptor of the directory
 * @local: set as by host_hostfs_mount()
 *
 * What is mounted there may never answer.
 */
int host_hostfs_look(int dir, const char *name, int how, struct host_hostfs_attr *attr,
		     int *local);

/* Which fields of a struct host_hostfs_change are meant. */
#define HOST_HOSTFS_MODE	1
#define HOST_HOSTFS_UID		2
#define HOST_HOSTFS_GID		4
#define HOST_HOSTFS_SIZE	8
#define HOST_HOSTFS_ATIME	16
#define HOST_HOSTFS_MTIME	32
#define HOST_HOSTFS_ATIME_NOW	64
#define HOST_HOSTFS_MTIME_NOW	128

/**
 * struct host_hostfs_change - new attributes
 * @valid: HOST_HOSTFS_MODE ... HOST_HOSTFS_MTIME_NOW
 * @write_fd: the file, open for writing: its size can be changed whatever its mode
 *	says by now; or -1
 * @mode: permissions, and the type as well
 */
struct host_hostfs_change {
	unsigned int valid;
	int write_fd;
	unsigned int mode;
	unsigned int uid;
	unsigned int gid;
	unsigned long long size;
	struct host_hostfs_time atime;
	struct host_hostfs_time mtime;
};

/**
 * host_hostfs_change() - change attributes
 * @fd: path descriptor
 * @change: what to
 * @attr: set to what they are then, also after an error that came half way
 */
int host_hostfs_change(int fd, int how, const struct host_hostfs_change *change,
		       struct host_hostfs_attr *attr);

/** host_hostfs_access() - may this process access it so? @mask: R_OK, W_OK, X_OK */
int host_hostfs_access(int fd, int mask);

/* Names */

/**
 * host_hostfs_open_path() - a path descriptor of a name
 * @dir: descriptor of the directory
 * @how: HOST_HOSTFS_NEAR is about the file, not the directory
 * @attr: set to the file's attributes
 *
 * Returns the descriptor.
 */
int host_hostfs_open_path(int dir, const char *name, int how, struct host_hostfs_attr *attr);

/**
 * struct host_hostfs_new - a file to be made
 * @mode: type and permissions
 * @uid, @gid: owner it should have
 * @major, @minor: of a device node
 * @open: a regular file is to stay open, though its mode may forbid to open it
 * @data_fd: set to a descriptor that is open for reading and writing, or -1
 * @target: of a symbolic link
 */
struct host_hostfs_new {
	unsigned int mode;
	unsigned int uid;
	unsigned int gid;
	unsigned int major;
	unsigned int minor;
	int open;
	int data_fd;
	const char *target;
};

/**
 * host_hostfs_make() - make a file of any type
 * @dir: descriptor of the directory
 * @name: component; NULL: a regular file that has no name (O_TMPFILE)
 * @attr: set to its attributes
 *
 * Returns a path descriptor of it. -EEXIST if there is something of that name. The
 * owner is what was asked for only if the host lets this process give files away, or
 * with HOST_HOSTFS_MAPPED.
 */
int host_hostfs_make(int dir, const char *name, int how, struct host_hostfs_new *new,
		     struct host_hostfs_attr *attr);

/** host_hostfs_unlink() - remove a name; @rmdir: that of a directory */
int host_hostfs_unlink(int dir, const char *name, int rmdir);

/** host_hostfs_link() - another name for the file of descriptor @fd */
int host_hostfs_link(int fd, int dir, const char *name);

/** host_hostfs_rename() - renameat2(); @flags are RENAME_* of the kernel's ABI */
int host_hostfs_rename(int from_dir, const char *from, int to_dir, const char *to,
		       unsigned int flags);

/**
 * host_hostfs_readlink() - target of a symbolic link
 * @fd: path descriptor
 * @buf: @len bytes; not terminated
 *
 * Returns the length, @len if it was cut.
 */
int host_hostfs_readlink(int fd, int how, char *buf, unsigned long len);

/** struct host_hostfs_dirent - an entry as host_hostfs_list() gives it; linux_dirent64 */
struct host_hostfs_dirent {
	unsigned long long ino;
	long long next;			/* position behind it */
	unsigned short reclen;		/* bytes to the next one */
	unsigned char type;		/* DT_* */
	char name[];
};

/** host_hostfs_open_dir() - a descriptor to list the directory of @fd */
int host_hostfs_open_dir(int fd);

/**
 * host_hostfs_list() - read entries
 * @fd: from host_hostfs_open_dir()
 * @pos: seek there first; negative: go on where the last call ended
 *
 * Returns the number of bytes; 0 at the end.
 */
int host_hostfs_list(int fd, long long pos, void *buf, unsigned long len);

/* Extended attributes; names are those of the guest */

/** host_hostfs_get_xattr() - returns the size; @len 0 asks only for that */
int host_hostfs_get_xattr(int fd, int how, const char *name, void *buf, unsigned long len);

/** host_hostfs_set_xattr() - @value NULL removes it; @flags as setxattr()'s */
int host_hostfs_set_xattr(int fd, int how, const char *name, const void *value,
			  unsigned long len, int flags);

/**
 * host_hostfs_list_xattr() - names, each with its NUL
 *
 * Returns the size; @len 0 asks only for that.
 */
int host_hostfs_list_xattr(int fd, int how, char *buf, unsigned long len);

/* Data */

#define HOST_HOSTFS_READ	1
#define HOST_HOSTFS_WRITE	2
#define HOST_HOSTFS_DIRECT	4	/* O_DIRECT */
#define HOST_HOSTFS_AT_END	8	/* O_APPEND */

/**
 * host_hostfs_open() - open a regular file
 * @fd: path descriptor
 * @how: HOST_HOSTFS_SETID
 * @flags: HOST_HOSTFS_READ ...
 *
 * Returns a descriptor; -EINVAL if it is something else than a regular file.
 */
int host_hostfs_open(int fd, int how, int flags);

/** struct host_hostfs_segment - memory of a transfer; laid out as struct iovec */
struct host_hostfs_segment {
	void *base;
	unsigned long len;
};

#define HOST_HOSTFS_SEGMENTS	256	/* of one transfer */

/**
 * struct host_hostfs_io - a transfer
 * @fd: from host_hostfs_open()
 * @write: to the file
 * @sync: the data is to be on the medium before it is finished
 * @cached: only what needs no waiting: -EAGAIN if that is nothing
 * @how: HOST_HOSTFS_*
 * @nr: number of segments
 * @segments: memory, in order
 * @offset: in the file
 * @len: bytes, the sum of the segments
 * @has_attr: @attr was set: the file's attributes after a write
 * @error: why it is not complete: a negative errno value, or 0 at the end of the file
 */
struct host_hostfs_io {
	int fd;
	unsigned char write;
	unsigned char sync;
	unsigned char cached;
	unsigned char has_attr;
	int error;
	int how;
	unsigned int nr;
	struct host_hostfs_segment *segments;
	unsigned long long offset;
	unsigned long long len;
	struct host_hostfs_attr attr;
};

/**
 * host_hostfs_transfer() - read or write
 *
 * Returns how many bytes, or @error if there were none.
 */
long host_hostfs_transfer(struct host_hostfs_io *io);

/** host_hostfs_sync() - fsync(), or fdatasync() if @data_only */
int host_hostfs_sync(int fd, int data_only);

/** host_hostfs_syncfs() - write the file system of @fd, any descriptor, to the disk */
int host_hostfs_syncfs(int fd);

/** host_hostfs_allocate() - fallocate() */
int host_hostfs_allocate(int fd, int mode, unsigned long long offset, unsigned long long len);

/** host_hostfs_seek() - SEEK_DATA or SEEK_HOLE; returns the position */
long long host_hostfs_seek(int fd, long long offset, int whence);

/**
 * struct host_hostfs_copy - a part of a file that becomes a part of another
 * @from, @to: descriptors
 * @from_offset, @to_offset: where
 * @len: bytes
 * @clone: share the blocks or fail
 */
struct host_hostfs_copy {
	int from, to;
	unsigned long long from_offset, to_offset;
	unsigned long long len;
	int clone;
};

/** host_hostfs_copy() - returns the number of bytes copied */
long host_hostfs_copy(const struct host_hostfs_copy *copy);

/* Calls by another thread */

struct host_event;
struct host_hostfs_request;

/** struct host_hostfs_queue - where finished requests gather */
struct host_hostfs_queue {
	struct host_event *event;		/* posted when something was added */
	struct host_hostfs_request *done;	/* host half's */
};

typedef long (*host_hostfs_fn)(long a, long b, long c, long d, long e, long f);

/**
 * struct host_hostfs_request - a call
 * @fn: one of the functions above
 * @args: its arguments
 * @result: what it returned
 * @remote: it may take for ever; those that may not don't wait behind it
 * @queue: where to put the finished request
 * @next, @private: host half's
 */
struct host_hostfs_request {
	host_hostfs_fn fn;
	long args[6];
	long result;
	int remote;
	struct host_hostfs_queue *queue;
	struct host_hostfs_request *next;
	void *private[2];
};

/** host_hostfs_start() - have a host thread do it. Any context but a signal handler. */
void host_hostfs_start(struct host_hostfs_request *request);

/**
 * host_hostfs_finished() - take all finished requests
 *
 * Returns a list linked by @next, oldest first. Interrupt context.
 */
struct host_hostfs_request *host_hostfs_finished(struct host_hostfs_queue *queue);

#endif
