// SPDX-License-Identifier: GPL-2.0
/*
 * Memory in very many pieces: more than a host grants mappings to a process.
 * That may be slow, but nothing else: every page is where it was, and another
 * process does not notice.
 *
 *   budget [--pieces N] [--mib N]
 */
#include <fcntl.h>

#include "tap.h"
#include "util.h"

#define FILE_PAGES 4096UL

static unsigned long pieces = 100000, mib = 300;

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 4;
}

/* The neighbour: its pages stay what they are all the time. */
static void neighbour(int ready, int stop)
{
	char *p = map_pages(512, RW), c;
	unsigned long i, bad = 0, rounds = 0;

	fcntl(stop, F_SETFL, O_NONBLOCK);
	if (write(ready, "", 1) != 1)
		_exit(3);
	while (read(stop, &c, 1) < 0) {
		for (i = 0; i < 512; i++)
			*(unsigned long *)(p + i * PAGE) = i ^ rounds;
		sleep_ms(1);
		for (i = 0; i < 512; i++)
			bad += *(unsigned long *)(p + i * PAGE) != (i ^ rounds);
		rounds++;
	}
	_exit(bad || !rounds ? 1 : 0);
}

/* A file backwards: no two pages that are neighbours fit together. */
static void file_in_pieces(void)
{
	int fd = memfd_create("budget", 0);
	unsigned long i, n, bad = 0;
	char *base, *whole;

	if (fd < 0 || ftruncate(fd, FILE_PAGES * PAGE))
		die("memfd");
	whole = mmap(NULL, FILE_PAGES * PAGE, RW, MAP_SHARED, fd, 0);
	base = mmap(NULL, pieces * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	if (base == MAP_FAILED || whole == MAP_FAILED)
		die("mmap");
	for (i = 0; i < FILE_PAGES; i++)
		*(unsigned long *)(whole + i * PAGE) = i * 3;
	for (n = 0; n < pieces; n++) {
		unsigned long page = FILE_PAGES - 1 - n % FILE_PAGES;
		char *at = base + n * PAGE;

		/* The kernel's own limit comes first unless it was raised. */
		if (mmap(at, PAGE, n & 1 ? RW : PROT_READ, MAP_SHARED | MAP_FIXED, fd,
			 page * PAGE) != at)
			break;
		bad += *(unsigned long *)at != page * 3;
	}
	ok(n == pieces || (errno == ENOMEM && n > 60000), "%lu mappings of one page", n);
	is(bad, 0, "each shows its page when it is made");
	for (i = 1, bad = 0; i < n; i += 2)
		*(unsigned long *)(base + i * PAGE + 8) = i;
	for (i = 0; i < n; i++)
		bad += *(unsigned long *)(base + i * PAGE) != (FILE_PAGES - 1 - i % FILE_PAGES) * 3;
	is(bad, 0, "and when all are there");
	for (i = n > 4096 ? n - 4096 : 1, bad = 0, i |= 1; i < n; i += 2)
		bad += *(unsigned long *)(whole + (FILE_PAGES - 1 - i % FILE_PAGES) * PAGE + 8) != i;
	is(bad, 0, "what was written through them is in the file");
	is(munmap(base, pieces * PAGE), 0, "they go at once");
	munmap(whole, FILE_PAGES * PAGE);
	close(fd);
}

static void touch_at_random(void)
{
	unsigned long pages = mib << 20 >> 12, i, bad = 0;
	uint32_t *order = malloc(pages * sizeof(*order)), seed = 1, t;
	char *p = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!order || p == MAP_FAILED)
		die("mmap");
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < pages; i++)
		order[i] = i;
	for (i = pages - 1; i; i--) {
		unsigned long j = next(&seed) % (i + 1);

		t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
	for (i = 0; i < pages; i++)
		*(unsigned long *)(p + order[i] * PAGE) = order[i] * 7UL + 1;
	for (i = 0; i < pages; i++)
		bad += *(unsigned long *)(p + order[pages - 1 - i] * PAGE) !=
			order[pages - 1 - i] * 7UL + 1;
	is(bad, 0, "%lu MiB touched in random order", mib);
	for (i = 0, bad = 0; i < pages; i++)
		bad += *(unsigned long *)(p + i * PAGE) != i * 7 + 1;
	is(bad, 0, "and read in order");
	munmap(p, pages * PAGE);
	free(order);
}

int main(int argc, char **argv)
{
	int ready[2], stop[2], st, i;
	pid_t pid;
	char c;

	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--pieces"))
			pieces = strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--mib"))
			mib = strtoul(argv[i + 1], NULL, 10);
	}
	if (pipe(ready) || pipe(stop))
		die("pipe");
	pid = fork();
	if (!pid)
		neighbour(ready[1], stop[0]);
	if (read(ready[0], &c, 1) != 1)
		die("neighbour");
	file_in_pieces();
	touch_at_random();
	if (write(stop[1], "", 1) != 1)
		die("pipe");
	waitpid(pid, &st, 0);
	is(st, 0, "a neighbour's memory is untouched");
	return tap_done();
}
