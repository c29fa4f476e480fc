// SPDX-License-Identifier: GPL-2.0
/*
 * Mount by the new system calls: fsmount TYPE DIR WORD...
 *
 * A word is flag:NAME or KEY=VALUE, as libmount passes options on.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FSCONFIG_SET_FLAG	0
#define FSCONFIG_SET_STRING	1
#define FSCONFIG_CMD_CREATE	6
#define MOVE_MOUNT_F_EMPTY_PATH	4

int main(int argc, char **argv)
{
	int fd, mnt;

	if (argc < 3)
		return 2;
	fd = syscall(SYS_fsopen, argv[1], 0);
	if (fd < 0) {
		perror("fsopen");
		return 1;
	}
	syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, "source", "none", 0);
	for (int i = 3; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		long ret;

		if (!strncmp(argv[i], "flag:", 5)) {
			ret = syscall(SYS_fsconfig, fd, FSCONFIG_SET_FLAG, argv[i] + 5, NULL, 0);
		} else if (value) {
			*value++ = '\0';
			ret = syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, argv[i], value, 0);
		} else {
			return 2;
		}
		if (ret) {
			perror(argv[i]);
			return 1;
		}
	}
	if (syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) {
		perror("create");
		return 1;
	}
	mnt = syscall(SYS_fsmount, fd, 0, 0);
	if (mnt < 0 || syscall(SYS_move_mount, mnt, "", AT_FDCWD, argv[2],
			       MOVE_MOUNT_F_EMPTY_PATH)) {
		perror("move_mount");
		return 1;
	}
	return 0;
}
