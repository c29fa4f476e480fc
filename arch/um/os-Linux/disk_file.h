/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host file or block device that holds a disk, or is read and written as one:
 * opening, size, lock. Host half and tools. Errors are negative errno values.
 */
#ifndef __UM_DISK_FILE_H
#define __UM_DISK_FILE_H

#include <stdint.h>

/**
 * disk_file_open() - open a disk
 * @file: its name
 * @how: open() flags: O_RDONLY or O_RDWR, O_SYNC, O_EXCL for a block device
 *	that nobody else may use
 *
 * Returns a close-on-exec descriptor.
 */
int disk_file_open(const char *file, int how);

/**
 * disk_file_size() - bytes in a regular file or block device
 * @fd: descriptor
 * @size: set
 *
 * Returns 0, -EISDIR, -ENOTBLK for anything else that is no disk, or what
 * the host answered.
 */
int disk_file_size(int fd, uint64_t *size);

/**
 * disk_file_lock() - lock a whole file against other machines
 * @fd: descriptor, open for writing if @write
 * @write: nobody else may hold a lock; otherwise nobody a write lock
 * @holder: set to the process that is in the way, 0 if the host doesn't tell
 *
 * The lock belongs to the open file: closing another descriptor of the same
 * file doesn't drop it, and it ends with the last copy of @fd. It conflicts
 * with the record locks of other programs. Returns 0 or -EAGAIN if somebody
 * is in the way. Never waits.
 */
int disk_file_lock(int fd, int write, int *holder);

/**
 * disk_file_read() - read until @len bytes are there or the file ends
 *
 * Returns the number of bytes, or a negative errno.
 */
int64_t disk_file_read(int fd, void *buf, uint64_t len, uint64_t offset);

/** disk_file_write() - write all of @len bytes; 0 or a negative errno */
int disk_file_write(int fd, const void *buf, uint64_t len, uint64_t offset);

#endif
