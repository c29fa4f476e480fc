// SPDX-License-Identifier: GPL-2.0
/*
 * Makes files by mknod(), which opens none of them, and files that lose one of two names
 * while they are open. Arguments: a folder, and how many of each.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[2]) : 0;
	char name[32], second[32];
	int i, fd;

	if (!n || chdir(argv[1]))
		return 2;
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%d", i);
		if (mknod(name, S_IFREG | 0600, 0))
			return 1;
	}
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%d-first", i);
		snprintf(second, sizeof(second), "%d-second", i);
		fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
		if (fd < 0 || link(name, second) || unlink(name) || close(fd))
			return 1;
	}
	return 0;
}
