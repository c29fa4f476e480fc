// SPDX-License-Identifier: GPL-2.0
/*
 * hostfs: directories of the host as a file system.
 *
 * This file mounts them. The option is a path below the directory that hostfs= named on
 * the kernel's command line. It comes as "hostfs=<path>", or as a word that is no
 * other option: mount(8) passes "-o /some/dir" as a flag of that name.
 * Mounts of one directory in one way are one file system.
 */
#include <linux/backing-dev.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/writeback.h>
#include "hostfs.h"

#define READAHEAD_PAGES		(SZ_1M >> PAGE_SHIFT)
#define LOOSE_NS		NSEC_PER_SEC

static struct kmem_cache *inode_cache;

/* Mount options */

enum { OPT_HOSTFS, OPT_MAPPED, OPT_CACHE, OPT_TIMEOUT, OPT_CALLS };
enum { CACHE_STRICT, CACHE_LOOSE };

static const struct constant_table cache_names[] = {
	{ "strict", CACHE_STRICT },
	{ "loose", CACHE_LOOSE },
	{ }
};

static const struct constant_table calls_names[] = {
	{ "auto", HOSTFS_CALLS_AUTO },
	{ "direct", HOSTFS_CALLS_DIRECT },
	{ "threads", HOSTFS_CALLS_THREADS },
	{ }
};

static const struct fs_parameter_spec hostfs_params[] = {
	fsparam_string("hostfs", OPT_HOSTFS),
	fsparam_flag("mapped", OPT_MAPPED),
	fsparam_enum("cache", OPT_CACHE, cache_names),
	fsparam_u32("timeout", OPT_TIMEOUT),
	fsparam_enum("calls", OPT_CALLS, calls_names),
	{ }
};

/**
 * struct options - of a mount
 * @path: below the root, or NULL
 * @how: HOST_HOSTFS_*
 * @cache: CACHE_*
 * @timeout: seconds, or -1
 * @calls: who makes calls
 */
struct options {
	char *path;
	int how;
	int cache;
	int timeout;
	enum hostfs_calls calls;
};

static int set_path(struct fs_context *fc, char *path)
{
	struct options *options = fc->fs_private;

	if (!path)
		return -ENOMEM;
	if (options->path) {
		int err = invalf(fc, "hostfs: a directory was given already (%s), what is \"%s\"?",
				 options->path, path);
		kfree(path);
		return err;
	}
	options->path = path;
	return 0;
}

/* A word of its own is the directory. If it has a "=" that is part of the name. */
static int parse_bare(struct fs_context *fc, struct fs_parameter *param)
{
	if (!strcmp(param->key, "source"))
		return -ENOPARAM;
	if (param->type == fs_value_is_flag)
		return set_path(fc, kstrdup(param->key, GFP_KERNEL));
	if (param->type == fs_value_is_string && strchr(param->key, '/'))
		return set_path(fc, kasprintf(GFP_KERNEL, "%s=%s", param->key, param->string));
	return -ENOPARAM;
}

static int hostfs_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct options *options = fc->fs_private;
	struct fs_parse_result result;
	char *path;
	int opt;

	/* A path with a comma can only come so; it needs no quoting here. */
	opt = fs_parse(fc, hostfs_params, param, &result);
	if (opt == -ENOPARAM)
		return parse_bare(fc, param);
	switch (opt) {
	case OPT_HOSTFS:
		path = param->string;
		param->string = NULL;
		return set_path(fc, path);
	case OPT_MAPPED:
		options->how |= HOST_HOSTFS_MAPPED;
		return 0;
	case OPT_CACHE:
		options->cache = result.uint_32;
		return 0;
	case OPT_TIMEOUT:
		if (result.uint_32 > 86400)
			return invalf(fc, "hostfs: timeout is in seconds, at most 86400");
		options->timeout = result.uint_32;
		return 0;
	case OPT_CALLS:
		options->calls = result.uint_32;
		return 0;
	}
	return opt;
}

/* Super blocks */

static struct inode *hostfs_alloc_inode(struct super_block *sb)
{
	struct hostfs_inode *hi = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);

	if (!hi)
		return NULL;
	hi->handle.fd = -1;
	hi->handle.users = 0;
	hi->reader = NULL;
	hi->writer = NULL;
	hi->made = NULL;
	hi->readers = 0;
	hi->writers = 0;
	hi->checked = 0;
	hi->version = 0;
	return &hi->vfs;
}

static void hostfs_free_inode(struct inode *inode)
{
	kmem_cache_free(inode_cache, HOSTFS_I(inode));
}

/* What is held open for its users goes with the last one, also if it has names left. */
static int hostfs_drop_inode(struct inode *inode)
{
	return generic_drop_inode(inode) || !list_empty(&HOSTFS_I(inode)->handle.kept);
}

static void hostfs_evict_inode(struct inode *inode)
{
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	hostfs_drop_data(inode);
	hostfs_drop_handle(inode);
}

static int hostfs_statfs(struct dentry *dentry, struct kstatfs *st)
{
	struct inode *inode = d_inode(dentry);
	struct host_hostfs_space space;
	int fd, err;

	fd = hostfs_hold(inode);
	if (fd < 0)
		return fd;
	err = hostfs_call(inode, host_hostfs_statfs, fd, &space);
	hostfs_let_go(inode);
	if (err)
		return err;
	st->f_type = HOSTFS_MAGIC;
	st->f_bsize = space.bsize;
	st->f_frsize = space.frsize;
	st->f_blocks = space.blocks;
	st->f_bfree = space.bfree;
	st->f_bavail = space.bavail;
	st->f_files = space.files;
	st->f_ffree = space.ffree;
	st->f_namelen = space.namelen;
	st->f_fsid = u64_to_fsid(huge_encode_dev(inode->i_sb->s_dev));
	return 0;
}

/* At unmounting all is with the host already: no need to wait for its disk. */
static int hostfs_sync_fs(struct super_block *sb, int wait)
{
	struct inode *root;

	if (!wait || !sb->s_root)
		return 0;
	root = d_inode(sb->s_root);
	return hostfs_call_threaded(root, host_hostfs_syncfs, HOSTFS_I(root)->handle.fd);
}

static int hostfs_show_options(struct seq_file *seq, struct dentry *root)
{
	struct hostfs_sb *sbi = HOSTFS_SB(root->d_sb);

	seq_putc(seq, ',');
	seq_escape(seq, sbi->path, ", \t\n\\");
	if (sbi->how & HOST_HOSTFS_APPEND)
		seq_puts(seq, ",append");
	if (sbi->how & HOST_HOSTFS_MAPPED)
		seq_puts(seq, ",mapped");
	if (sbi->loose)
		seq_printf(seq, ",cache=loose,timeout=%llu", div_u64(sbi->fresh_ns, NSEC_PER_SEC));
	if (sbi->calls != HOSTFS_CALLS_AUTO)
		seq_printf(seq, ",calls=%s", calls_names[sbi->calls].name);
	return 0;
}

static const struct super_operations hostfs_super_ops = {
	.alloc_inode = hostfs_alloc_inode,
	.free_inode = hostfs_free_inode,
	.drop_inode = hostfs_drop_inode,
	.evict_inode = hostfs_evict_inode,
	.statfs = hostfs_statfs,
	.sync_fs = hostfs_sync_fs,
	.show_options = hostfs_show_options,
};

static void free_sbi(struct hostfs_sb *sbi)
{
	struct hostfs_device *device, *next;

	if (!sbi)
		return;
	list_for_each_entry_safe(device, next, &sbi->devices, list)
		kfree(device);
	if (sbi->root_fd >= 0)
		host_hostfs_close(sbi->root_fd);
	kfree(sbi->path);
	kfree(sbi);
}

static int fill_super(struct super_block *sb)
{
	struct hostfs_sb *sbi = HOSTFS_SB(sb);
	struct inode *root;
	int err;

	sb->s_magic = HOSTFS_MAGIC;
	sb->s_op = &hostfs_super_ops;
	sb->s_d_op = &hostfs_dentry_ops;
	sb->s_xattr = hostfs_xattr_handlers;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_time_gran = 1;
	if (sbi->acls)
		sb->s_flags |= SB_POSIXACL;
	sb->s_time_min = S64_MIN;
	sb->s_time_max = S64_MAX;
	err = super_setup_bdi(sb);
	if (err)
		return err;
	sb->s_bdi->ra_pages = READAHEAD_PAGES;
	sb->s_bdi->io_pages = READAHEAD_PAGES;

	root = hostfs_iget(sb, NULL, &sbi->root, 0);
	if (IS_ERR(root))
		return PTR_ERR(root);
	/* Everything else is found from there: it stays open. */
	hostfs_give(root, sbi->root_fd);
	sbi->root_fd = -1;
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

/* The name in the list of mounts: as the user would say it on the host. */
static char *full_path(const char *path)
{
	const char *root = host_hostfs_root() ?: "/";

	if (!path || !*path)
		return kstrdup(root, GFP_KERNEL);
	while (*path == '/')
		path++;
	return kasprintf(GFP_KERNEL, "%s%s%s", root, *path && strcmp(root, "/") ? "/" : "", path);
}

/* The host's root directory is nobody's root file system unless he says so. */
static bool forgot_directory(const struct options *options)
{
	return system_state < SYSTEM_RUNNING && !options->path && !host_hostfs_root();
}

static struct hostfs_sb *open_tree(struct fs_context *fc)
{
	struct options *options = fc->fs_private;
	struct hostfs_sb *sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);
	int traits, fd;

	if (!sbi)
		return ERR_PTR(-ENOMEM);
	sbi->root_fd = -1;
	INIT_LIST_HEAD(&sbi->devices);
	spin_lock_init(&sbi->devices_lock);
	sbi->how = options->how | host_hostfs_flags();
	sbi->path = full_path(options->path);
	if (!sbi->path) {
		free_sbi(sbi);
		return ERR_PTR(-ENOMEM);
	}
	fd = hostfs_call_remote(host_hostfs_mount, options->path ?: "", sbi->how, &sbi->root,
				&traits);
	if (fd < 0) {
		if (fd == -EOPNOTSUPP)
			errorf(fc, "hostfs: %s has no user xattrs, which \"mapped\" needs",
			       sbi->path);
		else
			errorf(fc, "hostfs: %s: error %d", sbi->path, -fd);
		free_sbi(sbi);
		return ERR_PTR(fd);
	}
	sbi->root_fd = fd;
	sbi->remote = !(traits & HOST_HOSTFS_LOCAL);
	sbi->acls = sbi->how & HOST_HOSTFS_MAPPED || traits & HOST_HOSTFS_ACLS;
	sbi->calls = options->calls;
	sbi->loose = options->cache == CACHE_LOOSE;
	sbi->fresh_ns = HOSTFS_FRESH_NS;
	if (sbi->loose)
		sbi->fresh_ns = options->timeout < 0 ? LOOSE_NS :
						       options->timeout * NSEC_PER_SEC;
	return sbi;
}

static int test_super(struct super_block *sb, struct fs_context *fc)
{
	const struct hostfs_sb *a = HOSTFS_SB(sb), *b = fc->s_fs_info;

	return a->root.dev == b->root.dev && a->root.ino == b->root.ino &&
	       a->root.mount == b->root.mount && a->how == b->how && a->calls == b->calls &&
	       a->loose == b->loose && a->fresh_ns == b->fresh_ns && !strcmp(a->path, b->path) &&
	       !((sb->s_flags ^ fc->sb_flags) & SB_RDONLY);
}

static int hostfs_get_tree(struct fs_context *fc)
{
	struct options *options = fc->fs_private;
	struct super_block *sb;
	int err;

	if (forgot_directory(options))
		return invalf(fc, "hostfs: which directory is the root? Say hostfs=<dir> or rootflags=<dir>; the host's / is not taken unasked");
	fc->s_fs_info = open_tree(fc);
	if (IS_ERR(fc->s_fs_info)) {
		err = PTR_ERR(fc->s_fs_info);
		fc->s_fs_info = NULL;
		return err;
	}
	sb = sget_fc(fc, test_super, set_anon_super_fc);
	if (IS_ERR(sb))
		return PTR_ERR(sb);
	if (!sb->s_root) {
		err = fill_super(sb);
		if (err) {
			deactivate_locked_super(sb);
			return err;
		}
		sb->s_flags |= SB_ACTIVE | SB_NOSEC;
	}
	fc->root = dget(sb->s_root);
	return 0;
}

/* Read-only or not is the generic code's; the rest stays as it is. */
static int hostfs_reconfigure(struct fs_context *fc)
{
	sync_filesystem(fc->root->d_sb);
	return 0;
}

static void hostfs_free_fc(struct fs_context *fc)
{
	struct options *options = fc->fs_private;

	if (options)
		kfree(options->path);
	kfree(options);
	free_sbi(fc->s_fs_info);
}

static const struct fs_context_operations hostfs_context_ops = {
	.parse_param = hostfs_parse_param,
	.get_tree = hostfs_get_tree,
	.reconfigure = hostfs_reconfigure,
	.free = hostfs_free_fc,
};

static int hostfs_init_fs_context(struct fs_context *fc)
{
	struct options *options = kzalloc(sizeof(*options), GFP_KERNEL);

	if (!options)
		return -ENOMEM;
	options->timeout = -1;
	fc->fs_private = options;
	fc->ops = &hostfs_context_ops;
	return 0;
}

static void hostfs_kill_sb(struct super_block *sb)
{
	struct hostfs_sb *sbi = HOSTFS_SB(sb);

	kill_anon_super(sb);
	free_sbi(sbi);
}

static struct file_system_type hostfs_type = {
	.owner = THIS_MODULE,
	.name = "hostfs",
	.init_fs_context = hostfs_init_fs_context,
	.parameters = hostfs_params,
	.kill_sb = hostfs_kill_sb,
};
MODULE_ALIAS_FS("hostfs");

static void init_inode_once(void *object)
{
	struct hostfs_inode *hi = object;

	inode_init_once(&hi->vfs);
	INIT_LIST_HEAD(&hi->handle.lru);
	INIT_LIST_HEAD(&hi->handle.kept);
	mutex_init(&hi->open_lock);
	spin_lock_init(&hi->data_lock);
}

static int __init hostfs_init(void)
{
	int err = -ENOMEM;

	inode_cache = kmem_cache_create("hostfs_inode_cache", sizeof(struct hostfs_inode), 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT, init_inode_once);
	if (!inode_cache)
		return err;
	hostfs_handles_init();
	err = hostfs_calls_init();
	if (err)
		goto free_cache;
	err = register_filesystem(&hostfs_type);
	if (err)
		goto exit_calls;
	return 0;

exit_calls:
	hostfs_calls_exit();
free_cache:
	kmem_cache_destroy(inode_cache);
	return err;
}

static void __exit hostfs_exit(void)
{
	unregister_filesystem(&hostfs_type);
	hostfs_calls_exit();
	/* Inodes are freed after a grace period. */
	rcu_barrier();
	kmem_cache_destroy(inode_cache);
}

module_init(hostfs_init);
module_exit(hostfs_exit);
MODULE_DESCRIPTION("Directories of the host as a file system");
MODULE_LICENSE("GPL");
