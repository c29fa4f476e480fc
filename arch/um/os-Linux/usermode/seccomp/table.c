// SPDX-License-Identifier: GPL-2.0
/*
 * Address spaces, from their making to the reaping of their host processes.
 *
 * Each has a slot of the control memory for life. Processes that are no longer
 * needed are killed at once and reaped when they are dead, so that nobody waits
 * for the host to take them apart; until then the slot stays theirs. Agents may
 * find a new life in the pool.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "seccomp.h"

#define DYING_MAX	64
#define REAP_NS		30000
#define TABLE_LOOK_NS	10000000
#define TABLE_LOOKS	8	/* at so many, each a host system call */

static struct um_mm *mm_table;		/* entry 0 is not used: the nursery's slot */
static unsigned int mm_used = 1;
static struct um_mm *mm_free;
static struct um_mm *dying;
static unsigned int nr_dying;
static unsigned int nr_again;		/* of these, those that are for the pool */

int table_init(void)
{
	void *table = mmap(NULL, MM_MAX * sizeof(*mm_table), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (table == MAP_FAILED)
		return -errno;
	mm_table = table;
	return 0;
}

static int reap_one(int *pid, int options)
{
	int ret;

	if (!*pid)
		return 1;
	do {
		ret = wait4(*pid, NULL, __WALL | options, NULL);
	} while (ret < 0 && errno == EINTR);
	if (!ret)
		return 0;
	*pid = 0;
	return 1;
}

static int all_dead(struct um_mm *mm, int options)
{
	return (mm->again || reap_one(&mm->agent, options)) && reap_one(&mm->runner, options);
}

/* Take what died off the list; with @wait, wait for one. */
static void reap(int wait)
{
	struct um_mm **p = &dying, *mm;

	while ((mm = *p)) {
		if (!all_dead(mm, wait ? 0 : WNOHANG)) {
			p = &mm->next;
			continue;
		}
		wait = 0;
		*p = mm->next;
		nr_dying--;
		nr_again -= mm->again;
		if (mm->again && mm->agent)
			pool_add(mm);
		else
			table_drop(mm);
	}
}

struct um_mm *table_new(void)
{
	struct um_mm *mm = mm_free;

	if (mm) {
		mm_free = mm->next;
		pool_clear(mm);
	} else if (mm_used < MM_MAX) {
		mm = &mm_table[mm_used];
		mm->slot = mm_used++;
	} else {
		return NULL;
	}
	*mm = (struct um_mm){ .slot = mm->slot };
	return mm;
}

void table_drop(struct um_mm *mm)
{
	mm->next = mm_free;
	mm_free = mm;
}

int sc_mm_create(struct um_mm **result)
{
	struct um_mm *mm;
	int err;

	if (dying)
		reap(0);
	mm = pool_take();
	if (!mm) {
		mm = table_new();
		if (!mm)
			return -ENOMEM;
		err = nursery_make(mm);
		if (err) {
			table_drop(mm);
			return err;
		}
	}
	/* Unknown: the first resume loads them. */
	memset(mm->seg, 0xff, sizeof(mm->seg));
	*result = mm;
	pool_fill();
	return 0;
}

/* Guest memory must be out of reach when this returns. */
static void withdraw(struct um_mm *mm)
{
	int err = agent_settle(mm);

	if (err != -ESRCH) {
		sc_cmd(mm)->ops[0] = (struct sc_op){ SYS_munmap, { 0, UM_STUB_START } };
		err = agent_batch(mm, 1);
	}
	/* What is dead reaches nothing. */
	if (err)
		stub_kill(mm);
}

void sc_mm_destroy(struct um_mm *mm)
{
	run_forget(mm);
	/* Not both for certain: the pids may be somebody else's by now. */
	if (mm->agent && mm->runner)
		withdraw(mm);
	mm->again = mm->agent && mm->runner && pool_wanted(nr_again);
	if (mm->runner)
		kill(mm->runner, SIGKILL);
	if (mm->agent && !mm->again)
		kill(mm->agent, SIGKILL);
	mm->running = 0;
	mm->next = dying;
	dying = mm;
	nr_dying++;
	nr_again += mm->again;
	reap(nr_dying > DYING_MAX);
}

void sc_abandon(struct um_mm *mm)
{
	stub_kill(mm);
	mm->running = 0;
	mm->chained = 0;
}

void table_reap(unsigned long now)
{
	static unsigned long next;

	/* Asking is not free, and dying takes a while. */
	if (!dying || now < next)
		return;
	next = now + spin_ticks(REAP_NS);
	reap(0);
}

void table_watch(unsigned long now)
{
	static unsigned long next;
	static unsigned int at;
	unsigned int n = mm_used < TABLE_LOOKS ? mm_used : TABLE_LOOKS;

	if (now < next)
		return;
	next = now + spin_ticks(TABLE_LOOK_NS);
	while (n--) {
		struct um_mm *mm = &mm_table[at];

		at = (at + 1) % mm_used;
		if (mm->agent && mm->runner && !mm->running && watch_stopped(mm) < 0)
			sc_abandon(mm);
	}
}

/* Leave no process behind, not even for the blink until the host does it. */
void table_kill(void)
{
	pool_settle();
	for (unsigned int i = 1; i < mm_used; i++) {
		if (mm_table[i].agent)
			kill(mm_table[i].agent, SIGKILL);
		if (mm_table[i].runner)
			kill(mm_table[i].runner, SIGKILL);
	}
	for (unsigned int i = 1; i < mm_used; i++)
		stub_kill(&mm_table[i]);
}
