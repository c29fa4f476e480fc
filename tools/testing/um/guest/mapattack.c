// SPDX-License-Identifier: GPL-2.0
/*
 * mapattack FILE: on a mapped hostfs guests must not reach the attributes in which
 * owners and modes are kept. Exit code 0 if they don't.
 */
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

int main(int argc, char **argv)
{
	static const char * const names[] = {
		"user.virtfs.uid", "user.virtfs.gid", "user.virtfs.mode", "user.virtfs.rdev",
		"user.virtfs.security.capability", "user.virtfs.x"
	};
	const char *file = argc > 1 ? argv[1] : ".";
	char list[4096];
	int bad = 0;
	ssize_t n;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		bad |= setxattr(file, names[i], "\0\0\0\0", 4, 0) == 0;
		bad |= getxattr(file, names[i], list, sizeof(list)) >= 0;
		bad |= removexattr(file, names[i]) == 0;
	}
	bad |= setxattr(file, "user.own", "1", 1, 0) != 0;
	bad |= setxattr(file, "trusted.own", "2", 1, 0) != 0;
	bad |= getxattr(file, "trusted.own", list, sizeof(list)) != 1 || *list != '2';
	n = listxattr(file, list, sizeof(list));
	for (ssize_t i = 0; i < n; i += strlen(list + i) + 1) {
		puts(list + i);
		bad |= !!strstr(list + i, "virtfs");
	}
	return bad;
}
