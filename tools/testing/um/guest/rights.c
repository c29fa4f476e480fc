// SPDX-License-Identifier: GPL-2.0
/*
 * Rights that come and go: mprotect() over pages that the host has only in part, at
 * the host's limit of mappings, and what prepared pages must not change: when a
 * private mapping takes its copy, and what a process without huge pages uses.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "tap.h"
#include "util.h"

#define PAGES 512

static sigjmp_buf out;

static void catch(int sig, siginfo_t *info, void *context)
{
	(void)info; (void)context;
	siglongjmp(out, sig);
}

/* From the last page to the first: physical memory in as many pieces. */
static char *scattered(unsigned int pages)
{
	char *p = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	for (unsigned int i = pages; i-- > 0; )
		p[i * PAGE] = i;
	return p;
}

static void toggled(void)
{
	char *p = scattered(PAGES);
	int bad = 0;

	for (int i = 0; i < 200; i++) {
		bad |= mprotect(p, PAGES * PAGE, PROT_NONE);
		bad |= mprotect(p, PAGES * PAGE, RW);
		p[200 * PAGE]++;
	}
	is(bad, 0, "rights taken and given, one page used in between");
	is((unsigned char)p[200 * PAGE], (200 + 200) & 255, "each time");
	for (int i = 0; i < 200; i++) {
		bad |= mprotect(p, PAGES * PAGE, PROT_READ);
		bad |= mprotect(p, PAGES * PAGE, RW);
		bad |= *(volatile char *)(p + 100 * PAGE) != 100;
	}
	is(bad, 0, "the same with a page that is only read");
	munmap(p, PAGES * PAGE);
}

/* Each call makes pieces; somewhere on the way the host has no more of them. */
static void at_the_limit(void)
{
	const unsigned int pieces = 66200;
	char *p = scattered(pieces), *whole;
	volatile unsigned int lost = 0;
	volatile unsigned int i;

	whole = mmap(NULL, 4096 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(whole, 1, 4096 * PAGE);
	on_signal(SIGSEGV, catch, SA_NODEFER);
	for (i = 0; i < 2048; i++) {
		*(volatile char *)(p + i * 32 * PAGE);
		if (mprotect(whole + 2 * i * PAGE, PAGE, PROT_READ))
			die("mprotect");
		if (!sigsetjmp(out, 0)) {
			*(volatile char *)(whole + 2 * i * PAGE) = 2;
			lost++;
		}
	}
	is(lost, 0, "no right is left at the limit of mappings");
	munmap(p, pieces * PAGE);
	munmap(whole, 4096 * PAGE);
}

static void private_copies(void)
{
	int fd = temp_file(8 * PAGE);
	char *p;

	if (pwrite(fd, "A", 1, 0) != 1)
		die("file");
	p = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE, fd, 0);
	if (pwrite(fd, "B", 1, 0) != 1 || pwrite(fd, "C", 1, PAGE) != 1)
		die("file");
	is(p[0], 'B', "a private mapping of a file that is written after that");
	p[0] = 'x';
	if (pwrite(fd, "D", 1, PAGE) != 1)
		die("file");
	is(p[PAGE], 'D', "a page of it beside one that was written");
	munmap(p, 8 * PAGE);
	close(fd);
}

static void no_more_than_used(void)
{
	struct rusage before, after;
	char *p = mmap(NULL, 64UL << 20, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	getrusage(RUSAGE_SELF, &before);
	for (unsigned long i = 0; i < 64UL << 20; i += 16 * PAGE)
		p[i] = 1;
	getrusage(RUSAGE_SELF, &after);
	ok(after.ru_maxrss - before.ru_maxrss < 8 << 10,
	   "without huge pages 4 MiB are what 1024 pages take");
	munmap(p, 64UL << 20);
}

int main(void)
{
	toggled();
	private_copies();
	no_more_than_used();
	at_the_limit();
	return tap_done();
}
