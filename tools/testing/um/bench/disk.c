// SPDX-License-Identifier: GPL-2.0
/*
 * Benchmarks of disks and files: one static program for host and guests.
 *
 *   disk [--time MS] [--steps] [--direct] FILE [name...]
 *
 * FILE is a file or a block device, which is read and overwritten; --direct
 * opens it with O_DIRECT. The benchmarks first_* write each block once, for files
 * that were not written yet. Everything else is as in measure.h.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <unistd.h>

#include "measure.h"

#define BLOCK	4096UL
#define LONG	(128UL << 10)
#define DEPTH	32U

static int fd;
static unsigned long size;
static char *buffers;

static unsigned long random_offset(void)
{
	static unsigned long state = 88172645463325252UL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % (size / BLOCK) * BLOCK;
}

static void read_random(long n)
{
	while (n--)
		if (pread(fd, buffers, BLOCK, random_offset()) != BLOCK)
			fail("pread");
}

static void write_random(long n)
{
	while (n--)
		if (pwrite(fd, buffers, BLOCK, random_offset()) != BLOCK)
			fail("pwrite");
}

static unsigned long next_offset(void)
{
	static unsigned long at;

	at += LONG;
	if (at + LONG > size)
		at = 0;
	return at;
}

static void read_long(long n)
{
	while (n--)
		if (pread(fd, buffers, LONG, next_offset()) != LONG)
			fail("pread");
}

static void write_long(long n)
{
	while (n--)
		if (pwrite(fd, buffers, LONG, next_offset()) != LONG)
			fail("pwrite");
}

/* Of a file or disk that nobody has written to: each block once. */
static void write_all(long n, unsigned long len)
{
	for (long i = 0; i < n; i++)
		if (pwrite(fd, buffers, len, i * len) != (ssize_t)len)
			fail("pwrite");
}

static void first_short(long n)
{
	write_all(n, BLOCK);
}

static void first_long(long n)
{
	write_all(n, LONG);
}

/* io_uring, as little of it as is needed. */

static struct {
	int fd;
	unsigned int *sq_tail, *sq_array, sq_mask;
	unsigned int *cq_head, *cq_tail, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
} ring;

static void open_ring(void)
{
	struct io_uring_params p = { };
	char *base;

	ring.fd = syscall(SYS_io_uring_setup, DEPTH, &p);
	if (ring.fd < 0)
		fail("io_uring_setup");
	base = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
		    PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
	ring.sqes = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe),
			 PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
	if (base == MAP_FAILED || ring.sqes == MAP_FAILED)
		fail("mmap of the ring");
	ring.sq_tail = (unsigned int *)(base + p.sq_off.tail);
	ring.sq_array = (unsigned int *)(base + p.sq_off.array);
	ring.sq_mask = *(unsigned int *)(base + p.sq_off.ring_mask);
	ring.cq_head = (unsigned int *)(base + p.cq_off.head);
	ring.cq_tail = (unsigned int *)(base + p.cq_off.tail);
	ring.cq_mask = *(unsigned int *)(base + p.cq_off.ring_mask);
	ring.cqes = (struct io_uring_cqe *)(base + p.cq_off.cqes);
}

static void add(unsigned char opcode, unsigned int slot)
{
	unsigned int tail = *ring.sq_tail, index = tail & ring.sq_mask;

	ring.sqes[index] = (struct io_uring_sqe){
		.opcode = opcode, .fd = fd, .off = random_offset(),
		.addr = (unsigned long)(buffers + slot * BLOCK), .len = BLOCK,
		.user_data = slot,
	};
	ring.sq_array[index] = index;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
}

static void deep(unsigned char opcode, long n)
{
	unsigned int slots[DEPTH], nr_free = DEPTH;
	long to_add = n, to_come = n;

	if (!ring.fd)
		open_ring();
	for (unsigned int i = 0; i < DEPTH; i++)
		slots[i] = i;
	while (to_come) {
		unsigned int added = 0, head, tail;

		while (nr_free && to_add) {
			add(opcode, slots[--nr_free]);
			added++;
			to_add--;
		}
		if (syscall(SYS_io_uring_enter, ring.fd, added, 1, IORING_ENTER_GETEVENTS,
			    NULL, 0) != added)
			fail("io_uring_enter");
		head = *ring.cq_head;
		tail = __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE);
		for (; head != tail; head++) {
			const struct io_uring_cqe *cqe = &ring.cqes[head & ring.cq_mask];

			if (cqe->res != (int)BLOCK) {
				errno = -cqe->res;
				fail("io_uring");
			}
			slots[nr_free++] = cqe->user_data;
			to_come--;
		}
		__atomic_store_n(ring.cq_head, head, __ATOMIC_RELEASE);
	}
}

static void read_deep(long n)
{
	deep(IORING_OP_READ, n);
}

static void write_deep(long n)
{
	deep(IORING_OP_WRITE, n);
}

static struct bench list[] = {
	{ "read_4k_q32", read_deep, 100 },
	{ "write_4k_q32", write_deep, 100 },
	{ "read_4k", read_random, 100 },
	{ "write_4k", write_random, 100 },
	{ "read_128k", read_long, 100 },
	{ "write_128k", write_long, 100 },
	{ "first_4k", first_short, 0 },
	{ "first_128k", first_long, 0 },
};

static const char *file;
static int direct;

static void open_file(void)
{
	struct stat st;

	fd = open(file, O_RDWR | (direct ? O_DIRECT : 0));
	if (fd < 0 || fstat(fd, &st) < 0)
		fail(file);
	size = st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &size) < 0)
		fail("size");
	if (size < LONG)
		fail("it is too small");
	for (unsigned int i = 0; i < sizeof(list) / sizeof(*list); i++)
		if (!list[i].start)
			list[i].start = -(list[i].run == first_short ? size / BLOCK : size / LONG);
}

static int own_word(const char *word)
{
	if (!strcmp(word, "--direct"))
		direct = 1;
	else if (!file)
		file = word;
	else
		return 0;
	return 1;
}

int main(int argc, char **argv)
{
	char *words[argc];
	int n = parse_words(argc, argv, own_word, words);

	if (!file) {
		fputs("usage: disk [--time MS] [--steps] [--direct] FILE [name...]\n", stderr);
		return 1;
	}
	open_file();
	buffers = mmap(NULL, DEPTH * BLOCK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (buffers == MAP_FAILED)
		fail("mmap");
	measure_wanted(list, sizeof(list) / sizeof(*list), words, n);
	return 0;
}
