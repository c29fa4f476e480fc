// SPDX-License-Identifier: GPL-2.0
/*
 * What programs expect of files and directories. The folder to work in is the
 * argument: hostfs in the guest; the host's own file system and ext4 are the
 * oracle. With "nosetid" as the second one files there get no set-id bits.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "tap.h"
#include "util.h"

static char folder[PATH_MAX];
static int set_id = 1;

static int put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	return close(fd) == 0 && ok;
}

static int holds(const char *name, const char *text)
{
	char buf[256] = "";
	int fd = open(name, O_RDONLY);
	int n = read(fd, buf, sizeof(buf) - 1);

	close(fd);
	return n == (int)strlen(text) && !strcmp(buf, text);
}

/* The error of a call, or 0. */
#define err(call) ((call) == -1 ? errno : 0)

static struct stat st_of(const char *name)
{
	struct stat st = { 0 };

	lstat(name, &st);
	return st;
}

static void renames(void)
{
	struct stat a, b;

	put("a", "A");
	put("b", "B");
	a = st_of("a");
	b = st_of("b");
	is(err(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE)), EEXIST, "NOREPLACE");
	is(err(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE)), 0, "EXCHANGE");
	ok(holds("a", "B") && holds("b", "A"), "they changed places");
	ok(st_of("a").st_ino == b.st_ino && st_of("b").st_ino == a.st_ino, "with their numbers");
	is(err(renameat2(AT_FDCWD, "a", AT_FDCWD, "new", RENAME_EXCHANGE)), ENOENT,
	   "EXCHANGE with nothing");
	is(rename("a", "b"), 0, "rename replaces");
	ok(holds("b", "B") && access("a", F_OK), "the target is the source now");
	is(err(renameat2(AT_FDCWD, "b", AT_FDCWD, "moved", RENAME_WHITEOUT)), 0, "WHITEOUT");
	a = st_of("b");
	ok(S_ISCHR(a.st_mode) && !a.st_rdev, "leaves a whiteout");
	unlink("b");
	unlink("moved");

	mkdir("d1", 0755);
	mkdir("d2", 0755);
	put("d2/x", "x");
	is(err(rename("d1", "d2")), ENOTEMPTY, "not over a full directory");
	is(err(rename("d2", "d2/in")), EINVAL, "not into itself");
	is(err(rename("d2", "d1")), 0, "over an empty directory");
	ok(holds("d1/x", "x"), "what was below moved along");
	is(st_of("d1").st_nlink, 2, "a directory without directories has two links");
	mkdir("d1/sub", 0755);
	is(st_of("d1").st_nlink, 3, "and one more for each in it");
	rmdir("d1/sub");
	unlink("d1/x");
	is(rmdir("d1"), 0, "rmdir");
}

static void links(void)
{
	struct stat a, b;
	char buf[32] = "";
	int fd;

	put("a", "A");
	is(link("a", "b"), 0, "link");
	a = st_of("a");
	b = st_of("b");
	ok(a.st_ino == b.st_ino && a.st_nlink == 2 && b.st_nlink == 2, "one file of two names");
	put("b", "both");
	ok(holds("a", "both"), "with one content");
	is(err(link("a", "b")), EEXIST, "a name that is taken");
	is(unlink("a"), 0, "unlink");
	is(st_of("b").st_nlink, 1, "one link less");
	is(symlink("b", "l"), 0, "symlink");
	is(readlink("l", buf, sizeof(buf)), 1, "readlink");
	ok(holds("l", "both"), "followed");
	is(st_of("l").st_size, 1, "its size is the target's length");
	is(link("l", "l2"), 0, "a link to a symbolic link");
	ok(S_ISLNK(st_of("l2").st_mode), "is one");
	is(err(open("l", O_RDONLY | O_NOFOLLOW)), ELOOP, "O_NOFOLLOW");

	fd = open("b", O_RDWR);
	unlink("b");
	is(write(fd, "late", 4), 4, "write to a file without a name");
	is(pread(fd, buf, 32, 0), 4, "read it");
	fstat(fd, &a);
	is(a.st_nlink, 0, "it has no links");
	is(fchmod(fd, 0600), 0, "fchmod of it");
	is(ftruncate(fd, 2), 0, "ftruncate of it");
	fstat(fd, &a);
	ok(a.st_size == 2 && (a.st_mode & 07777) == 0600, "both are seen");
	close(fd);
	unlink("l");
	unlink("l2");
}

static void removed_directory(void)
{
	struct stat st;
	int fd;

	mkdir("gone", 0755);
	fd = open("gone", O_RDONLY | O_DIRECTORY);
	is(rmdir("gone"), 0, "rmdir of an open directory");
	is(fstat(fd, &st), 0, "it can be asked");
	is(err(openat(fd, "x", O_CREAT | O_RDWR, 0644)), ENOENT, "nothing can be made in it");
	close(fd);
}

static void unnamed(void)
{
	char path[64];
	struct stat st;
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);

	if (fd < 0 && errno == EOPNOTSUPP) {
		skip("O_TMPFILE", "not here");
		return;
	}
	ok(fd >= 0, "O_TMPFILE");
	is(write(fd, "tmp", 3), 3, "write to it");
	fstat(fd, &st);
	ok(st.st_nlink == 0 && (st.st_mode & 07777) == 0640, "no link, its mode");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	is(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), 0, "give it a name");
	close(fd);
	ok(holds("named", "tmp"), "found there");
	is(st_of("named").st_nlink, 1, "one link");
	unlink("named");
}

static void holes(void)
{
	char buf[16];
	int fd = open("h", O_CREAT | O_RDWR | O_TRUNC, 0644);
	struct stat st;

	pwrite(fd, "begin", 5, 0);
	pwrite(fd, "end", 3, 4 << 20);
	is(lseek(fd, 0, SEEK_DATA), 0, "SEEK_DATA at data");
	ok(lseek(fd, 0, SEEK_HOLE) <= 65536, "SEEK_HOLE behind it");
	ok(lseek(fd, 1 << 20, SEEK_DATA) > 3 << 20, "SEEK_DATA in the hole");
	is(err(lseek(fd, (4 << 20) + 3, SEEK_DATA)), ENXIO, "SEEK_DATA at the end");
	fstat(fd, &st);
	ok(st.st_blocks * 512 < 1 << 20, "a hole takes no blocks");
	is(fallocate(fd, FALLOC_FL_KEEP_SIZE, 1 << 20, 1 << 20), 0, "fallocate in the hole");
	fstat(fd, &st);
	ok(st.st_blocks * 512 >= 1 << 20, "takes blocks");
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4 << 20, 4096), 0, "punch");
	is(pread(fd, buf, 3, 4 << 20), 3, "the size stays");
	ok(!memcmp(buf, "\0\0\0", 3), "zeroes are there");
	is(fallocate(fd, 0, 0, 8 << 20), 0, "fallocate beyond the end");
	fstat(fd, &st);
	is(st.st_size, 8 << 20, "the file grew");
	if (!fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096)) {
		is(pread(fd, buf, 5, 0), 5, "zero range");
		ok(!memcmp(buf, "\0\0\0\0\0", 5), "is zero");
	}
	is(err(fallocate(fd, 0, -1, 10)), EINVAL, "bad range");
	close(fd);
	unlink("h");
}

static void copies(void)
{
	struct file_clone_range range = { 0 };
	char buf[16] = "";
	loff_t from = 2, to = 5;
	int a, b;

	put("a", "0123456789");
	put("b", "----------");
	a = open("a", O_RDONLY);
	b = open("b", O_RDWR);
	is(copy_file_range(a, &from, b, &to, 4, 0), 4, "copy_file_range");
	is(pread(b, buf, 16, 0), 10, "read");
	ok(!strcmp(buf, "-----2345-"), "the bytes are there (%s)", buf);
	ok(from == 6 && to == 9, "positions moved");
	from = 0;
	is(sendfile(b, a, &from, 3), 3, "sendfile");
	ok(pread(b, buf, 3, 0) == 3 && !memcmp(buf, "012", 3), "the bytes are there");
	range.src_fd = a;
	if (!ioctl(b, FICLONERANGE, &range))
		ok(holds("b", "0123456789"), "cloned");
	else
		ok(errno == EOPNOTSUPP || errno == EINVAL || errno == EXDEV, "clone: %m");
	close(a);
	close(b);
	unlink("a");
	unlink("b");
}

static void maps(void)
{
	int fd = open("m", O_CREAT | O_RDWR | O_TRUNC, 0644);
	char *p, *q, buf[8];

	ftruncate(fd, 10000);
	p = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ok(p != MAP_FAILED, "shared map");
	memcpy(p + 5000, "mapped", 6);
	is(pread(fd, buf, 6, 5000), 6, "read");
	ok(!memcmp(buf, "mapped", 6), "sees what was written to the map");
	pwrite(fd, "written", 7, 100);
	ok(!memcmp(p + 100, "written", 7), "the map sees what was written");
	is(msync(p, 12288, MS_SYNC), 0, "msync");
	q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	q[100] = 'W';
	is(pread(fd, buf, 1, 100), 1, "read");
	is(buf[0], 'w', "a private map stays private");
	close(fd);
	munmap(p, 12288);
	munmap(q, 4096);
	fd = open("m", O_RDONLY);
	ok(pread(fd, buf, 6, 5000) == 6 && !memcmp(buf, "mapped", 6), "still there");
	close(fd);
	unlink("m");
}

/* Counts in pages of @map until told to stop; returns how often a count was another. */
static int count_in_map(volatile unsigned int *map, volatile int *stop)
{
	unsigned int n = 0, i;
	int lost = 0;

	while (!*stop) {
		n++;
		for (i = 1; i < 8; i++) {
			lost += map[i * 1024] != n - 1;
			map[i * 1024] = n;
		}
	}
	return lost;
}

/* What is written to a map while a hole is made before it stays. */
static void holes_below_maps(void)
{
	int fd = open("hm", O_CREAT | O_RDWR | O_TRUNC, 0644);
	int flags = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	int i, status, failed = 0;
	volatile int *stop;
	pid_t child;
	char *p;

	ftruncate(fd, 8 * 4096);
	p = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = fork();
	if (!child)
		_exit(count_in_map((unsigned int *)p, stop) ? 1 : 0);
	for (i = 0; i < 300; i++) {
		p[5] = 'x';
		failed += fallocate(fd, flags, 0, 2048) || p[5];
		usleep(200);
	}
	*stop = 1;
	waitpid(child, &status, 0);
	is(failed, 0, "holes below a map");
	is(status, 0, "what is written to the map meanwhile stays");
	munmap(p, 8 * 4096);
	munmap((void *)stop, 4096);
	close(fd);
	unlink("hm");
}

static void times(void)
{
	struct timespec ts[2] = { { 7258118400, 123456789 }, { -86400, 987654321 } };
	struct statx sx = { 0 };
	struct stat st;
	int fd;

	put("t", "x");
	is(utimensat(AT_FDCWD, "t", ts, 0), 0, "utimensat: year 2200 and before 1970");
	st = st_of("t");
	ok(st.st_atim.tv_sec == 7258118400 && st.st_atim.tv_nsec == 123456789, "atime");
	ok(st.st_mtim.tv_sec == -86400 && st.st_mtim.tv_nsec == 987654321, "mtime");
	fd = open("t", O_WRONLY);
	pwrite(fd, "y", 1, 0);
	fstat(fd, &st);
	ok(st.st_mtim.tv_sec > 1600000000, "a write sets mtime");
	st.st_mtim.tv_nsec = 0;
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_sec = 1000;
	ts[1].tv_nsec = 5;
	pwrite(fd, "z", 1, 0);
	futimens(fd, ts);
	close(fd);
	st = st_of("t");
	ok(st.st_mtim.tv_sec == 1000 && st.st_mtim.tv_nsec == 5, "writing late doesn't change it");
	is(statx(AT_FDCWD, "t", 0, STATX_ALL, &sx), 0, "statx");
	if (sx.stx_mask & STATX_BTIME)
		ok(sx.stx_btime.tv_sec > 1600000000, "time of birth");
	unlink("t");
}

static void owners(void)
{
	struct stat st;

	if (geteuid()) {
		skip("owners", "not root");
		return;
	}
	put("o", "x");
	if (chown("o", 1000, 100)) {
		skip("owners", "the host doesn't let us");
		unlink("o");
		return;
	}
	st = st_of("o");
	ok(st.st_uid == 1000 && st.st_gid == 100, "chown");
	is(chmod("o", 04755), 0, "chmod");
	is(st_of("o").st_mode & 07777, set_id ? 04755 : 0755, "set-uid");
	is(chown("o", 1001, -1), 0, "chown again");
	is(st_of("o").st_mode & 07777, 0755, "takes set-uid away");
	mkdir("od", 0755);
	chown("od", 0, 100);
	is(chmod("od", 02775), 0, "a set-gid directory");
	put("od/f", "x");
	is(st_of("od/f").st_gid, 100, "hands its group on");
	unlink("od/f");
	is(mkdir("od/d", 0755), 0, "a directory in it");
	is(st_of("od/d").st_mode & 02000, 02000, "has the bit as well");
	rmdir("od/d");
	rmdir("od");
	unlink("o");
	umask(0);
	is(close(open("w", O_CREAT | O_WRONLY, 0666)), 0, "create with umask 0");
	is(st_of("w").st_mode & 07777, 0666, "all bits are set");
	unlink("w");
	umask(022);
}

static void special(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "s" };
	int fd, s;

	is(mkfifo("p", 0644), 0, "mkfifo");
	ok(S_ISFIFO(st_of("p").st_mode), "is one");
	fd = open("p", O_RDWR | O_NONBLOCK);
	ok(fd >= 0 && write(fd, "q", 1) == 1, "works as one");
	close(fd);
	unlink("p");
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	is(bind(s, (void *)&addr, sizeof(addr)), 0, "bind a socket");
	ok(S_ISSOCK(st_of("s").st_mode), "is one");
	is(listen(s, 1), 0, "listen");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	is(connect(fd, (void *)&addr, sizeof(addr)), 0, "connect");
	close(fd);
	close(s);
	unlink("s");
	if (geteuid() || mknod("n", S_IFCHR | 0666, makedev(1, 3))) {
		skip("device", "not allowed");
		return;
	}
	is(st_of("n").st_rdev, makedev(1, 3), "a device node");
	fd = open("n", O_RDWR);
	ok(fd >= 0 && write(fd, "x", 1) == 1, "is that device");
	close(fd);
	unlink("n");
}

static void names(void)
{
	char name[300];
	int bad = 0, fd;

	for (int c = 1; c < 256; c++) {
		sprintf(name, "n%c", c);
		if (c == '/')
			continue;
		fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0644);
		if (fd < 0 || close(fd) || access(name, F_OK) || unlink(name))
			bad++;
	}
	is(bad, 0, "names of any byte");
	memset(name, 'x', 300);
	name[255] = '\0';
	is(close(open(name, O_CREAT | O_WRONLY, 0644)), 0, "a name of 255 bytes");
	is(unlink(name), 0, "is removed");
	name[255] = 'x';
	name[256] = '\0';
	is(err(open(name, O_CREAT | O_WRONLY, 0644)), ENAMETOOLONG, "one of 256");
}

static int in_list(const char *list, ssize_t n, const char *name)
{
	for (ssize_t i = 0; i < n; i += strlen(list + i) + 1)
		if (!strcmp(list + i, name))
			return 1;
	return 0;
}

static void xattrs(void)
{
	char buf[300], list[4096];
	ssize_t n;

	put("x", "x");
	if (setxattr("x", "user.one", "1", 1, XATTR_CREATE) && errno == EOPNOTSUPP) {
		skip("xattrs", "not here");
		unlink("x");
		return;
	}
	is(getxattr("x", "user.one", buf, 300), 1, "getxattr");
	is(getxattr("x", "user.one", NULL, 0), 1, "its size");
	is(err(setxattr("x", "user.one", "2", 1, XATTR_CREATE)), EEXIST, "XATTR_CREATE");
	is(err(setxattr("x", "user.two", "2", 1, XATTR_REPLACE)), ENODATA, "XATTR_REPLACE");
	is(setxattr("x", "user.two", "", 0, 0), 0, "an empty value");
	is(getxattr("x", "user.two", buf, 300), 0, "is there");
	n = listxattr("x", list, sizeof(list));
	ok(in_list(list, n, "user.one") && in_list(list, n, "user.two"), "listxattr");
	is(err(listxattr("x", list, 3)), ERANGE, "too small a list");
	is(removexattr("x", "user.one"), 0, "removexattr");
	is(err(getxattr("x", "user.one", buf, 300)), ENODATA, "it is gone");
	unlink("x");
}

static void locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10 };
	int a, b;

	put("k", "0123456789");
	a = open("k", O_RDWR);
	b = open("k", O_RDWR);
	is(flock(a, LOCK_EX), 0, "flock");
	is(err(flock(b, LOCK_EX | LOCK_NB)), EWOULDBLOCK, "excludes another");
	flock(a, LOCK_UN);
	is(fcntl(a, F_OFD_SETLK, &lock), 0, "a lock of the open file");
	is(err(fcntl(b, F_OFD_SETLK, &lock)), EAGAIN, "excludes another");
	close(a);
	is(fcntl(b, F_OFD_SETLK, &lock), 0, "and ends with it");
	close(b);
	unlink("k");
}

static void listing(void)
{
	enum { N = 3000 };
	int seen = 0, twice = 0, i, n = 0;
	static char marks[N];
	struct dirent *de;
	char name[32];
	long middle = 0;
	DIR *dir;

	mkdir("list", 0755);
	for (i = 0; i < N; i++) {
		sprintf(name, "list/%d", i);
		put(name, "");
	}
	dir = opendir("list");
	while ((de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		i = atoi(de->d_name);
		twice += marks[i]++;
		/* Remove what was seen, while the listing goes on. */
		sprintf(name, "list/%d", i);
		unlink(name);
		if (++n == N / 2)
			middle = telldir(dir);
	}
	for (i = 0; i < N; i++)
		seen += marks[i];
	ok(seen == N && !twice, "each entry once, though they are removed meanwhile (%d)", seen);
	seekdir(dir, middle);
	ok(!(de = readdir(dir)), "nothing is left behind the middle");
	rewinddir(dir);
	for (n = 0; (de = readdir(dir)); n++)
		;
	is(n, 2, "and nothing from the start");
	put("list/new", "");
	rewinddir(dir);
	for (n = 0; (de = readdir(dir)); n++)
		;
	is(n, 3, "a new entry is seen after rewinding");
	closedir(dir);
	unlink("list/new");
	rmdir("list");
}

static void opens(void)
{
	char buf[16];
	struct stat st;
	int fd, a;

	fd = open("f", O_CREAT | O_EXCL | O_WRONLY, 0400);
	ok(fd >= 0 && write(fd, "x", 1) == 1, "a new file is writable whatever its mode");
	close(fd);
	is(err(open("f", O_CREAT | O_EXCL | O_WRONLY, 0644)), EEXIST, "O_EXCL");
	chmod("f", 0644);
	fd = open("f", O_WRONLY | O_APPEND);
	a = open("f", O_WRONLY | O_APPEND);
	write(fd, "1", 1);
	write(a, "2", 1);
	write(fd, "3", 1);
	close(a);
	close(fd);
	ok(holds("f", "x123"), "O_APPEND of two");
	fd = open("f", O_WRONLY | O_TRUNC);
	fstat(fd, &st);
	is(st.st_size, 0, "O_TRUNC");
	is(pwrite(fd, "tail", 4, 8192 + 5), 4, "write behind the end");
	close(fd);
	fd = open("f", O_RDONLY);
	is(pread(fd, buf, 16, 8192), 9, "read the hole and the tail");
	ok(!memcmp(buf, "\0\0\0\0\0tail", 9), "right bytes");
	is(err(write(fd, "x", 1)), EBADF, "not open for writing");
	is(err(open("f/x", O_RDONLY)), ENOTDIR, "a file is no directory");
	is(err(open("f", O_DIRECTORY)), ENOTDIR, "O_DIRECTORY");
	close(fd);
	is(truncate("f", 3), 0, "truncate");
	is(st_of("f").st_size, 3, "cut");
	is(truncate("f", 5000), 0, "truncate to more");
	fd = open("f", O_RDWR);
	ok(pread(fd, buf, 16, 4990) == 10 && !buf[0] && !buf[9], "zeroes follow");
	is(fsync(fd), 0, "fsync");
	is(fdatasync(fd), 0, "fdatasync");
	close(fd);
	unlink("f");
	fd = open(".", O_RDONLY);
	is(fsync(fd), 0, "fsync of a directory");
	close(fd);
}

int main(int argc, char **argv)
{
	char name[] = "files-XXXXXX";

	if (argc > 2 && !strcmp(argv[2], "nosetid"))
		set_id = 0;
	if (chdir(argc > 1 ? argv[1] : "/tmp") || !mkdtemp(name) || chdir(name) ||
	    !getcwd(folder, sizeof(folder)))
		die("folder");
	opens();
	renames();
	links();
	removed_directory();
	unnamed();
	holes();
	copies();
	maps();
	holes_below_maps();
	times();
	owners();
	special();
	names();
	xattrs();
	locks();
	listing();
	if (chdir("..") || rmdir(name))
		diag("something is left: %m");
	return tap_done();
}
