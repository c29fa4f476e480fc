// SPDX-License-Identifier: GPL-2.0
/*
 * Address spaces: mappings of every kind, protection changes, remapping,
 * copy-on-write, the stack, brk, files behind mappings and sparse memory.
 * What a guest sees is compared with what it wrote, never with addresses.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <sys/resource.h>
#include <sys/shm.h>

#include "tap.h"
#include "util.h"

static sigjmp_buf back;
static volatile int faulted;

static void catch(int sig, siginfo_t *si, void *uc)
{
	(void)si; (void)uc;
	faulted = sig;
	siglongjmp(back, 1);
}

static int reads(volatile char *p)
{
	faulted = 0;
	if (!sigsetjmp(back, 1))
		(void)*p;
	return !faulted;
}

static int writes(volatile char *p)
{
	faulted = 0;
	if (!sigsetjmp(back, 1))
		*p = 1;
	return !faulted;
}

static void anonymous(void)
{
	unsigned long i, bad = 0;
	char *p = map_pages(512, RW), *q;

	for (i = 0; i < 512 * PAGE; i++)
		bad += p[i] != 0;
	is(bad, 0, "new memory is zero");
	for (i = 0; i < 512; i++)
		*(unsigned long *)(p + i * PAGE) = i ^ 0x5555;
	q = mmap(p + 100 * PAGE, 10 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ok(q == p + 100 * PAGE && !*q, "MAP_FIXED replaces with zeroes");
	is(*(unsigned long *)(p + 110 * PAGE), 110 ^ 0x5555, "and leaves its neighbours");
	is(mmap(p, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
	   MAP_FAILED ? errno : 0, EEXIST, "MAP_FIXED_NOREPLACE doesn't");
	munmap(p + 50 * PAGE, PAGE);
	ok(!reads(p + 50 * PAGE) && reads(p + 49 * PAGE) && reads(p + 51 * PAGE),
	   "munmap makes a hole of one page");
	madvise(p, 20 * PAGE, MADV_DONTNEED);
	is(*(unsigned long *)(p + 5 * PAGE), 0, "MADV_DONTNEED gives zeroes");
	is(*(unsigned long *)(p + 21 * PAGE), 21 ^ 0x5555, "only where asked");
	munmap(p, 512 * PAGE);
	is(mmap((void *)0x7ffffffff000UL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		0) == MAP_FAILED ? errno : 0, ENOMEM, "nothing maps above the top");
	is(mmap((void *)-PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	   MAP_FAILED ? errno : 0, ENOMEM, "nor in the kernel's half");
}

static void protection(void)
{
	char *p = map_pages(16, RW);
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	int (*fn)(void);
	int i, bad = 0;

	memset(p, 1, 16 * PAGE);
	mprotect(p + PAGE, PAGE, PROT_READ);
	ok(reads(p + PAGE) && !writes(p + PAGE), "read-only");
	mprotect(p + PAGE, PAGE, PROT_NONE);
	ok(!reads(p + PAGE), "no access");
	mprotect(p + PAGE, PAGE, RW);
	ok(writes(p + PAGE) && p[PAGE + 1] == 1, "back again, with its content");
	for (i = 0; i < 16; i += 2)
		mprotect(p + i * PAGE, PAGE, PROT_READ);
	for (i = 0; i < 16; i++)
		bad += writes(p + i * PAGE) != (i & 1);
	is(bad, 0, "every second page");
	memcpy(p + PAGE, code, sizeof(code));
	mprotect(p + PAGE, PAGE, PROT_READ | PROT_EXEC);
	fn = (void *)(p + PAGE);
	is(fn(), 42, "written code runs");
	mprotect(p + PAGE, PAGE, RW | PROT_EXEC);
	for (i = 1, bad = 0; i < 100; i++) {
		p[PAGE + 1] = i;
		bad += fn() != i;
	}
	is(bad, 0, "and can be changed while executable");
	is(mprotect(p + 1, PAGE, RW) ? errno : 0, EINVAL, "odd address: EINVAL");
	munmap(p + 8 * PAGE, PAGE);
	is(mprotect(p, 16 * PAGE, RW) ? errno : 0, ENOMEM, "over a hole: ENOMEM");
	munmap(p, 16 * PAGE);
}

static void remap(void)
{
	char *p = map_pages(8, RW), *q, *r;
	int i, bad = 0;

	for (i = 0; i < 8; i++)
		p[i * PAGE] = 'a' + i;
	q = mremap(p, 8 * PAGE, 1024 * PAGE, MREMAP_MAYMOVE);
	ok(q != MAP_FAILED, "mremap grows");
	for (i = 0; i < 8; i++)
		bad += q[i * PAGE] != 'a' + i;
	is(bad, 0, "content moves along");
	is(q[1000 * PAGE], 0, "the new part is zero");
	ok(q == p || !reads(p), "the old place is gone");
	r = map_pages(8, RW);
	p = mremap(q, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, r);
	ok(p == r && p[3 * PAGE] == 'd', "MREMAP_FIXED moves there");
	ok(!reads(q), "and away from here");
	is(mremap(p, 8 * PAGE, 2 * PAGE, 0) == p, 1, "mremap shrinks");
	ok(!reads(p + 3 * PAGE), "the rest is gone");
}

static void files(void)
{
	int fd = temp_file(4 * PAGE);
	char *s = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	char *s2 = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	char *v = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	char buf[16] = "";

	strcpy(s + PAGE, "hello");
	ok(!strcmp(s2 + PAGE, "hello"), "two shared mappings agree");
	ok(pread(fd, buf, 6, PAGE) == 6 && !strcmp(buf, "hello"), "read sees it");
	ok(!strcmp(v + PAGE, "hello"), "a private mapping sees it before its first write");
	strcpy(v + PAGE, "mine");
	ok(!strcmp(s + PAGE, "hello") && !strcmp(v + PAGE, "mine"), "and then goes its own way");
	ok(pwrite(fd, "world", 6, PAGE) == 6 && !strcmp(s + PAGE, "world"),
	   "write is seen through the mapping");
	is(msync(s, 4 * PAGE, MS_SYNC), 0, "msync");
	if (ftruncate(fd, PAGE))
		die("truncate");
	ok(!reads(s + 2 * PAGE) && faulted == SIGBUS, "truncated: SIGBUS, shared");
	ok(!reads(v + 2 * PAGE) && faulted == SIGBUS, "truncated: SIGBUS, private");
	if (ftruncate(fd, 4 * PAGE))
		die("extend");
	ok(reads(s + 2 * PAGE) && !s[PAGE], "extended: zeroes");
	close(fd);
	fd = open("/proc/self/exe", O_RDONLY);
	is(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0) == MAP_FAILED ? errno : 0, EACCES,
	   "a shared writable mapping of a read-only file: EACCES");
	close(fd);
	fd = memfd_create("mm", 0);
	ok(fd >= 0 && !ftruncate(fd, 2 * PAGE), "memfd");
	s = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	v = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	strcpy(s + PAGE, "memfd");
	ok(!strcmp(v, "memfd"), "two views of a memfd");
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, PAGE), 0, "punch a hole");
	is(v[0], 0, "the views are zero now");
	close(fd);
}

static int cow_child(void *mem)
{
	unsigned char *p = mem;
	int i, bad = 0;

	for (i = 0; i < 1024; i++)
		bad += p[i * PAGE] != (i & 0xff);
	for (i = 0; i < 1024; i += 3)
		p[i * PAGE] = 0xee;
	for (i = 0; i < 1024; i++)
		bad += p[i * PAGE] != (i % 3 ? (i & 0xff) : 0xee);
	return bad != 0;
}

static void copies(void)
{
	unsigned char *p = (void *)map_pages(1024, RW);
	int fd = open("/dev/zero", O_RDONLY);
	int i, st, bad = 0, nul = open("/dev/null", O_WRONLY);

	for (i = 0; i < 1024; i++)
		p[i * PAGE] = i;
	for (i = 0; i < 5; i++) {
		st = in_child(cow_child, p);
		bad += st != 0;
	}
	is(bad, 0, "children write to copies");
	for (i = 0, bad = 0; i < 1024; i++)
		bad += p[i * PAGE] != (i & 0xff);
	is(bad, 0, "the parent's pages are as they were");
	/* The kernel itself writes to a page that is shared after fork. */
	if (!fork()) {
		if (read(fd, p, 64 * PAGE) != 64 * PAGE || p[63 * PAGE])
			_exit(1);
		_exit(0);
	}
	wait(&st);
	is(st, 0, "read() into copy-on-write memory");
	is(p[63 * PAGE], 63, "does not reach the parent");
	/* First touch by the kernel: no page there yet. */
	p = (void *)map_pages(64, RW);
	is(write(nul, p, 64 * PAGE), 64 * PAGE, "write() from untouched memory");
	is(read(fd, p, 64 * PAGE), 64 * PAGE, "read() into untouched memory");
	close(fd);
	close(nul);
}

static int deep(int n)
{
	volatile char frame[3000];

	frame[0] = n;
	frame[2999] = n;
	return n ? deep(n - 1) + (frame[0] == frame[2999]) : 0;
}

static int too_deep(void *arg)
{
	struct rlimit r = { 1 << 20, 1 << 20 };

	signal(SIGSEGV, SIG_DFL);
	setrlimit(RLIMIT_STACK, &r);
	(void)arg;
	return deep(5000);
}

static void stack_and_heap(void)
{
	char *b0 = sbrk(0), *b;
	int i, bad = 0;

	is(deep(2000), 2000, "the stack grows to 6 MB");
	ok(killed_by(in_child(too_deep, NULL), SIGSEGV), "but not over its limit");
	sbrk(-(long)b0 & (PAGE - 1));
	b = sbrk(300 * PAGE);
	ok(b != (void *)-1, "brk grows");
	memset(b, 7, 300 * PAGE);
	sbrk(-200 * (long)PAGE);
	sbrk(200 * PAGE);
	for (i = 0; i < 300; i++)
		bad += b[i * PAGE] != (i < 100 ? 7 : 0);
	is(bad, 0, "brk down and up again gives zeroes");
	is(brk(b0), 0, "brk back to the start");
}

static void sparse(void)
{
	unsigned long size = 64UL << 30, i;
	char *p = mmap(NULL, size, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int bad = 0;

	if (!ok(p != MAP_FAILED, "64 GiB of address space"))
		return;
	for (i = 0; i < 256; i++)
		p[i * (size / 256)] = i + 1;
	for (i = 0; i < 256; i++)
		bad += p[i * (size / 256)] != (char)(i + 1);
	is(bad, 0, "touched here and there");
	is(munmap(p, size), 0, "and given back");
	p = map_pages(4000, PROT_READ);
	for (i = 0; i < 4000; i += 2)
		mprotect(p + i * PAGE, PAGE, RW);
	for (i = 0, bad = 0; i < 4000; i += 2)
		bad += !writes(p + i * PAGE);
	is(bad, 0, "4000 mappings in a row");
	munmap(p, 4000 * PAGE);
}

static void others(void)
{
	unsigned char vec[4];
	char *p = map_pages(4, RW);
	int id = shmget(IPC_PRIVATE, 2 * PAGE, IPC_CREAT | 0600);
	char *s;

	/* Else neighbours may come along. */
	madvise(p, 4 * PAGE, MADV_NOHUGEPAGE);
	p[0] = 1;
	is(mincore(p, 2 * PAGE, vec), 0, "mincore");
	ok((vec[0] & 1) && !(vec[1] & 1), "knows what was touched");
	is(mlock(p, 4 * PAGE), 0, "mlock");
	mincore(p, 4 * PAGE, vec);
	ok(vec[1] & vec[2] & vec[3] & 1, "brings the rest in");
	munlock(p, 4 * PAGE);
	s = shmat(id, NULL, 0);
	if (id < 0 || s == (void *)-1) {
		ok(0, "System V shared memory");
	} else {
		shmctl(id, IPC_RMID, NULL);
		if (!fork()) {
			strcpy(s + PAGE, "shm");
			_exit(0);
		}
		wait(NULL);
		ok(!strcmp(s + PAGE, "shm"), "System V shared memory");
		shmdt(s);
		ok(!reads(s), "shmdt takes it away");
	}
	p = mmap(NULL, 4UL << 20, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	mincore(p + (3 << 20), PAGE, vec);
	ok(vec[0] & 1, "MAP_POPULATE");
}

int main(void)
{
	struct rlimit r = { 8 << 20, RLIM_INFINITY };

	getrlimit(RLIMIT_STACK, &r);
	on_signal(SIGSEGV, catch, SA_NODEFER);
	on_signal(SIGBUS, catch, SA_NODEFER);
	anonymous();
	protection();
	remap();
	files();
	copies();
	stack_and_heap();
	sparse();
	others();
	return tap_done();
}
