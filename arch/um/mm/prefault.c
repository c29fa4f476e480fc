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
 * - after a first write: what follows in the same window, if it is as untouched,
 *   as a large folio would have done. MADV_NOHUGEPAGE turns that off.
 *
 * Only what costs no more than memory: pages of files have to be cached, and when
 * memory is short nothing is done at all.
 */
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
#define DATA_MAX	SZ_128K
/* What one fault maps of a file, see fault_around_bytes. */
#define TEXT_STEP	SZ_1M

/* Cached files that nobody has used twice are as good as free. */
static bool memory_is_short(void)
{
	return global_zone_page_state(NR_FREE_PAGES) + global_node_page_state(NR_INACTIVE_FILE) <
	       totalram_pages() / 16;
}

static bool may_prefault(struct vm_area_struct *vma)
{
	return !(vma->vm_flags & (VM_IO | VM_PFNMAP | VM_MIXEDMAP | VM_HUGETLB | VM_RAND_READ)) &&
	       vma_is_accessible(vma) && !userfaultfd_armed(vma);
}

static bool is_cached(struct vm_area_struct *vma, unsigned long addr)
{
	pgoff_t index = linear_page_index(vma, addr);
	void *entry = xa_load(&vma->vm_file->f_mapping->i_pages, index);

	return entry && !xa_is_value(entry);
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

static pte_t look(struct mm_struct *mm, unsigned long addr)
{
	pte_t pte;

	preempt_disable();
	pte = um_walk(mm, addr);
	preempt_enable();
	return pte;
}

/* A page that nobody has written yet, and that the first write will copy or clear. */
static bool is_untouched(struct vm_area_struct *vma, unsigned long addr)
{
	pte_t pte = look(vma->vm_mm, addr);

	if (vma->vm_file && !is_cached(vma, addr))
		return false;
	if (pte_none(pte))
		return true;
	return vma->vm_file && pte_present(pte) && !pte_write(pte) &&
	       um_pfn_is_ram(pte_pfn(pte)) && !PageAnon(pte_page(pte));
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

static bool for_reading(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	unsigned int flags = vma->vm_flags & VM_EXEC ? FAULT_FLAG_INSTRUCTION : 0;
	unsigned long addr, next;

	end = min(end, start + TEXT_MAX);
	for (addr = start; addr < end; addr = next) {
		next = min(addr + TEXT_STEP, end);
		addr = first_cached(vma, addr, next);
		if (addr < next && is_cached(vma, addr) && pte_none(look(vma->vm_mm, addr)) &&
		    !fault_in(vma, addr, flags))
			return false;
	}
	return true;
}

static bool for_writing(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	unsigned long addr;

	end = min(end, start + DATA_MAX);
	for (addr = start; addr < end; addr += PAGE_SIZE)
		if (is_untouched(vma, addr) && !fault_in(vma, addr, FAULT_FLAG_WRITE))
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

	if (memory_is_short() || !mmap_read_trylock(mm))
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

	if (memory_is_short() || !mmap_read_trylock(mm))
		return;
	vma = vma_lookup(mm, ip);
	if (vma && vma->vm_file && !(vma->vm_flags & VM_WRITE) && may_prefault(vma))
		for_reading(vma, vma->vm_start, vma->vm_end);
	mmap_read_unlock(mm);
}

/*
 * Is it the kind of mapping that a loader makes? Not any anonymous memory: who
 * registers that with userfaultfd wants to be told of its first use.
 */
static bool is_loaders(struct vm_area_struct *vma, unsigned long start, bool fixed)
{
	struct vm_area_struct *before;

	if (vma->vm_file)
		return fixed || vma->vm_flags & (VM_EXEC | VM_WRITE);
	before = fixed && start ? vma_lookup(vma->vm_mm, start - 1) : NULL;
	return before && before->vm_file && before->vm_flags & VM_WRITE;
}

void um_prefault_mapped(unsigned long start, unsigned long len, bool fixed)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	if (memory_is_short() || !mmap_read_trylock(mm))
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

	/* A page of a file that was copied would not follow the file any more. */
	if (next < end && !vma->vm_file && !(vma->vm_flags & (VM_SHARED | VM_NOHUGEPAGE)) &&
	    may_prefault(vma) && !memory_is_short())
		for_writing(vma, next, end);
}
