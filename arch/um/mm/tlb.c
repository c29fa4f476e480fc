// SPDX-License-Identifier: GPL-2.0
/*
 * The mappings of guest processes: what has to change.
 *
 * The host mappings of an address space are a TLB of its page tables: what is
 * mapped must be allowed by the tables, but not everything that is allowed
 * needs to be mapped, and all of it can be dropped at any time.
 *
 * Changes are collected here and applied by um_tlb_sync() (sync.c) on the way to
 * guest code:
 *
 * - Ranges (flushes): the host may hold mappings there that are no longer
 *   right. These must be dealt with before guest code runs. As many as
 *   UM_TLB_RANGES are kept; more are merged with their nearest neighbour,
 *   which costs time but loses nothing. With an eager backend guest code may
 *   be running in spite of what it says, so they are dealt with at once.
 * - Protections: the pages are the same as before, but their rights changed.
 *   Guest code that goes on with the old ones for a moment cheats nobody but its
 *   own process, so these wait with all backends, but for those of fork().
 * - Replacements (kept): a page was replaced by its copy, and is kept until the
 *   host has taken note; see cow.c.
 * - Adds: pages became accessible. Only a hint: if one is lost, the guest faults
 *   once more and um_tlb_refill() makes it again. Those made in advance
 *   (prefault.c) don't call for an order of their own, they go with the next.
 *
 * What is applied is always read from the page tables at that moment, so the
 * order of records does not matter, and a flush recorded after the tables were
 * read simply belongs to the next round.
 *
 * A page may be freed while a recorded flush for it is pending, if there can
 * be such. The stale mapping is unreachable then: its address space has to
 * pass um_tlb_sync() before it executes anything.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <asm/mmu_context.h>
#include <asm/text_shadow.h>
#include <asm/tlbflush.h>
#include <host/usermode.h>
#include "tlb.h"
#include "walk.h"

/* An add grows to at most this size by merging. */
#define TLB_ADD_MAX	(512 * PAGE_SIZE)
/* Refills of one page in a row before the host is taken to be broken. */
#define TLB_MAX_MISSES	16

static bool touches(const struct um_tlb_range *range, unsigned long start, unsigned long end)
{
	return start <= range->end && range->start <= end;
}

static unsigned long union_size(const struct um_tlb_range *range, unsigned long start,
				unsigned long end)
{
	return max(range->end, end) - min(range->start, start);
}

/* Take a range out and widen the given one by it. */
static void absorb(struct um_tlb_range *ranges, unsigned int *nr, unsigned int i,
		   unsigned long *start, unsigned long *end)
{
	*start = min(*start, ranges[i].start);
	*end = max(*end, ranges[i].end);
	ranges[i] = ranges[--*nr];
}

/* Keep a range, merged with others if it touches them or there is no room. */
static void record(struct um_tlb_range *ranges, unsigned int *nr, unsigned long start,
		   unsigned long end)
{
	unsigned long growth, best_growth;
	unsigned int i, best;

	for (i = 0; i < *nr; ) {
		if (touches(&ranges[i], start, end)) {
			absorb(ranges, nr, i, &start, &end);
			i = 0;
		} else {
			i++;
		}
	}
	while (*nr == UM_TLB_RANGES) {
		best = 0;
		best_growth = ULONG_MAX;
		for (i = 0; i < *nr; i++) {
			growth = union_size(&ranges[i], start, end) -
				 (ranges[i].end - ranges[i].start);
			if (growth < best_growth) {
				best_growth = growth;
				best = i;
			}
		}
		absorb(ranges, nr, best, &start, &end);
	}
	/* The widened range may overlap others now: harmless, only redundant. */
	ranges[(*nr)++] = (struct um_tlb_range){ start, end };
}

void um_tlb_record(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	mm_context_t *ctx = &mm->context;
	unsigned long flags;

	spin_lock_irqsave(&ctx->lock, flags);
	record(ctx->ranges, &ctx->nr_ranges, start, end);
	ctx->misses = 0;
	spin_unlock_irqrestore(&ctx->lock, flags);
}

void um_tlb_flush(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	mm_context_t *ctx = &mm->context;

	/* Nothing is mapped yet, or nothing will ever run again. */
	if (mm == &init_mm || !READ_ONCE(ctx->host) || ctx->dead)
		return;
	if (!atomic_read(&mm->mm_users) && !host_usermode->eager)
		return;

	start &= PAGE_MASK;
	end = PAGE_ALIGN(min(end, TASK_SIZE));
	if (start >= end)
		return;

	um_tlb_record(mm, start, end);
	if (host_usermode->eager) {
		WARN_ON_ONCE(in_hardirq());
		um_tlb_apply(mm, false);
	}
}

void um_tlb_protect(struct mm_struct *mm, unsigned long addr, unsigned int nr)
{
	mm_context_t *ctx = &mm->context;
	unsigned long flags;

	if (!READ_ONCE(ctx->host) || ctx->dead)
		return;
	addr &= PAGE_MASK;
	spin_lock_irqsave(&ctx->lock, flags);
	record(ctx->protects, &ctx->nr_protects, addr, addr + nr * PAGE_SIZE);
	/* What is not all mapped may be dropped by that. */
	ctx->misses = 0;
	spin_unlock_irqrestore(&ctx->lock, flags);
}

/*
 * Text may be executed from other pages than it is read from (shadow.c), so new
 * rights can mean another page; still none that is anybody else's.
 */
void um_tlb_modified(struct mm_struct *mm, unsigned long addr, pte_t old, pte_t new)
{
	if (pte_exec(old) || pte_exec(new))
		um_tlb_record(mm, addr, addr + PAGE_SIZE);
	else
		um_tlb_protect(mm, addr, 1);
}

/*
 * The next flush_tlb_mm() of this mm, if it is by this task, has nothing to add to
 * what was recorded page by page. Only one is remembered: another is done.
 */
static struct {
	struct task_struct *task;
	struct mm_struct *mm;
} forked;

void um_tlb_forked(struct mm_struct *mm)
{
	mm_context_t *ctx = &mm->context;

	preempt_disable();
	/*
	 * Elsewhere new rights may wait, because who still has the old ones cheats only
	 * itself. Not here: these pages are the child's, too.
	 */
	if (host_usermode->eager && ctx->nr_protects && ctx->host && !ctx->dead &&
	    !um_tlb_apply(mm, true) && host_usermode->map(ctx->host, NULL, 0)) {
		/* Rather nothing than the old rights. */
		um_tlb_record(mm, 0, TASK_SIZE);
		um_tlb_apply(mm, false);
	}
	forked.task = current;
	forked.mm = mm;
	preempt_enable();
}

static bool flushed_by_fork(struct mm_struct *mm)
{
	bool done;

	preempt_disable();
	done = forked.task == current && forked.mm == mm;
	if (done)
		forked.task = NULL;
	preempt_enable();
	return done;
}

void flush_tlb_mm(struct mm_struct *mm)
{
	if (!flushed_by_fork(mm))
		um_tlb_flush(mm, 0, TASK_SIZE);
}

static bool is_flushed(mm_context_t *ctx, unsigned long start, unsigned long end)
{
	unsigned int i;

	for (i = ctx->nr_sent; i < ctx->nr_kept; i++)
		if (ctx->kept[i].addr == start && end == start + PAGE_SIZE)
			return true;

	/* Small ranges are mapped again by their flush. */
	for (i = 0; i < ctx->nr_ranges; i++)
		if (ctx->ranges[i].start <= start && end <= ctx->ranges[i].end &&
		    ctx->ranges[i].end - ctx->ranges[i].start <= TLB_EAGER_RUNS * PAGE_SIZE)
			return true;
	return false;
}

void um_tlb_add(struct mm_struct *mm, unsigned long addr, unsigned int nr)
{
	mm_context_t *ctx = &mm->context;
	unsigned long start = addr & PAGE_MASK;
	unsigned long end = start + nr * PAGE_SIZE;
	unsigned long flags;
	unsigned int i;

	if (mm == &init_mm)
		return;

	spin_lock_irqsave(&ctx->lock, flags);
	if (is_flushed(ctx, start, end))
		goto out;
	if (!current->thread.in_prefault)
		ctx->urgent = true;
	for (i = 0; i < ctx->nr_adds; i++) {
		if (touches(&ctx->adds[i], start, end) &&
		    union_size(&ctx->adds[i], start, end) <= TLB_ADD_MAX) {
			absorb(ctx->adds, &ctx->nr_adds, i, &start, &end);
			break;
		}
	}
	if (ctx->nr_adds < UM_TLB_ADDS) {
		ctx->adds[ctx->nr_adds++] = (struct um_tlb_range){ start, end };
	} else {
		ctx->adds[ctx->next_add] = (struct um_tlb_range){ start, end };
		ctx->next_add = (ctx->next_add + 1) % UM_TLB_ADDS;
	}
out:
	spin_unlock_irqrestore(&ctx->lock, flags);
}

/* Made accessible in advance, and now it is needed. */
static bool is_added(mm_context_t *ctx, unsigned long addr)
{
	unsigned long flags;
	bool found = false;
	unsigned int i;

	spin_lock_irqsave(&ctx->lock, flags);
	for (i = 0; i < ctx->nr_adds; i++)
		found |= addr >= ctx->adds[i].start && addr < ctx->adds[i].end;
	ctx->urgent |= found;
	spin_unlock_irqrestore(&ctx->lock, flags);
	return found;
}

int um_tlb_refill(struct mm_struct *mm, unsigned long addr, unsigned int access)
{
	mm_context_t *ctx = &mm->context;
	unsigned long page = addr & PAGE_MASK;
	pte_t old;
	int err;

	preempt_disable();
	err = um_walk_access(mm, addr, access, &old);
	preempt_enable();

	if (page != ctx->fault_page) {
		ctx->fault_page = page;
		ctx->misses = 0;
	}
	if (err)
		return err;
	if (++ctx->misses > TLB_MAX_MISSES)
		return -ELOOP;
	if (is_added(ctx, page))
		return 0;

	/*
	 * The first write to a clean page: its neighbours are not missing.
	 * Else the host has dropped a larger range.
	 */
	if (access == UM_WRITE && pte_young(old) && !pte_dirty(old))
		um_tlb_add(mm, page, 1);
	else
		um_tlb_add(mm, addr & ~(TLB_WINDOW - 1), TLB_WINDOW / PAGE_SIZE);
	return 0;
}

void um_tlb_init(struct mm_struct *mm)
{
	mm_context_t *ctx = &mm->context;

	ctx->host = NULL;
	ctx->reserved = NULL;
	ctx->dead = false;
	INIT_LIST_HEAD(&ctx->texts);
	ctx->no_texts = false;
	ctx->fp_owner = NULL;
	ctx->debugreg_owner = NULL;
	spin_lock_init(&ctx->lock);
	ctx->nr_ranges = 0;
	ctx->nr_protects = 0;
	ctx->nr_adds = 0;
	ctx->urgent = false;
	ctx->next_add = 0;
	ctx->nr_kept = 0;
	ctx->nr_sent = 0;
	ctx->fault_page = 0;
	ctx->misses = 0;
}

int um_tlb_reserve(struct mm_struct *mm)
{
	mm_context_t *ctx = &mm->context;
	int err = 0;

	if (!ctx->reserved)
		err = host_usermode->mm_create(&ctx->reserved);
	if (err)
		ctx->reserved = NULL;
	return err;
}

void um_tlb_destroy(struct mm_struct *mm)
{
	mm_context_t *ctx = &mm->context;
	struct um_mm *host;

	if (ctx->reserved) {
		host_usermode->mm_destroy(ctx->reserved);
		ctx->reserved = NULL;
	}
	if (!ctx->host)
		return;
	/* Who finds no host side expects that nothing is mapped. */
	preempt_disable();
	host = ctx->host;
	ctx->host = NULL;
	host_usermode->mm_destroy(host);
	preempt_enable();
	um_tlb_put_kept(mm, true);
	/* Nobody has its shadows mapped any more. */
	text_shadow_exit(mm);
	ctx->fp_owner = NULL;
	ctx->debugreg_owner = NULL;
}
