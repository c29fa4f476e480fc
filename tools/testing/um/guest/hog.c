// SPDX-License-Identifier: GPL-2.0
/*
 * Uses memory: writes to every page of so many MiB, says "HOG-READY", waits for
 * a line of input, checks every page, says "HOG-OK" or what it found, and ends.
 *
 *   hog MIB [ROUNDS]
 *
 * With ROUNDS it goes on without being asked: so many times it checks all pages
 * and writes new values to them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE 4096UL

static unsigned long *word(char *p, unsigned long page)
{
	return (unsigned long *)(p + page * PAGE + page % 512 * 8);
}

static void paint(char *p, unsigned long pages, unsigned long round)
{
	for (unsigned long i = 0; i < pages; i++)
		*word(p, i) = (i * 2654435761UL) ^ round;
}

static unsigned long check(char *p, unsigned long pages, unsigned long round)
{
	unsigned long bad = 0;

	for (unsigned long i = 0; i < pages; i++)
		bad += *word(p, i) != ((i * 2654435761UL) ^ round);
	return bad;
}

int main(int argc, char **argv)
{
	unsigned long mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long pages = mib << 20 >> 12, bad = 0, i;
	char line[64], *p;

	if (!mib) {
		fprintf(stderr, "usage: hog MIB [ROUNDS]\n");
		return 2;
	}
	p = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		perror("hog");
		return 1;
	}
	paint(p, pages, 0);
	printf("HOG-READY\n");
	fflush(stdout);
	if (!rounds && !fgets(line, sizeof(line), stdin))
		line[0] = 0;
	for (i = 0; i < rounds; i++) {
		bad += check(p, pages, i);
		paint(p, pages, i + 1);
	}
	bad += check(p, pages, i);
	if (bad)
		printf("HOG-BAD %lu\n", bad);
	else
		printf("HOG-OK\n");
	return bad != 0;
}
