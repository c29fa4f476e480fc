/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading page tables without locks: shared by user memory access, the fault
 * path and the two users of host mappings.
 */
#ifndef __UM_MM_WALK_H
#define __UM_MM_WALK_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * struct um_run - consecutive pages that one host mapping can represent
 * @start: first address
 * @end: one past the last
 * @prot: HOST_PROT_* rights, 0 for pages that are not to be mapped
 * @offset: place in the memory file, if @prot is not 0
 */
struct um_run {
	unsigned long start;
	unsigned long end;
	int prot;
	unsigned long offset;
};

/* Kinds of access, for um_walk_access(). */
#define UM_READ		1
#define UM_WRITE	2
#define UM_EXEC		4

/**
 * um_walk() - the entry of a page
 * @mm: address space, or &init_mm
 * @addr: address; user addresses below TASK_SIZE_MAX
 *
 * That of a page of a huge one is made up. An empty entry if there is none.
 * Preemption is disabled by the caller for as long as it uses the page.
 */
pte_t um_walk(struct mm_struct *mm, unsigned long addr);

/**
 * um_walk_access() - do what an MMU does for one user access
 * @mm: address space
 * @addr: any user address; others are refused
 * @access: one of UM_READ, UM_WRITE, UM_EXEC
 * @old: set to the entry as found, empty if there is none
 *
 * Checks the rights and sets ACCESSED and DIRTY as needed. Interrupts don't
 * set them and are refused where they would have to make a page dirty.
 * Preemption is disabled by the caller. Returns 0, -EFAULT if the tables don't
 * allow it, -ENXIO if they do but lead to something that is not guest memory.
 */
int um_walk_access(struct mm_struct *mm, unsigned long addr, unsigned int access, pte_t *old);

/**
 * um_walk_run() - the longest run at the start of a range
 * @mm: address space, or &init_mm
 * @start: page-aligned first address
 * @end: page-aligned end of the range, above @start
 * @run: the result
 *
 * Preemption is disabled by the caller. Takes time proportional to the tables
 * present in the run.
 */
void um_walk_run(struct mm_struct *mm, unsigned long start, unsigned long end,
		 struct um_run *run);

/**
 * um_fault_in() - make a user page accessible for the kernel
 * @addr: user address
 * @write: whether it is to be written
 *
 * Sleeps unless page faults are disabled. Returns false if the access is not
 * allowed or can't be served in this context.
 */
bool um_fault_in(unsigned long addr, bool write);

/**
 * um_kmap_sync() - bring host mappings of kernel addresses up to date
 * @start: page-aligned first address
 * @end: page-aligned end
 * @protect: only rights changed
 *
 * Any context. Returns 0 or a negative errno of the host.
 */
int um_kmap_sync(unsigned long start, unsigned long end, bool protect);

#endif
