// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on one file, each compared with a model in memory:
 *
 *	fsx FILE [--ops N] [--seed N]
 *
 * reads, writes, maps, truncations, holes, copies, syncs, and closing and
 * opening again. Prints what it did last when the file differs. Exit code 0 if it never
 * did.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <errno.h>

#define MAX_SIZE	(768 * 1024)
#define MAX_OP		(160 * 1024)
#define HISTORY		20

static unsigned char *model, *buf;
static long size;
static int fd;
static const char *path;
static char history[HISTORY][80];
static long ops;

static void fail(const char *what)
{
	printf("fsx: operation %ld: %s (%s)\n", ops, what, strerror(errno));
	for (long i = ops > HISTORY ? ops - HISTORY : 0; i < ops; i++)
		printf("  %ld: %s\n", i, history[i % HISTORY]);
	exit(1);
}

static void compare(const unsigned char *got, long pos, long len)
{
	for (long i = 0; i < len; i++) {
		if (got[i] != model[pos + i]) {
			printf("fsx: at %ld (of %ld..%ld, size %ld): %02x, should be %02x\n",
			       pos + i, pos, pos + len, size, got[i], model[pos + i]);
			fail("wrong data");
		}
	}
}

static void grow(long to)
{
	if (to > size)
		size = to;
}

static long pick(long below)
{
	return below > 0 ? random() % below : 0;
}

static void note(const char *what, long pos, long len)
{
	snprintf(history[ops % HISTORY], sizeof(history[0]), "%s %ld +%ld (size %ld)", what, pos,
		 len, size);
}

static void do_read(long pos, long len)
{
	long want = pos >= size ? 0 : len < size - pos ? len : size - pos;

	note("read", pos, len);
	if (pread(fd, buf, len, pos) != want)
		fail("read: wrong length");
	compare(buf, pos, want);
}

static void make_data(long pos, long len)
{
	for (long i = 0; i < len; i++)
		model[pos + i] = random() >> 8;
}

static void do_write(long pos, long len)
{
	note("write", pos, len);
	make_data(pos, len);
	if (pwrite(fd, model + pos, len, pos) != len)
		fail("write");
	grow(pos + len);
}

static void do_map(long pos, long len, int write)
{
	long start = pos & ~4095L;
	unsigned char *p;

	note(write ? "mapwrite" : "mapread", pos, len);
	if (!write && pos >= size)
		return;
	if (!write && len > size - pos)
		len = size - pos;
	if (write && pos + len > size) {
		if (ftruncate(fd, pos + len))
			fail("ftruncate for a map");
		size = pos + len;
	}
	p = mmap(NULL, pos - start + len, PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED, fd,
		 start);
	if (p == MAP_FAILED)
		fail("mmap");
	if (write) {
		make_data(pos, len);
		memcpy(p + (pos - start), model + pos, len);
		if (pick(2) && msync(p, pos - start + len, MS_SYNC))
			fail("msync");
	} else {
		compare(p + (pos - start), pos, len);
	}
	munmap(p, pos - start + len);
}

static void do_truncate(long to)
{
	note("truncate", to, 0);
	if (pick(2) ? ftruncate(fd, to) : truncate(path, to))
		fail("truncate");
	if (to < size)
		memset(model + to, 0, size - to);
	size = to;
}

static void do_fallocate(int mode, long pos, long len)
{
	note(mode == 0 ? "allocate" : mode & FALLOC_FL_PUNCH_HOLE ? "punch" : "zero", pos, len);
	if (fallocate(fd, mode, pos, len)) {
		if (errno == EOPNOTSUPP)
			return;
		fail("fallocate");
	}
	if (mode)
		memset(model + pos, 0, len);
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		grow(pos + len);
	else if (pos + len > size)
		memset(model + size, 0, pos + len - size);
}

static void do_copy(long from, long to, long len)
{
	loff_t in = from, out = to;
	long done = 0, n;

	note("copy", from, len);
	if (from >= size || labs(from - to) < len)
		return;
	if (len > size - from)
		len = size - from;
	while (done < len) {
		n = copy_file_range(fd, &in, fd, &out, len - done, 0);
		if (n <= 0)
			fail("copy_file_range");
		done += n;
	}
	memmove(model + to, model + from, len);
	grow(to + len);
}

static void reopen(void)
{
	note("reopen", 0, 0);
	if (close(fd))
		fail("close");
	fd = open(path, O_RDWR);
	if (fd < 0)
		fail("open");
}

static void check_size(void)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_size != size) {
		printf("fsx: size is %ld, should be %ld\n", (long)st.st_size, size);
		fail("wrong size");
	}
}

static void step(void)
{
	long pos = pick(MAX_SIZE - 1), len = 1 + pick(pick(4) ? 5000 : MAX_OP);

	if (pos + len > MAX_SIZE)
		len = MAX_SIZE - pos;
	switch (pick(24)) {
	case 0 ... 6:
		do_read(pos, len);
		break;
	case 7 ... 12:
		do_write(pos, len);
		break;
	case 13 ... 14:
		do_map(pos, len, 0);
		break;
	case 15 ... 16:
		do_map(pos, len, 1);
		break;
	case 17:
		do_truncate(pos);
		break;
	case 18:
		do_fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pos, len);
		break;
	case 19:
		do_fallocate(pick(2) ? 0 : FALLOC_FL_ZERO_RANGE, pos, len);
		break;
	case 20:
		do_copy(pos, pick(MAX_SIZE - len), len);
		break;
	case 21:
		reopen();
		break;
	case 22:
		note("sync", 0, 0);
		if (pick(2) ? fsync(fd) : fdatasync(fd))
			fail("sync");
		break;
	case 23:
		check_size();
		note("stat", 0, 0);
		break;
	}
}

int main(int argc, char **argv)
{
	long nr = 2000, seed = 1;

	if (argc < 2)
		return 2;
	path = argv[1];
	for (int i = 2; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--ops"))
			nr = atol(argv[i + 1]);
		else if (!strcmp(argv[i], "--seed"))
			seed = atol(argv[i + 1]);
	}
	srandom(seed);
	model = calloc(1, MAX_SIZE + MAX_OP);
	buf = malloc(MAX_OP);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || !model || !buf)
		fail("start");
	for (ops = 0; ops < nr; ops++)
		step();
	do_read(0, MAX_OP);
	for (long pos = 0; pos < size; pos += MAX_OP)
		do_read(pos, MAX_OP);
	printf("fsx: %ld operations, seed %ld: right\n", nr, seed);
	return 0;
}
