// SPDX-License-Identifier: GPL-2.0
/* The contract of hostfs, for the module: only the kernel image can export it. */
#include <linux/export.h>
#include "hostfs_host.h"

EXPORT_SYMBOL_GPL(host_hostfs_access);
EXPORT_SYMBOL_GPL(host_hostfs_allocate);
EXPORT_SYMBOL_GPL(host_hostfs_change);
EXPORT_SYMBOL_GPL(host_hostfs_close);
EXPORT_SYMBOL_GPL(host_hostfs_copy);
EXPORT_SYMBOL_GPL(host_hostfs_finished);
EXPORT_SYMBOL_GPL(host_hostfs_flags);
EXPORT_SYMBOL_GPL(host_hostfs_get_xattr);
EXPORT_SYMBOL_GPL(host_hostfs_link);
EXPORT_SYMBOL_GPL(host_hostfs_list);
EXPORT_SYMBOL_GPL(host_hostfs_list_xattr);
EXPORT_SYMBOL_GPL(host_hostfs_look);
EXPORT_SYMBOL_GPL(host_hostfs_make);
EXPORT_SYMBOL_GPL(host_hostfs_max_files);
EXPORT_SYMBOL_GPL(host_hostfs_mount);
EXPORT_SYMBOL_GPL(host_hostfs_open);
EXPORT_SYMBOL_GPL(host_hostfs_open_dir);
EXPORT_SYMBOL_GPL(host_hostfs_open_path);
EXPORT_SYMBOL_GPL(host_hostfs_readlink);
EXPORT_SYMBOL_GPL(host_hostfs_rename);
EXPORT_SYMBOL_GPL(host_hostfs_root);
EXPORT_SYMBOL_GPL(host_hostfs_seek);
EXPORT_SYMBOL_GPL(host_hostfs_set_xattr);
EXPORT_SYMBOL_GPL(host_hostfs_start);
EXPORT_SYMBOL_GPL(host_hostfs_stat);
EXPORT_SYMBOL_GPL(host_hostfs_statfs);
EXPORT_SYMBOL_GPL(host_hostfs_sync);
EXPORT_SYMBOL_GPL(host_hostfs_syncfs);
EXPORT_SYMBOL_GPL(host_hostfs_transfer);
EXPORT_SYMBOL_GPL(host_hostfs_unlink);
