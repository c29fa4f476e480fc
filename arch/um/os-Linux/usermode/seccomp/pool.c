// SPDX-License-Identifier: GPL-2.0
/*
 * A pool of stubs, so that fork() and exec() need not wait for the host to make
 * processes.
 *
 * It lives of what is no longer needed: the agent of an address space that has
 * come to its end has unmapped all of it, and is as good as new. The runner is
 * not, because guest code had it; it is killed, and when it is dead the agent
 * makes another, while the guest goes on. When more address spaces are needed at
 * once than ever before, or sooner than the next is ready, the nursery makes one
 * more in advance.
 *
 * At most POOL_MAX are kept. Nobody is woken for any of this: it is looked after
 * when address spaces are made and destroyed, and when guest code is to run. An
 * idle guest has a few idle processes.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "seccomp.h"

#define POOL_MAX	8

static struct um_mm *pool;	/* begun, oldest first */
static unsigned int nr_pool;
static int none_ready;		/* at the last pool_take() */

int pool_wanted(unsigned int coming)
{
	return nr_pool + coming < POOL_MAX;
}

static void append(struct um_mm *mm)
{
	struct um_mm **p = &pool;

	while (*p)
		p = &(*p)->next;
	mm->next = NULL;
	*p = mm;
	nr_pool++;
}

/*
 * What guest code has left in the shared pages is nobody else's business. Pages
 * that were never written don't exist, and are not to be made; but one may be
 * swapped out.
 */
static void clear_pages(char *start, unsigned long size)
{
	off_t offset = start - sc_info.control, end = offset + size, hole;

	for (;;) {
		offset = lseek(sc_info.control_fd, offset, SEEK_DATA);
		if (offset < 0 && errno != ENXIO) {
			memset(start, 0, size);
			return;
		}
		if (offset < 0 || offset >= end)
			return;
		hole = lseek(sc_info.control_fd, offset, SEEK_HOLE);
		if (hole < 0 || hole > end)
			hole = end;
		memset(sc_info.control + offset, 0, hole - offset);
		offset = hole;
	}
}

void pool_clear(struct um_mm *mm)
{
	clear_pages((char *)sc_state(mm), sc_info.state_size + sc_info.stack_size);
	patch_clear(mm);
}

void pool_add(struct um_mm *mm)
{
	pool_clear(mm);
	*mm = (struct um_mm){
		.slot = mm->slot, .agent = mm->agent, .agent_cpu = mm->agent_cpu, .seq = mm->seq,
	};
	nursery_again(mm);
	append(mm);
}

/* The first that is ready, else the first. */
static struct um_mm **choose(void)
{
	none_ready = 0;
	for (struct um_mm **p = &pool; *p; p = &(*p)->next)
		if (nursery_poll(*p))
			return p;
	none_ready = 1;
	return &pool;
}

struct um_mm *pool_take(void)
{
	while (pool) {
		struct um_mm **p = choose(), *mm = *p;

		*p = mm->next;
		nr_pool--;
		if (!nursery_finish(mm)) {
			if (!process_gone(mm->agent) && !process_gone(mm->runner))
				return mm;
			stub_kill(mm);
		}
		table_drop(mm);
	}
	return NULL;
}

void pool_settle(void)
{
	for (struct um_mm *mm = pool; mm; mm = mm->next)
		nursery_finish(mm);
}

void pool_fill(void)
{
	struct um_mm *mm;

	/* With one more it would have been. */
	if (pool && !(none_ready && nr_pool < POOL_MAX))
		return;
	none_ready = 0;
	mm = table_new();
	if (!mm)
		return;
	if (nursery_begin(mm))
		table_drop(mm);
	else
		append(mm);
}
