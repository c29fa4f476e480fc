// SPDX-License-Identifier: GPL-2.0
/*
 * Making pages accessible before guest code asks for them.
 *
 * A fault of guest code is a trip through three host processes and costs as much
 * as twenty to forty faults that the kernel half makes by itself. So what will be
 * needed with near certainty is made accessible beforehand, and mapped with the
 * next order that has to be given anyway (in_prefault, see tlb.c):
 *
 * - a new program: its text, the data it will relocate and initialise, the top of
 *   its stack;
 * - a library that is being mapped: the same;
 * - a child of fork(), which has its parent's data but not its text: where it goes
 *   on;
 * - after a first write to anonymous memory: what follows in the same window, where
 *   a large folio of that size would be taken if there was room.
 *
 * Only what costs no more than memory: pages of files have to be cached, and when
 * memory is short, or what a cgroup may have of it, nothing is done at all.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/mmzone.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/userfaultfd_k.h>
#include <linux/vmstat.h>
#include <asm/memory.h>
#include <asm/prefault.h>
#include "tlb.h"
#include "walk.h"

/* Of a mapping this much is prepared for reading, so much for writing. */
#define TEXT_MAX	SZ_1M
#define DATA_MAX	SZ_256K

/* So many pages are laid out in a row. */
#define ROW_ORDER	4

/* What a cgroup may take until its limit is less than this, in pages. */
#define MEMCG_SHORT	(SZ_1M / PAGE_SIZE)

static bool memcg_is_short(struct mm_struct *mm)
{
	bool is_short = false;
#ifdef CONFIG_MEMCG
	struct mem_cgroup *memcg;

	rcu_read_lock();
	memcg = mem_cgroup_from_task(rcu_dereference(mm->owner));
	for (; memcg; memcg = parent_mem_cgroup(memcg))
		is_short |= page_counter_read(&memcg->memory) + MEMCG_SHORT >
			    READ_ONCE(memcg->memory.max);
	rcu_read_unlock();
#endif
	return is_short;
}

/* Cached files that nobody has used twice are as good as free. */
static bool memory_is_short(struct mm_struct *mm)
{
	return global_zone_page_state(NR_FREE_PAGES) + global_node_page_state(NR_INACTIVE_FILE) <
	       totalram_pages() / 16 || memcg_is_short(mm);
}

static bool may_prefault(struct vm_area_struct *vma)
{
	return !(vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP | VM_HUGETLB | VM_RAND_READ)) &&
	       vma_is_accessible(vma) && !userfaultfd_armed(vma);
}

/* And to be mapped without reading it first. */
static bool is_cached(struct vm_area_struct *vma, unsigned long addr)
{
	void *entry;
	bool cached;

	rcu_read_lock();
	entry = xa_load(&vma->vm_file->f_mapping->i_pages, linear_page_index(vma, addr));
	cached = entry && !xa_is_value(entry) && folio_test_uptodate(entry);
	rcu_read_unlock();
	return cached;
}

/* Returns false when it is better to stop. */
static bool fault_in(struct vm_area_struct *vma, unsigned long addr, unsigned int flags)
{
	vm_fault_t fault;

	flags |= FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_RETRY_NOWAIT;
	current->thread.in_prefault = true;
	fault = handle_mm_fault(vma, addr, flags, NULL);
	current->thread.in_prefault = false;
	return !(fault & (VM_FAULT_ERROR | VM_FAULT_RETRY | VM_FAULT_COMPLETED));
}

static bool is_missing(struct mm_struct *mm, unsigned long addr)
{
	bool missing;

	preempt_disable();
	missing = pte_none(um_walk(mm, addr));
	preempt_enable();
	return missing;
}

/* The first page of a range that is in the page cache, or its end. */
static unsigned long first_cached(struct vm_area_struct *vma, unsigned long start,
				  unsigned long end)
{
	unsigned long index = linear_page_index(vma, start);

	if (!xa_find(&vma->vm_file->f_mapping->i_pages, &index,
		     linear_page_index(vma, end - 1), XA_PRESENT))
		return end;
	return start + ((index - linear_page_index(vma, start)) << PAGE_SHIFT);
}

/* One fault maps as much of a file, see fault_around_bytes. */
static bool for_reading(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	unsigned int flags = vma->vm_flags & VM_EXEC ? FAULT_FLAG_INSTRUCTION : 0;
	unsigned long addr;

	end = min(end, start + TEXT_MAX);
	addr = first_cached(vma, start, end);
	return addr == end || !is_cached(vma, addr) || !is_missing(vma->vm_mm, addr) ||
	       fault_in(vma, addr, flags);
}

/*
 * A host mapping holds pages that are next to each other in memory. Those that are
 * allocated one by one are what was freed last, here and there; so let that be a row.
 */
static void free_a_row(unsigned int nr)
{
	unsigned int order = min_t(unsigned int, order_base_2(nr), ROW_ORDER);
	struct page *row;

	/* Not if pages are cleared each time that they change hands. */
	if (nr < 2 || want_init_on_alloc(0) || want_init_on_free())
		return;
	row = alloc_pages((GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_NORETRY) &
			  ~__GFP_RECLAIM, order);
	if (!row)
		return;
	split_page(row, order);
	for (nr = 1 << order; nr--; )
		__free_page(row + nr);
}

static bool for_writing(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	unsigned long addr;

	end = min(end, start + DATA_MAX);
	free_a_row((end - start) / PAGE_SIZE);
	for (addr = start; addr < end; addr += PAGE_SIZE)
		if (is_missing(vma->vm_mm, addr) && (!vma->vm_file || is_cached(vma, addr)) &&
		    !fault_in(vma, addr, FAULT_FLAG_WRITE))
			return false;
	return true;
}

/* A part of a mapping that a loader makes. */
static bool prefault_part(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	if (!may_prefault(vma) || vma->vm_flags & VM_SHARED)
		return true;
	if (vma->vm_flags & VM_WRITE)
		return for_writing(vma, start, end);
	if (vma->vm_file)
		return for_reading(vma, start, end);
	/* The vDSO. */
	return !(vma->vm_flags & VM_EXEC) || fault_in(vma, start, 0);
}

void um_prefault_program(unsigned long sp)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);

	if (memory_is_short(mm) || !mmap_read_trylock(mm))
		return;
	for_each_vma(vmi, vma) {
		/* The stack is used from its end. */
		if (vma->vm_start <= sp && sp < vma->vm_end) {
			if (sp - vma->vm_start >= PAGE_SIZE)
				fault_in(vma, sp - PAGE_SIZE, FAULT_FLAG_WRITE);
		} else if (!prefault_part(vma, vma->vm_start, vma->vm_end)) {
			break;
		}
	}
	mmap_read_unlock(mm);
}

void um_prefault_child(unsigned long ip)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	if (memory_is_short(mm) || !mmap_read_trylock(mm))
		return;
	vma = vma_lookup(mm, ip);
	if (vma && vma->vm_file && !(vma->vm_flags & VM_WRITE) && may_prefault(vma))
		for_reading(vma, vma->vm_start, vma->vm_end);
	mmap_read_unlock(mm);
}

/*
 * Is it the kind of mapping that a loader makes? Not any memory: who registers that
 * with userfaultfd wants to be told of its first use, and who maps a file may expect
 * to see what is written to it until then.
 */
static bool is_loaders(struct vm_area_struct *vma, unsigned long start, bool fixed)
{
	struct vm_area_struct *before;

	if (vma->vm_file)
		return fixed || vma->vm_flags & VM_EXEC;
	before = fixed && start ? vma_lookup(vma->vm_mm, start - 1) : NULL;
	return before && before->vm_file && before->vm_flags & VM_WRITE;
}

void um_prefault_mapped(unsigned long start, unsigned long len, bool fixed)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	if (memory_is_short(mm) || !mmap_read_trylock(mm))
		return;
	vma = vma_lookup(mm, start);
	if (vma && vma->vm_end - start >= len && is_loaders(vma, start, fixed))
		prefault_part(vma, start, start + len);
	mmap_read_unlock(mm);
}

void um_prefault_next(struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long next = (addr & PAGE_MASK) + PAGE_SIZE;
	unsigned long end = min(ALIGN(next, TLB_WINDOW), vma->vm_end);

	/* As far as folios of that size are wanted. In a small mapping there would be none. */
	if (next < end && vma_is_anonymous(vma) && may_prefault(vma) &&
	    vma->vm_end - vma->vm_start >= TLB_WINDOW &&
	    !(vma->vm_flags & (VM_LOCKONFAULT | VM_MERGEABLE)) &&
	    thp_vma_allowable_order(vma, vma->vm_flags, TVA_IN_PF | TVA_ENFORCE_SYSFS,
				    get_order(TLB_WINDOW)) &&
	    !memory_is_short(vma->vm_mm))
		for_writing(vma, next, end);
}
