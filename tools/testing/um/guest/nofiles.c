// SPDX-License-Identifier: GPL-2.0
/*
 * Makes files of all kinds and keeps the regular ones open until descriptors of the
 * machine run out, and some more. What could not be made may not be there:
 *
 *	nofiles DIR
 *
 * Exit code 0 if all is as the calls said, and if it was them that ran out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST	900
#define MORE	20	/* tries after the first failure */

enum { FILE_, DIR_, FIFO_, LINK_, KINDS };

static int make(int kind, const char *name)
{
	int fd;

	switch (kind) {
	case FILE_:
		fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0);
		if (fd >= 0 && write(fd, "x", 1) != 1)
			return -2;
		return fd < 0 ? -1 : 0;
	case DIR_:
		return mkdir(name, 0755);
	case FIFO_:
		return mkfifo(name, 0644);
	default:
		return symlink("nowhere", name);
	}
}

int main(int argc, char **argv)
{
	int made = 0, short_of = 0, wrong = 0;
	struct stat st;
	char name[32];

	if (argc < 2 || chdir(argv[1]))
		return 2;
	for (int i = 0; i < MOST && short_of < MORE; i++) {
		for (int kind = 0; kind < KINDS; kind++) {
			int ret, error, there;

			snprintf(name, sizeof(name), "%d-%d", kind, i);
			ret = make(kind, name);
			error = errno;
			there = !lstat(name, &st);
			/* Not even for this there was a descriptor. */
			if (!there && (errno == EMFILE || errno == ENFILE))
				there = !ret;
			if (there == (ret < 0) || ret < -1 ||
			    (ret < 0 && error != EMFILE && error != ENFILE)) {
				printf("%s: made %d (%s), there %d\n", name, ret,
				       strerror(error), there);
				wrong++;
			}
			made += !ret;
			short_of += ret < 0;
		}
	}
	printf("nofiles: %d made, %d not, %d wrong\n", made, short_of, wrong);
	return wrong || !short_of;
}
