/* SPDX-License-Identifier: GPL-2.0 */
/* What other options of the host half may ask of hostfs. */
#ifndef __HOSTFS_OPTIONS_HOST_H
#define __HOSTFS_OPTIONS_HOST_H

/**
 * hostfs_set_root() - confine hostfs to a directory, as hostfs= does
 * @dir: on the host
 * @flags: HOST_HOSTFS_APPEND or 0
 *
 * While options are parsed. Returns 0, or -1 after a message.
 */
int hostfs_set_root(const char *dir, int flags);

/**
 * hostfs_boot() - have the machine start from a directory of the host
 * @dir: becomes the root file system, and hostfs is confined to it
 *
 * While options are parsed. Returns 0, or -1 after a message.
 */
int hostfs_boot(const char *dir);

#endif
