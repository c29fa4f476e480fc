// SPDX-License-Identifier: GPL-2.0
/*
 * One pass over files, timed:
 *
 *	tree make DIR N		make N empty files, 100 to a directory
 *	tree find DIR		what find DIR does: list all directories
 *	tree stat DIR		what find DIR -size 0 does: also stat each file
 *	tree read FILE [KIB]	read all, 128 KiB at a time, or so much
 *	tree map FILE		look at each page of a map
 *	tree write FILE MIB	write that much, 128 KiB at a time, and close
 *
 * Prints "tree NANOSECONDS COUNT".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK	(128 << 10)

static long count;

static void fail(const char *what)
{
	fprintf(stderr, "tree: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static void make(const char *dir, long n)
{
	char name[PATH_MAX];

	mkdir(dir, 0755);
	for (long i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s/%ld", dir, i / 100);
		if (i % 100 == 0 && mkdir(name, 0755))
			fail(name);
		snprintf(name, sizeof(name), "%s/%ld/file-%ld", dir, i / 100, i);
		if (close(open(name, O_CREAT | O_EXCL | O_WRONLY, 0644)))
			fail(name);
		count++;
	}
}

static void walk(int parent, const char *name, int each)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	struct dirent *de;
	struct stat st;
	DIR *dir;

	if (fd < 0 || fstat(fd, &st))
		fail(name);
	dir = fdopendir(fd);
	while ((de = readdir(dir))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		count++;
		if (each && fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW))
			fail(de->d_name);
		if (de->d_type == DT_DIR)
			walk(fd, de->d_name, each);
	}
	closedir(dir);
}

static void read_all(const char *file, long chunk)
{
	static char buf[CHUNK];
	int fd = open(file, O_RDONLY);
	long n;

	if (fd < 0)
		fail(file);
	if (chunk <= 0 || chunk > CHUNK)
		chunk = CHUNK;
	while ((n = read(fd, buf, chunk)) > 0)
		count += n;
	close(fd);
}

static void map_all(const char *file)
{
	int fd = open(file, O_RDONLY);
	volatile const char *p;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		fail(file);
	p = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		fail("mmap");
	for (; count < st.st_size; count += 4096)
		(void)p[count];
	close(fd);
}

static void write_all(const char *file, long mib)
{
	static char buf[CHUNK];
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		fail(file);
	memset(buf, 'x', CHUNK);
	while (count < mib << 20) {
		if (write(fd, buf, CHUNK) != CHUNK)
			fail(file);
		count += CHUNK;
	}
	if (close(fd))
		fail(file);
}

int main(int argc, char **argv)
{
	long start = now();

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "make") && argc > 3)
		make(argv[2], atol(argv[3]));
	else if (!strcmp(argv[1], "find"))
		walk(AT_FDCWD, argv[2], 0);
	else if (!strcmp(argv[1], "stat"))
		walk(AT_FDCWD, argv[2], 1);
	else if (!strcmp(argv[1], "read"))
		read_all(argv[2], argc > 3 ? atol(argv[3]) << 10 : CHUNK);
	else if (!strcmp(argv[1], "map"))
		map_all(argv[2]);
	else if (!strcmp(argv[1], "write") && argc > 3)
		write_all(argv[2], atol(argv[3]));
	else
		return 2;
	printf("tree %ld %ld\n", now() - start, count);
	return 0;
}
