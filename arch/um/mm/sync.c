// SPDX-License-Identifier: GPL-2.0
/*
 * The mappings of guest processes: telling the backend what changed (tlb.c).
 *
 * Preemption is disabled from reading the tables until the host has applied the
 * result: another thread could otherwise sync and run guest code in between, and
 * our older view would then replace its newer one.
 *
 * A host mapping costs the same for one page as for many, so pages that are
 * contiguous in the memory file are mapped at once; and if a flushed range
 * would need many mappings, it is only unmapped, and what is still in use
 * comes back by faults, TLB_WINDOW at a time.
 */
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/pgtable.h>
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>
#include <linux/spinlock.h>
#include <asm/fault.h>
#include <asm/mmu_context.h>
#include <asm/text_shadow.h>
#include <asm/tlbflush.h>
#include <host/usermode.h>
#include "tlb.h"
#include "walk.h"

/* What is mapped again after a flush is not more than this in all. */
#define TLB_EAGER_SIZE	(2048 * PAGE_SIZE)
/*
 * Mappings that an address space starts with, beside those it needs at once. Of its
 * own data a child needs little before it executes something else, mostly.
 */
#define TLB_PROGRAM_RUNS	44
#define TLB_CHILD_RUNS		16
#define TLB_BATCH	64
/* Of a range with changed rights the rest is dropped after so many pieces. */
#define TLB_PROTECT_RUNS	512

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

/*
 * Pages that may be mapped already get other rights. For that they need not be next
 * to each other in the memory file.
 */
static int sync_protect(struct tlb_batch *batch, const struct um_tlb_range *range)
{
	struct um_run run, more;
	unsigned long next;
	unsigned int runs = 0;
	int err = 0;

	/* There the host may have something else, see encode_op(). */
	if (range->start < UM_PATCH_TABLE_END && range->end > UM_PATCH_TABLE)
		return sync_flush(batch, range);

	um_walk_run(batch->mm, range->start, range->end, &more);
	do {
		run = more;
		for (next = run.end; next < range->end; next = more.end) {
			um_walk_run(batch->mm, next, range->end, &more);
			if (more.prot != run.prot)
				break;
			run.end = more.end;
			run.offset = UM_SCATTERED;
		}
		if (++runs > TLB_PROTECT_RUNS) {
			text_shadow_flushed(batch->mm, run.start, range->end);
			return sync_unmap(batch, run.start, range->end);
		}
		err = batch_add(batch, UM_PROTECT, &run);
	} while (!err && next < range->end);
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

	return !ctx->host || ctx->nr_ranges || ctx->nr_protects || ctx->urgent ||
	       ctx->nr_kept != ctx->nr_sent;
}

int um_tlb_apply(struct mm_struct *mm, bool with_adds)
{
	struct um_tlb_range ranges[UM_TLB_RANGES], protects[UM_TLB_RANGES], adds[UM_TLB_ADDS];
	unsigned long kept[UM_TLB_KEPT];
	unsigned int i, nr_ranges, nr_protects = 0, nr_kept = 0, nr_adds = 0;
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
		nr_protects = ctx->nr_protects;
		memcpy(protects, ctx->protects, nr_protects * sizeof(protects[0]));
		ctx->nr_protects = 0;
		nr_adds = ctx->nr_adds;
		memcpy(adds, ctx->adds, nr_adds * sizeof(adds[0]));
		ctx->nr_adds = 0;
		ctx->next_add = 0;
		ctx->urgent = false;
	}
	spin_unlock_irqrestore(&ctx->lock, flags);

	for (i = 0; i < nr_ranges && !err; i++)
		err = sync_flush(batch, &ranges[i]);
	/* By themselves the others may be done on the way. */
	if (!err && nr_ranges)
		err = batch_apply(batch);
	/* Not after the next: new rights are not for the old page. */
	for (i = 0; i < nr_kept && !err; i++)
		err = sync_replaced(batch, kept[i]);
	for (i = 0; i < nr_protects && !err; i++)
		err = sync_protect(batch, &protects[i]);
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

static int add_page(struct tlb_batch *batch, unsigned long addr, unsigned long size)
{
	struct um_tlb_range range;

	addr &= ~(size - 1);
	if (addr >= TASK_SIZE)
		return 0;
	range = (struct um_tlb_range){ addr, addr + size };
	return sync_add(batch, &range);
}

/*
 * A child of fork() or a new program: what it has, up to a point, and beyond that
 * where it begins and what it will write. It will not need all of that, so it is not
 * filled; but a mapping that is replaced by a larger one has been made in vain.
 */
static void map_first(struct mm_struct *mm)
{
	mm_context_t *ctx = &mm->context;
	struct pt_regs *regs = current_pt_regs();
	unsigned long stack = user_stack_pointer(regs) & ~(TLB_WINDOW - 1);
	unsigned int i, nr, max = regs->orig_ax == -1 ? TLB_PROGRAM_RUNS : TLB_CHILD_RUNS;
	struct um_run run = { };
	struct tlb_batch *batch;
	int err = 0;

	batch = get_batch(mm);
	batch->lazy = true;
	for (nr = 0; run.end < TASK_SIZE && nr < max && !err; nr += !!run.prot) {
		um_walk_run(mm, run.end, TASK_SIZE, &run);
		if (run.prot)
			err = batch_add(batch, UM_ADD, &run);
	}
	batch->lazy = false;
	if (!err && instruction_pointer(regs) >= run.end)
		err = add_page(batch, instruction_pointer(regs), TLB_WINDOW);
	if (!err && user_stack_pointer(regs) >= run.end)
		err = add_page(batch, stack, TLB_WINDOW);
	for (i = 0; i < UM_TLB_HOT && ctx->hot[i] && !err; i++)
		if (ctx->hot[i] >= run.end && ctx->hot[i] - stack >= TLB_WINDOW)
			err = add_page(batch, ctx->hot[i], PAGE_SIZE);
	/* A hint: what fails here will be missed and tried again. */
	batch_apply(batch);
	put_batch();
	/* All there is has been looked at. */
	ctx->nr_adds = 0;
	ctx->urgent = false;
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
		err = um_tlb_apply(mm, true);
	return err;
}
