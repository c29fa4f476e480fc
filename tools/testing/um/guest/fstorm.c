// SPDX-License-Identifier: GPL-2.0
/*
 * Many processes do everything one can do with files in one tree at random:
 *
 *	fstorm DIR [--ops N] [--seed N] [--workers N]
 *	fstorm DIR --digest
 *
 * The names are few, so that they meet. Any error of a call that has a right to fail
 * is fine; EIO, ESTALE and their like end the run with exit code 1. The digest
 * describes the tree that is left, for comparison from two sides.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char *pick_path(char *buf)
{
	int depth = random() % 4, n = 0;

	while (depth--)
		n += sprintf(buf + n, "d%ld/", random() % 4);
	sprintf(buf + n, "%c%ld", random() % 3 ? 'f' : 'd', random() % 6);
	return buf;
}

static void check(long ret, const char *what, const char *path)
{
	static const int fine[] = {
		ENOENT, EEXIST, ENOTDIR, EISDIR, ENOTEMPTY, EINVAL, EPERM, EACCES, ELOOP, EMLINK,
		ENODATA, EOPNOTSUPP, EXDEV, ENXIO, EBUSY, ETXTBSY, ENODEV, ESPIPE
	};

	if (ret >= 0)
		return;
	for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++)
		if (errno == fine[i])
			return;
	fprintf(stderr, "fstorm: %s %s: %s\n", what, path, strerror(errno));
	_exit(1);
}

static void use_file(const char *path)
{
	static char buf[70000];
	int flags[] = { O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL, O_RDWR | O_TRUNC,
			O_WRONLY | O_APPEND | O_CREAT, O_RDONLY };
	int fd = open(path, flags[random() % 6] | O_NOFOLLOW | O_NONBLOCK, 0600 | random() % 0100);
	char *p;

	check(fd, "open", path);
	if (fd < 0)
		return;
	for (int n = random() % 6; n >= 0; n--) {
		long len = random() % sizeof(buf), pos = random() % 200000;

		switch (random() % 7) {
		case 0:
			memset(buf, random(), len);
			/* Not open for writing is fine. */
			if (pwrite(fd, buf, len, pos) < 0 && errno != EBADF)
				check(-1, "write", path);
			break;
		case 1:
			if (pread(fd, buf, len, pos) < 0 && errno != EBADF)
				check(-1, "read", path);
			break;
		case 2:
			if (ftruncate(fd, pos) < 0 && errno != EBADF)
				check(-1, "ftruncate", path);
			break;
		case 3:
			p = mmap(NULL, 65536, PROT_READ, MAP_SHARED, fd, 0);
			if (p != MAP_FAILED)
				munmap(p, 65536);
			break;
		case 4:
			if (random() % 8 == 0)
				check(fdatasync(fd), "fdatasync", path);
			break;
		case 5:
			check(fchmod(fd, 0600 | random() % 0100), "fchmod", path);
			break;
		case 6:
			/* Used on without its name. */
			if (random() % 4 == 0)
				check(unlink(path), "unlink", path);
			break;
		}
	}
	check(close(fd), "close", path);
}

static void list(const char *path)
{
	DIR *dir = opendir(path);
	char name[PATH_MAX];
	struct dirent *de;
	struct stat st;

	if (!dir) {
		check(-1, "opendir", path);
		return;
	}
	while ((de = readdir(dir))) {
		snprintf(name, sizeof(name), "%s/%s", path, de->d_name);
		if (lstat(name, &st) && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			check(-1, "lstat", name);
	}
	closedir(dir);
}

static void work(long nr, long seed)
{
	char a[64], b[64], buf[64];

	srandom(seed);
	while (nr--) {
		unsigned int flags[] = { 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE };

		pick_path(a);
		pick_path(b);
		switch (random() % 16) {
		case 0 ... 4:
			use_file(a);
			break;
		case 5:
			check(mkdir(a, 0755), "mkdir", a);
			break;
		case 6:
			check(rmdir(a), "rmdir", a);
			break;
		case 7:
			check(unlink(a), "unlink", a);
			break;
		case 8:
			check(link(a, b), "link", a);
			break;
		case 9:
			check(symlink(b, a), "symlink", a);
			break;
		case 10 ... 11:
			check(renameat2(AT_FDCWD, a, AT_FDCWD, b, flags[random() % 4]), "rename", a);
			break;
		case 12:
			list(random() % 2 ? "." : a);
			break;
		case 13:
			check(truncate(a, random() % 100000), "truncate", a);
			break;
		case 14:
			sprintf(buf, "%ld", random());
			check(lsetxattr(a, "user.storm", buf, strlen(buf), 0), "setxattr", a);
			break;
		case 15:
			check(random() % 2 ? mkfifo(a, 0600) : readlink(a, buf, 64), "fifo", a);
			break;
		}
	}
	_exit(0);
}

static unsigned long content(const char *path, const struct stat *st)
{
	unsigned long sum = 0;
	char buf[PATH_MAX];
	int fd, n;

	if (S_ISLNK(st->st_mode)) {
		n = readlink(path, buf, sizeof(buf));
		for (int i = 0; i < n; i++)
			sum = sum * 31 + buf[i];
	}
	if (!S_ISREG(st->st_mode))
		return sum;
	fd = open(path, O_RDONLY);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (int i = 0; i < n; i++)
			sum = sum * 31 + (unsigned char)buf[i];
	close(fd);
	return sum;
}

static void digest(const char *path)
{
	struct dirent **names;
	struct stat st;
	int n;

	if (lstat(path, &st)) {
		printf("%s: %s\n", path, strerror(errno));
		return;
	}
	printf("%s %o %ld %ld %lx\n", path, st.st_mode, (long)st.st_nlink,
	       S_ISDIR(st.st_mode) ? 0 : (long)st.st_size, content(path, &st));
	if (!S_ISDIR(st.st_mode))
		return;
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char name[PATH_MAX];

		snprintf(name, sizeof(name), "%s/%s", path, names[i]->d_name);
		if (strcmp(names[i]->d_name, ".") && strcmp(names[i]->d_name, ".."))
			digest(name);
	}
}

int main(int argc, char **argv)
{
	long nr = 2000, seed = 1, workers = 4;
	int status, bad = 0;

	if (argc < 2 || chdir(argv[1])) {
		perror("fstorm");
		return 2;
	}
	if (argc > 2 && !strcmp(argv[2], "--digest")) {
		digest(".");
		return 0;
	}
	for (int i = 2; i + 1 < argc; i += 2) {
		long value = atol(argv[i + 1]);

		if (!strcmp(argv[i], "--ops"))
			nr = value;
		else if (!strcmp(argv[i], "--seed"))
			seed = value;
		else if (!strcmp(argv[i], "--workers"))
			workers = value;
	}
	for (long i = 0; i < workers; i++)
		if (!fork())
			work(nr, seed * 100 + i);
	while (wait(&status) > 0)
		bad |= status;
	printf("fstorm: %s\n", bad ? "failed" : "right");
	return bad ? 1 : 0;
}
