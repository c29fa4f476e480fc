// SPDX-License-Identifier: GPL-2.0
/*
 * The mappings of guest processes.
 *
 * The host mappings of an address space are a TLB of its page tables: what is
 * mapped must be allowed by the tables, but not everything that is allowed
 * needs to be mapped, and all of it can be dropped at any time.
 *
 * Changes are collected and applied by um_tlb_sync() on the way to guest code:
 *
 * - Ranges (flushes): the host may hold mappings there that are no longer
 *   right. These must be dealt with before guest code runs. As many as
 *   UM_TLB_RANGES are kept; more are merged with their nearest neighbour,
 *   which costs time but loses nothing. With an eager backend guest code may
 *   be running in spite of what it says, so they are dealt with at once.
 * - Replacements (kept): a page was replaced by its copy, and is kept until the
 *   host has taken note; see cow.c.
 * - Adds: pages became accessible, usually by a fault. Only a hint: if one is
 *   lost, the guest faults once more and um_tlb_refill() makes it again.
 *
 * What is applied is always read from the page tables at that moment, so the
 * order of records does not matter, and a flush recorded after the tables were
 * read simply belongs to the next round. Preemption is disabled from reading
 * the tables until the host has applied the result: another thread could
 * otherwise sync and run guest code in between, and our older view would then
 * replace its newer one.
 *
 * A page may be freed while a recorded flush for it is pending, if there can
 * be such. The stale mapping is unreachable then: its address space has to
 * pass um_tlb_sync() before it executes anything.
 *
 * A host mapping costs the same for one page as for many, so pages that are
 * contiguous in the memory file are mapped at once; and if a flushed range
 * would need many mappings, it is only unmapped, and what is still in use
 * comes back by faults, TLB_WINDOW at a time.
 */
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/pgtable.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/spinlock.h>
#include <asm/fault.h>
#include <asm/mmu_context.h>
#include <asm/text_shadow.h>
#include <asm/tlbflush.h>
#include <host/usermode.h>
#include "walk.h"

/* Pages around a refilled one that are mapped with it; a power of two. */
#define TLB_WINDOW	(16 * PAGE_SIZE)
/* An add grows to at most this size by merging. */
#define TLB_ADD_MAX	(512 * PAGE_SIZE)
/* A flushed range is mapped again if this many mappings suffice ... */
#define TLB_EAGER_RUNS	32
/* ... of not more than this in all. */
#define TLB_EAGER_SIZE	(2048 * PAGE_SIZE)
/* Refills of one page in a row before the host is taken to be broken. */
#define TLB_MAX_MISSES	16

/* Mappings that a new address space starts with. */
#define TLB_FIRST_RUNS	24

#define TLB_BATCH	64

/**
 * struct tlb_batch - operations on their way to the backend
 * @mm: whose
 * @nr: number of valid entries of @ops
 * @lazy: the host is to fill mappings when they are used
 * @ops: what to do, in order
 */
struct tlb_batch {
	struct mm_struct *mm;
	unsigned int nr;
	bool lazy;
	struct um_map_op ops[TLB_BATCH];
};

/* Too large for the stack; used with preemption disabled. */
static DEFINE_PER_CPU(struct tlb_batch, tlb_batch);

/* Recording. */

static int apply(struct mm_struct *mm, bool with_adds);

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

static void record_flush(mm_context_t *ctx, unsigned long start, unsigned long end)
{
	unsigned long growth, best_growth;
	unsigned int i, best;

	for (i = 0; i < ctx->nr_ranges; ) {
		if (touches(&ctx->ranges[i], start, end)) {
			absorb(ctx->ranges, &ctx->nr_ranges, i, &start, &end);
			i = 0;
		} else {
			i++;
		}
	}
	while (ctx->nr_ranges == UM_TLB_RANGES) {
		best = 0;
		best_growth = ULONG_MAX;
		for (i = 0; i < ctx->nr_ranges; i++) {
			growth = union_size(&ctx->ranges[i], start, end) -
				 (ctx->ranges[i].end - ctx->ranges[i].start);
			if (growth < best_growth) {
				best_growth = growth;
				best = i;
			}
		}
		absorb(ctx->ranges, &ctx->nr_ranges, best, &start, &end);
	}
	/* The widened range may overlap others now: harmless, only redundant. */
	ctx->ranges[ctx->nr_ranges++] = (struct um_tlb_range){ start, end };
	ctx->misses = 0;
}

void um_tlb_record(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	mm_context_t *ctx = &mm->context;
	unsigned long flags;

	spin_lock_irqsave(&ctx->lock, flags);
	record_flush(ctx, start, end);
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
		apply(mm, false);
	}
}

/*
 * The next flush_tlb_mm() of this mm, if it is by this task, has been done; see
 * um_tlb_forked(). Only one is remembered: another is done once more.
 */
static struct {
	struct task_struct *task;
	struct mm_struct *mm;
} forked;

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

static void add_window(struct mm_struct *mm, unsigned long addr)
{
	if (addr < TASK_SIZE)
		um_tlb_add(mm, addr & ~(TLB_WINDOW - 1), TLB_WINDOW / PAGE_SIZE);
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

	/*
	 * The first write to a clean page: its neighbours are not missing.
	 * Else the host has dropped a larger range.
	 */
	if (access == UM_WRITE && pte_young(old) && !pte_dirty(old))
		um_tlb_add(mm, page, 1);
	else
		add_window(mm, page);
	return 0;
}

/* Applying. */

static struct tlb_batch *get_batch(struct mm_struct *mm)
{
	struct tlb_batch *batch = get_cpu_ptr(&tlb_batch);

	batch->mm = mm;
	batch->nr = 0;
	batch->lazy = false;
	return batch;
}

static void put_batch(void)
{
	put_cpu_ptr(&tlb_batch);
}

static int batch_apply(struct tlb_batch *batch)
{
	int err = 0;

	if (batch->nr)
		err = host_usermode->map(batch->mm->context.host, batch->ops, batch->nr);
	batch->nr = 0;
	return err;
}

static int batch_add(struct tlb_batch *batch, enum um_map_kind kind, const struct um_run *run)
{
	int err = 0;

	/* Nothing of the guest's is normally where the patches jump through. */
	if (unlikely(kind != UM_UNMAP && run->start < UM_PATCH_TABLE_END &&
		     run->end > UM_PATCH_TABLE && !batch->mm->context.no_texts))
		text_shadow_give_up(batch->mm);
	if (batch->nr == TLB_BATCH)
		err = batch_apply(batch);
	batch->ops[batch->nr++] = (struct um_map_op) {
		.kind = kind,
		.prot = run->prot,
		.lazy = batch->lazy,
		.addr = run->start,
		.len = run->end - run->start,
		.offset = run->offset,
	};
	return err;
}

static int sync_unmap(struct tlb_batch *batch, unsigned long start, unsigned long end)
{
	struct um_run run = { .start = start, .end = end };

	return batch_add(batch, UM_UNMAP, &run);
}

/* Make the host's view of a range right, by mapping it anew or dropping it. */
static int sync_flush(struct tlb_batch *batch, const struct um_tlb_range *range)
{
	unsigned long addr, mapped = 0;
	unsigned int runs = 0;
	struct um_run run;
	int err;

	text_shadow_flushed(batch->mm, range->start, range->end);
	um_walk_run(batch->mm, range->start, range->end, &run);
	if (run.end == range->end)
		return batch_add(batch, run.prot ? UM_MAP : UM_UNMAP, &run);

	err = sync_unmap(batch, range->start, range->end);
	for (addr = run.end; !err; addr = run.end) {
		if (run.prot) {
			mapped += run.end - run.start;
			if (++runs > TLB_EAGER_RUNS || mapped > TLB_EAGER_SIZE)
				return sync_unmap(batch, range->start, range->end);
			err = batch_add(batch, UM_MAP, &run);
		}
		if (addr >= range->end)
			break;
		um_walk_run(batch->mm, addr, range->end, &run);
	}
	return err;
}

/* Map what is accessible in a range and leave the rest alone. */
static int sync_add(struct tlb_batch *batch, const struct um_tlb_range *range)
{
	unsigned long addr, end = min(range->end, TASK_SIZE);
	struct um_run run;
	int err = 0;

	for (addr = range->start; addr < end && !err; addr = run.end) {
		um_walk_run(batch->mm, addr, end, &run);
		if (run.prot)
			err = batch_add(batch, UM_ADD, &run);
	}
	return err;
}

/* Another page than before, which is kept until the host has this one. */
static int sync_replaced(struct tlb_batch *batch, unsigned long addr)
{
	struct um_run run;

	text_shadow_flushed(batch->mm, addr, addr + PAGE_SIZE);
	um_walk_run(batch->mm, addr, addr + PAGE_SIZE, &run);
	return batch_add(batch, run.prot ? UM_REPLACE : UM_UNMAP, &run);
}

/*
 * The host ran out of something, most likely of mappings for one process.
 * Start over with the one page that is needed to make progress.
 */
static int sync_pruned(struct tlb_batch *batch)
{
	struct um_tlb_range page = {
		.start = batch->mm->context.fault_page,
		.end = batch->mm->context.fault_page + PAGE_SIZE,
	};
	int err;

	batch->nr = 0;
	text_shadow_flushed(batch->mm, 0, TASK_SIZE);
	err = sync_unmap(batch, 0, TASK_SIZE);
	if (!err)
		err = batch_apply(batch);
	if (!err)
		err = sync_add(batch, &page);
	if (!err)
		err = batch_apply(batch);
	return err;
}

bool um_tlb_pending(struct mm_struct *mm)
{
	mm_context_t *ctx = &mm->context;

	return !ctx->host || ctx->nr_ranges || ctx->nr_adds || ctx->nr_kept != ctx->nr_sent;
}

/*
 * Apply what is recorded. Without additions if the caller may be in the middle
 * of changing the tables: they come later, on the way to guest code.
 */
static int apply(struct mm_struct *mm, bool with_adds)
{
	struct um_tlb_range ranges[UM_TLB_RANGES], adds[UM_TLB_ADDS];
	unsigned long kept[UM_TLB_KEPT];
	unsigned int i, nr_ranges, nr_kept = 0, nr_adds = 0;
	mm_context_t *ctx = &mm->context;
	struct tlb_batch *batch;
	unsigned long flags;
	int err = 0;

	batch = get_batch(mm);

	spin_lock_irqsave(&ctx->lock, flags);
	nr_ranges = ctx->nr_ranges;
	memcpy(ranges, ctx->ranges, nr_ranges * sizeof(ranges[0]));
	ctx->nr_ranges = 0;
	for (i = ctx->nr_sent; i < ctx->nr_kept; i++)
		kept[nr_kept++] = ctx->kept[i].addr;
	ctx->nr_sent = ctx->nr_kept;
	if (with_adds) {
		nr_adds = ctx->nr_adds;
		memcpy(adds, ctx->adds, nr_adds * sizeof(adds[0]));
		ctx->nr_adds = 0;
		ctx->next_add = 0;
	}
	spin_unlock_irqrestore(&ctx->lock, flags);

	for (i = 0; i < nr_ranges && !err; i++)
		err = sync_flush(batch, &ranges[i]);
	/* By themselves additions and replacements may be done on the way. */
	if (!err && nr_ranges && (nr_adds || nr_kept))
		err = batch_apply(batch);
	for (i = 0; i < nr_kept && !err; i++)
		err = sync_replaced(batch, kept[i]);
	for (i = 0; i < nr_adds && !err; i++)
		err = sync_add(batch, &adds[i]);
	if (!err)
		err = batch_apply(batch);
	if (err == -ENOMEM)
		err = sync_pruned(batch);
	/* The host's state is unknown now: it must not run any more. */
	if (err) {
		host_usermode->abandon(ctx->host);
		ctx->dead = true;
	}
	put_batch();
	return err;
}

/* Pages were write-protected, and nothing else. */
static int sync_protected(struct tlb_batch *batch)
{
	struct um_run run;
	int err = 0;

	for (run.end = 0; run.end < TASK_SIZE && !err; ) {
		um_walk_run(batch->mm, run.end, TASK_SIZE, &run);
		if (run.prot && run.protected)
			err = batch_add(batch, UM_MAP, &run);
	}
	return err;
}

void um_tlb_forked(struct mm_struct *mm)
{
	struct tlb_batch *batch;
	int err;

	if (!host_usermode->eager || !READ_ONCE(mm->context.host) || mm->context.dead)
		return;
	batch = get_batch(mm);
	err = sync_protected(batch);
	if (!err)
		err = batch_apply(batch);
	/* Otherwise all of it is dropped. */
	if (!err) {
		forked.task = current;
		forked.mm = mm;
	}
	put_batch();
}

/*
 * A child of fork() or a new program: what it has, up to a point. It will not need
 * all of that, so nothing is filled; but where it begins that is certain.
 */
static void map_first(struct mm_struct *mm)
{
	struct um_run run = { };
	struct tlb_batch *batch;
	unsigned int nr = 0;

	batch = get_batch(mm);
	batch->lazy = true;
	while (run.end < TASK_SIZE && nr < TLB_FIRST_RUNS) {
		um_walk_run(mm, run.end, TASK_SIZE, &run);
		if (run.prot && !batch_add(batch, UM_ADD, &run))
			nr++;
	}
	/* A hint: what fails here will be missed and tried again. */
	batch_apply(batch);
	put_batch();
	add_window(mm, instruction_pointer(current_pt_regs()));
	add_window(mm, user_stack_pointer(current_pt_regs()));
}

/* The first run of an address space. */
static int adopt_host(struct mm_struct *mm)
{
	mm_context_t *ctx = &mm->context;
	int err = um_tlb_reserve(mm);

	if (err)
		return err;
	ctx->host = ctx->reserved;
	ctx->reserved = NULL;
	map_first(mm);
	return 0;
}

int um_tlb_sync(struct mm_struct *mm)
{
	mm_context_t *ctx = &mm->context;
	int err = 0;

	if (ctx->dead)
		return -EIO;
	/* Who traces sees every instruction as it is. */
	if (unlikely(current->ptrace) && !ctx->no_texts)
		text_shadow_give_up(mm);
	if (!um_tlb_pending(mm))
		return 0;
	if (!ctx->host)
		err = adopt_host(mm);
	/* Walking the tables may have found shadows that are out of date. */
	while (!err && um_tlb_pending(mm))
		err = apply(mm, true);
	return err;
}

/* Life and death. */

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
	ctx->nr_adds = 0;
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
