// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel mappings: vmalloc, stacks, modules.
 *
 * The kernel process has no lazily filled TLB: a fault on a kernel stack could
 * not be served. So new entries of init_mm's page tables are mapped on the host
 * at once (flush_cache_vmap()). Removed ones stay mapped until the generic code
 * flushes, which it does in large batches before it uses the addresses again
 * (flush_tlb_kernel_range()); such a batch spans mappings that are in use, so
 * only what the tables say is absent gets unmapped.
 *
 * The lock covers reading the tables and changing the host. Without it an
 * unmapping could hit what was mapped since the tables were read.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/spinlock.h>
#include <asm/cacheflush.h>
#include <asm/tlbflush.h>
#include <host/memory.h>
#include "walk.h"

static DEFINE_RAW_SPINLOCK(kmap_lock);

int um_kmap_sync(unsigned long start, unsigned long end, bool protect)
{
	unsigned long flags;
	struct um_run run;
	int err = 0;

	raw_spin_lock_irqsave(&kmap_lock, flags);
	for (; start < end && !err; start = run.end) {
		um_walk_run(&init_mm, start, end, &run);
		if (!run.prot)
			continue;
		if (protect)
			err = host_protect_kernel(run.start, run.end - run.start, run.prot);
		else
			err = host_map_kernel(run.start, run.end - run.start, run.offset,
					      run.prot);
	}
	raw_spin_unlock_irqrestore(&kmap_lock, flags);
	return err;
}

void flush_cache_vmap(unsigned long start, unsigned long end)
{
	int err = um_kmap_sync(start & PAGE_MASK, PAGE_ALIGN(end), false);

	if (err)
		panic("The host refuses to map kernel memory (error %d); raise its vm.max_map_count",
		      err);
}

static void unmap_absent(unsigned long start, unsigned long end)
{
	unsigned long flags;
	struct um_run run;

	raw_spin_lock_irqsave(&kmap_lock, flags);
	for (; start < end; start = run.end) {
		um_walk_run(&init_mm, start, end, &run);
		if (!run.prot)
			host_unmap_kernel(run.start, run.end - run.start);
	}
	raw_spin_unlock_irqrestore(&kmap_lock, flags);
}

void flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	unsigned long lo, hi;

	start &= PAGE_MASK;
	end = PAGE_ALIGN(end);

	/* The generic code may merge flushes of both areas into one. */
	lo = max(start, MODULES_VADDR);
	hi = min(end, MODULES_END);
	if (lo < hi)
		unmap_absent(lo, hi);
	lo = max(start, VMALLOC_START);
	hi = min(end, VMALLOC_END);
	if (lo < hi)
		unmap_absent(lo, hi);
}

void flush_tlb_all(void)
{
	flush_tlb_kernel_range(MODULES_VADDR, VMALLOC_END);
}

/*
 * Huge entries are never made: what contiguous pages gain, they gain on the
 * host (asm/vmalloc.h). The generic code asks nevertheless.
 */
int pud_set_huge(pud_t *pud, phys_addr_t addr, pgprot_t prot)
{
	return 0;
}

int pmd_set_huge(pmd_t *pmd, phys_addr_t addr, pgprot_t prot)
{
	return 0;
}

int pud_clear_huge(pud_t *pud)
{
	return 0;
}

int pmd_clear_huge(pmd_t *pmd)
{
	return 0;
}

int p4d_free_pud_page(p4d_t *p4d, unsigned long addr)
{
	return 0;
}

int pud_free_pmd_page(pud_t *pud, unsigned long addr)
{
	return 0;
}

int pmd_free_pte_page(pmd_t *pmd, unsigned long addr)
{
	return 0;
}
