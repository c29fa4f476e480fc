/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Plain file access for drivers. Descriptors are the host's, close-on-exec.
 * Results are byte counts or negative errno values; nothing here blocks for
 * long except what names a disk file.
 */
#ifndef __HOST_FILE_H
#define __HOST_FILE_H

#define HOST_OPEN_READ		1
#define HOST_OPEN_WRITE		2
#define HOST_OPEN_NONBLOCK	4
#define HOST_OPEN_SYNC		8
#define HOST_OPEN_CREATE	16

int host_open(const char *path, int flags);
void host_close(int fd);
long host_read(int fd, void *buf, unsigned long len);
long host_write(int fd, const void *buf, unsigned long len);
long host_pread(int fd, void *buf, unsigned long len, unsigned long long offset);
long host_pwrite(int fd, const void *buf, unsigned long len, unsigned long long offset);

#endif
