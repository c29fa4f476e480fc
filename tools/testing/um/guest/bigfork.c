// SPDX-License-Identifier: GPL-2.0
/*
 * Forks of a process with very many mappings and much memory: parent, child and
 * grandchild each see their own pages, and what it takes of the host is in
 * proportion to the mappings.
 *
 *   bigfork [--mappings N] [--mib N]
 */
#include "tap.h"
#include "util.h"

static const char costs_file[] = "/sys/kernel/debug/um/host_costs";
static unsigned long mappings = 1000, mib = 16;
static unsigned long pages, each;
static char *base;

static unsigned long *word(unsigned long page)
{
	return (unsigned long *)(base + page * PAGE + page % 500 * 8);
}

static int writable(unsigned long page)
{
	return !(page / each & 1);
}

static unsigned long value(unsigned long page, int generation)
{
	return (page * 2654435761UL) ^ generation;
}

/* What process @me of the line of @me forks must see: each changed every 16th page. */
static unsigned long check(int me)
{
	unsigned long i, bad = 0;

	for (i = 0; i < pages; i++) {
		int last = 0;

		for (int g = 1; g <= me; g++)
			if (writable(i) && i % 16 == (unsigned int)g)
				last = g;
		bad += *word(i) != value(i, last);
	}
	return bad;
}

static void change(int me)
{
	for (unsigned long i = me; i < pages; i += 16)
		if (writable(i))
			*word(i) = value(i, me);
}

/* All neighbours differ in their rights, or they would be one mapping. */
static void make(unsigned long count, unsigned long size)
{
	pages = size / PAGE / count * count;
	each = pages / count;
	base = mmap(NULL, pages * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		die("mmap");
	for (unsigned long i = 0; i < pages; i++)
		*word(i) = value(i, 0);
	for (unsigned long i = 1; i < count; i += 2)
		if (mprotect(base + i * each * PAGE, each * PAGE, PROT_READ))
			die("mprotect");
}

/* Orders, and mappings made and removed, that the host was asked for so far, or -1. */
static long costs(void)
{
	FILE *f = fopen(costs_file, "r");
	long sum = -1, n;
	char name[64];

	while (f && fscanf(f, "%63s %ld", name, &n) == 2)
		if (!strcmp(name, "orders") || strstr(name, "maps"))
			sum += n + (sum < 0);
	if (f)
		fclose(f);
	return sum;
}

/* A fork whose child only ends. */
static long cost_of_fork(void)
{
	long before = costs();
	pid_t pid = fork();
	int st;

	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, &st, 0) != pid || st)
		die("fork");
	return before < 0 ? -1 : costs() - before;
}

static void family(void)
{
	pid_t child = fork(), grandchild;
	int st = -1;

	if (!child) {
		unsigned long bad = check(0);

		change(1);
		bad += check(1);
		grandchild = fork();
		if (!grandchild) {
			bad = check(1);
			change(2);
			_exit(bad + check(2) ? 1 : 42);
		}
		if (grandchild < 0 || waitpid(grandchild, &st, 0) < 0 || !exited_with(st, 42))
			_exit(2);
		_exit(bad + check(1) ? 1 : 42);
	}
	if (child < 0)
		die("fork");
	/* At the same time as the child. */
	is(check(0), 0, "the parent's memory is what it was");
	waitpid(child, &st, 0);
	ok(exited_with(st, 42), "child and grandchild see theirs (%#x)", st);
	is(check(0), 0, "and leave the parent's alone");
	change(1);
	is(check(1), 0, "which it can change");
}

int main(int argc, char **argv)
{
	long small, large;
	int i;

	for (i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--mappings"))
			mappings = strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--mib"))
			mib = strtoul(argv[i + 1], NULL, 10);
	}
	make(mappings / 10, (mib << 20) / 10);
	cost_of_fork();
	small = cost_of_fork();
	munmap(base, pages * PAGE);
	make(mappings, mib << 20);
	cost_of_fork();
	large = cost_of_fork();
	if (small < 0)
		skip("what a fork takes of the host", "only a guest can tell, with debugfs");
	else
		ok(large < 20 * small + 100, "a fork takes %ld for a tenth, and %ld for all",
		   small, large);
	family();
	return tap_done();
}
