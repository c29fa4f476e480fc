/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model of mapmodel.c: what each page of the window is and holds, and looking
 * whether it is and does.
 *
 * A page is filled with one value, of which its words are made. The first is code that
 * returns a part of it, so that the right to execute can be tried; what a page must not
 * allow is tried, too, and has to end in a signal of the right kind.
 */
#ifndef UM_TEST_MAPMODEL_H
#define UM_TEST_MAPMODEL_H

#include <setjmp.h>

#include "tap.h"
#include "util.h"

enum { WINDOW = 1536, FILE_PAGES = 512, WORDS = 512 };

/* What is mapped; OTHER is a file that another process may write to. */
enum kind { NONE, ANON, SHARED, FILED, COPIED, OTHER };

/**
 * struct page - the model of a page
 * @kind: FILED is a private mapping of the file, COPIED one that was written to
 * @prot: rights
 * @lazy: after MADV_FREE: it may have become zero
 * @other: it is a copy of a page of another process's file
 * @off: page of the file
 * @value: what it is filled with, 0 for zeroes; for SHARED and FILED it is the file's
 */
struct page {
	unsigned char kind, prot, lazy, other;
	unsigned short off;
	uint64_t value;
};

static struct page model[WINDOW];
static uint64_t content[FILE_PAGES];
static char *window;
static long left;		/* operations to go */
static uint64_t seed = 1;

/* Shared by all processes. */
static struct { long bad, ops, forks, denied, moved, looked; } *board;

static uint32_t rnd(uint32_t n)
{
	return (lcg(&seed) >> 33) % n;
}

static char *at(int page)
{
	return window + page * PAGE;
}

static uint64_t value_of(struct page *p)
{
	return p->kind == SHARED || p->kind == FILED ? content[p->off] : p->value;
}

static void wrong(const char *what, int page, uint64_t got)
{
	struct page *p = &model[page];

	if (__atomic_add_fetch(&board->bad, 1, __ATOMIC_RELAXED) > 10)
		return;
	diag("pid %d, %ld to go: %s: page %d (kind %d, rights %d, lazy %d, file page %d): %#lx, not %#lx",
	     getpid(), left, what, page, p->kind, p->prot, p->lazy, p->off, got, value_of(p));
}

/* mov $value, %eax; ret; then words made of the value. */
static uint64_t word(uint64_t value, int i)
{
	if (!value)
		return 0;
	if (!i)
		return 0x9090c300000000b8UL | (value & 0xffffffff) << 8;
	return value * 0x9e3779b97f4a7c15UL + i;
}

static void fill(uint64_t *to, uint64_t value)
{
	for (int i = 0; i < WORDS; i++)
		to[i] = word(value, i);
}

static int filled(const uint64_t *from, uint64_t value)
{
	for (int i = 0; i < WORDS; i++)
		if (from[i] != word(value, i))
			return 0;
	return 1;
}

/* Compares what a page holds, wherever it was read from, with what it should. */
static int compare(int page, const uint64_t *got, const char *what)
{
	struct page *p = &model[page];

	if (p->kind == OTHER || filled(got, value_of(p)))
		return 1;
	if (!p->lazy || !filled(got, 0)) {
		wrong(what, page, got[0]);
		return 0;
	}
	p->value = 0;
	return 1;
}

static sigjmp_buf back;
static volatile int code;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	(void)sig; (void)uc;
	code = si->si_code;
	siglongjmp(back, 1);
}

/* What must not be allowed: 'r', 'w' or 'x'. */
static void denied(int page, int how)
{
	int want = model[page].kind == NONE ? SEGV_MAPERR : SEGV_ACCERR;
	volatile char *p = at(page);

	code = 0;
	if (!sigsetjmp(back, 1)) {
		if (how == 'r')
			(void)*p;
		else if (how == 'w')
			*p = 1;
		else
			((int (*)(void))p)();
	}
	if (code != want)
		wrong(how == 'r' ? "read" : how == 'w' ? "written" : "executed", page, code);
	board->denied++;
}

static void check(int page, const char *what)
{
	struct page *p = &model[page];

	if (p->kind == NONE || !(p->prot & PROT_READ)) {
		/* Each costs a signal. */
		if (!rnd(8))
			denied(page, 'r');
		return;
	}
	if (!compare(page, (uint64_t *)at(page), what))
		return;
	if (!(p->prot & PROT_WRITE) && !rnd(4))
		denied(page, 'w');
	if (p->kind == OTHER || p->lazy || !value_of(p) || rnd(4))
		return;
	if (!(p->prot & PROT_EXEC))
		denied(page, 'x');
	else if (((int (*)(void))at(page))() != (int)value_of(p))
		wrong("code", page, 0);
}

static void written(int page, uint64_t value)
{
	struct page *p = &model[page];

	if (p->kind == SHARED)
		content[p->off] = value;
	else if (p->kind == FILED)
		p->kind = COPIED;
	if (p->kind != OTHER)
		p->value = value;
	p->lazy = 0;
}

/* What MADV_DONTNEED does, and moving away with MREMAP_DONTUNMAP. */
static void emptied(struct page *p)
{
	if (p->kind == COPIED)
		p->kind = p->other ? OTHER : FILED;
	p->value = 0;
	p->lazy = 0;
}

/*
 * Something that populates was done: copies have been made of the file's pages that
 * can be written to.  Which ones is the kernel's affair, so make sure.
 */
static void settle(int first, int n)
{
	for (int i = first; i < first + n; i++) {
		struct page *p = &model[i];

		if (p->kind == FILED && p->prot & PROT_WRITE) {
			uint64_t value = content[p->off];

			fill((uint64_t *)at(i), value);
			written(i, value);
		}
	}
}

/* So many pages from @first that are alike: mremap() wants one mapping. */
static int alike(int first, int most)
{
	struct page *a = &model[first], *b;
	int n = 1;

	for (; n < most && first + n < WINDOW; n++) {
		b = &model[first + n];
		if (b->prot != a->prot || (b->kind == NONE) != (a->kind == NONE) ||
		    (b->kind == ANON) != (a->kind == ANON) ||
		    (b->kind == SHARED) != (a->kind == SHARED) || a->kind == OTHER ||
		    b->kind == OTHER || (a->kind != ANON && b->off != a->off + n))
			break;
	}
	return n;
}

#endif
