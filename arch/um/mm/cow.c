// SPDX-License-Identifier: GPL-2.0
/*
 * Replacing a page of a running guest in one step.
 *
 * A write to a page that is shared by copy-on-write takes the old page away
 * (ptep_clear_flush()) and puts the copy there. If the host may have guest code
 * running all the while (um_backend.eager), the first step has to wait until the
 * host has done it, because the old page may be given to somebody else at once;
 * and the second is another order. Instead the old page is kept: then nothing is
 * wrong with the host's mapping but that it is out of date, and one order
 * replaces it, on the way to guest code. When the guest has come back from
 * there, however long that takes, the order is done, and the page is let go
 * (um_tlb_release()).
 *
 * Only for faults of the task itself, also those of the kernel when it writes to
 * the task's memory: everybody else who takes a page away wants its last reference.
 *
 * And doing without: the pages that a process wrote after its last fork() are
 * copied by the next one, as the generic code does for pages that are pinned, and
 * not shared at all. That is two faults less for each.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <asm/memory.h>
#include <asm/mmu_context.h>
#include <asm/tlbflush.h>
#include <host/usermode.h>

static unsigned long hot_bit(unsigned long addr)
{
	return BIT(hash_long(addr >> PAGE_SHIFT, 6));
}

/*
 * What a process or its child writes after fork() they will most likely write after
 * the next: that is to be copied at once.
 */
static void add_hot(mm_context_t *ctx, unsigned long addr)
{
	unsigned int i;

	for (i = 0; i < UM_TLB_HOT; i++)
		if (ctx->hot[i] == addr)
			return;
	ctx->hot[ctx->next_hot] = addr;
	ctx->next_hot = (ctx->next_hot + 1) % UM_TLB_HOT;
	ctx->hot_bits = 0;
	for (i = 0; i < UM_TLB_HOT; i++)
		ctx->hot_bits |= hot_bit(ctx->hot[i]);
}

void um_tlb_hot(struct mm_struct *mm, unsigned long addr)
{
	if (current->thread.in_fault && current->mm == mm)
		add_hot(&mm->context, addr & PAGE_MASK);
}

void um_tlb_tell_parent(struct task_struct *task, struct mm_struct *mm)
{
	struct task_struct *parent;
	unsigned int i;

	rcu_read_lock();
	parent = rcu_dereference(task->real_parent);
	task_lock(parent);
	/* The same program: then it is a child of fork(). */
	if (parent->mm && parent->mm != mm && parent->mm->start_code == mm->start_code &&
	    rcu_access_pointer(parent->mm->exe_file) == rcu_access_pointer(mm->exe_file))
		for (i = 0; i < UM_TLB_HOT; i++)
			if (mm->context.hot[i])
				add_hot(&parent->mm->context, mm->context.hot[i]);
	task_unlock(parent);
	rcu_read_unlock();
}

unsigned int arch_fork_share(struct vm_area_struct *vma, unsigned long addr, unsigned int nr)
{
	mm_context_t *ctx = &vma->vm_mm->context;
	unsigned int i;

	if (nr == 1 && !(ctx->hot_bits & hot_bit(addr)))
		return 1;
	for (i = 0; i < UM_TLB_HOT; i++)
		if (ctx->hot[i] >= addr && ctx->hot[i] - addr < nr * PAGE_SIZE)
			nr = (ctx->hot[i] - addr) / PAGE_SIZE;
	return nr;
}

static bool keep(struct mm_struct *mm, unsigned long addr, pte_t pte)
{
	mm_context_t *ctx = &mm->context;
	struct page *page = NULL;
	unsigned long flags;
	bool kept = false;

	if (!current->thread.in_fault || current->mm != mm || !host_usermode->eager ||
	    !READ_ONCE(ctx->host) || current->flags & PF_MEMALLOC || !um_pfn_is_ram(pte_pfn(pte)))
		return false;

	/* The zero page is nobody else's ever. */
	if (!is_zero_pfn(pte_pfn(pte)))
		page = pte_page(pte);
	spin_lock_irqsave(&ctx->lock, flags);
	if (ctx->nr_kept < UM_TLB_KEPT) {
		if (page)
			get_page(page);
		ctx->kept[ctx->nr_kept++] = (struct um_tlb_kept){ addr & PAGE_MASK, page };
		kept = true;
	}
	spin_unlock_irqrestore(&ctx->lock, flags);
	return kept;
}

/**
 * ptep_clear_flush() - take a page out of an address space
 * @vma: where it is mapped
 * @addr: its address
 * @ptep: its entry; the page table lock is held
 *
 * Returns the old entry. When this returns, guest code can't reach the page any
 * more, or it won't be freed before that.
 */
pte_t ptep_clear_flush(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep)
{
	struct mm_struct *mm = vma->vm_mm;
	pte_t pte = ptep_get_and_clear(mm, addr, ptep);

	um_tlb_hot(mm, addr);
	if (pte_accessible(mm, pte) && !keep(mm, addr, pte))
		flush_tlb_page(vma, addr);
	return pte;
}

void um_tlb_put_kept(struct mm_struct *mm, bool all)
{
	struct um_tlb_kept kept[UM_TLB_KEPT];
	mm_context_t *ctx = &mm->context;
	unsigned int i, nr;
	unsigned long flags;

	spin_lock_irqsave(&ctx->lock, flags);
	nr = all ? ctx->nr_kept : ctx->nr_sent;
	memcpy(kept, ctx->kept, nr * sizeof(kept[0]));
	ctx->nr_kept -= nr;
	memmove(ctx->kept, ctx->kept + nr, ctx->nr_kept * sizeof(kept[0]));
	ctx->nr_sent = 0;
	spin_unlock_irqrestore(&ctx->lock, flags);

	for (i = 0; i < nr; i++)
		if (kept[i].page)
			put_page(kept[i].page);
}
