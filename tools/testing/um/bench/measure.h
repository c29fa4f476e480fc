/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the benchmark programs share: their command line, and how something is
 * measured.
 *
 *   PROGRAM [--time MS] [--steps] [option of its own...] [name...]
 *
 * It does its work in batches that grow until one takes batch_ms milliseconds,
 * does that batch once more and prints "name nanoseconds-per-operation
 * operations".  With steps it says "name ready" and waits for a line of input
 * before the batch that counts, and for another one after its result; before that
 * it prints what the batch has cost on the host, if this is a guest that tells.
 */
#ifndef __UM_BENCH_MEASURE_H
#define __UM_BENCH_MEASURE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long batch_ms = 60;
static int steps;

/**
 * struct bench - a benchmark
 * @name: one word
 * @run: do the work @n times
 * @start: size of the first batch; below 0: just this many, and only once
 */
struct bench {
	const char *name;
	void (*run)(long n);
	long start;
};

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000L + ts.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long took(const struct bench *b, long n)
{
	long start = now();

	b->run(n);
	return now() - start;
}

static void wait_for_line(void)
{
	int c;

	do
		c = getchar();
	while (c != '\n' && c != EOF);
}

/* What the guest kernel has asked of its host so far: names and counts. */
#define COSTS_MAX 16

static const char costs_file[] = "/sys/kernel/debug/um/host_costs";

static int read_costs(char names[][32], long *counts)
{
	FILE *f = fopen(costs_file, "r");
	int n = 0;

	while (f && n < COSTS_MAX && fscanf(f, "%31s %ld", names[n], &counts[n]) == 2)
		n++;
	if (f)
		fclose(f);
	return n;
}

/* "name costs what=times-per-operation ..." */
static void print_costs(const char *name, const long *before, long operations)
{
	char names[COSTS_MAX][32];
	long counts[COSTS_MAX];
	int n = read_costs(names, counts);

	printf("%s costs", name);
	for (int i = 0; i < n; i++)
		if (counts[i] != before[i])
			printf(" %s=%.3g", names[i], (double)(counts[i] - before[i]) / operations);
	printf("\n");
}

/* Warm up; returns how many operations take long enough. */
static long find_count(const struct bench *b)
{
	const long batch = batch_ms * 1000000;
	long n = b->start, ns;

	b->run(n);
	while ((ns = took(b, n)) < batch && n < (1L << 40)) {
		/* Aim a little above, at most tenfold at a time. */
		long want = ns > 0 ? n * (batch * 11 / 10 / ns + 1) : n * 10;

		n = want > n * 10 ? n * 10 : want > n ? want : n * 2;
	}
	return n;
}

static void measure(const struct bench *b)
{
	long n = b->start < 0 ? -b->start : find_count(b), ns;
	char names[COSTS_MAX][32];
	long costs[COSTS_MAX];

	if (steps) {
		printf("%s ready\n", b->name);
		wait_for_line();
	}
	read_costs(names, costs);
	ns = took(b, n);
	if (steps)
		print_costs(b->name, costs, n);
	printf("%s %.1f %ld\n", b->name, (double)ns / n, n);
	if (steps)
		wait_for_line();
}

/*
 * The command line: @own looks at a word and returns 1 if it is the program's own;
 * the words that are left, @words, name what is wanted: nothing means all.
 */
static int parse_words(int argc, char **argv, int (*own)(const char *word), char **words)
{
	int n = 0;

	setlinebuf(stdout);
	for (int a = 1; a < argc; a++) {
		if (!strcmp(argv[a], "--time") && a + 1 < argc)
			batch_ms = atol(argv[++a]);
		else if (!strcmp(argv[a], "--steps"))
			steps = 1;
		else if (!own(argv[a]))
			words[n++] = argv[a];
	}
	return n;
}

static void measure_wanted(const struct bench *list, unsigned int nr, char **words, int n)
{
	for (unsigned int i = 0; i < nr; i++) {
		int wanted = !n;

		for (int w = 0; w < n; w++)
			wanted |= !strcmp(words[w], list[i].name);
		if (wanted)
			measure(&list[i]);
	}
	puts("bench done");
}

#endif
