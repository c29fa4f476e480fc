// SPDX-License-Identifier: GPL-2.0
/*
 * badhandle FILE: file handles that nobody gave out must open nothing. Exit code
 * 0 if none did.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u;
	int mount_fd = open(argc > 1 ? argv[1] : ".", O_RDONLY);
	int fd;

	for (int type = 0; type < 256; type++) {
		for (unsigned int i = 0; i < 200; i++) {
			u.h.handle_bytes = 4 + 4 * (i % 8);
			u.h.handle_type = type;
			for (unsigned int b = 0; b < u.h.handle_bytes; b++)
				u.h.f_handle[b] = i < 8 ? (b ? 0 : 2) : rand();
			fd = open_by_handle_at(mount_fd, &u.h, O_RDONLY);
			if (fd >= 0) {
				printf("handle of type %d opened something\n", type);
				return 1;
			}
		}
	}
	return 0;
}
