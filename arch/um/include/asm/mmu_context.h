/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address spaces come and go; switching to one costs nothing here, the run
 * loop picks the backend's address space by current->mm.
 */
#ifndef __ASM_UM_MMU_CONTEXT_H
#define __ASM_UM_MMU_CONTEXT_H

#include <linux/mm_types.h>
#include <linux/sched.h>
#include <asm/debugreg.h>
#include <asm/fpstate.h>

/**
 * um_tlb_init() - start with no host side
 * @mm: new address space; may be a copy of its parent's
 */
void um_tlb_init(struct mm_struct *mm);

/**
 * um_tlb_reserve() - make sure that the address space can run
 * @mm: new address space, after um_tlb_init()
 *
 * Makes its host process, so that a limit of the host is an error of fork()
 * or exec() and not the death of the new program. Task context. Returns 0 or
 * a negative errno.
 */
int um_tlb_reserve(struct mm_struct *mm);

/**
 * um_tlb_destroy() - drop the host side
 * @mm: an address space that never runs again. Task context.
 */
void um_tlb_destroy(struct mm_struct *mm);

/**
 * um_tlb_put_kept() - let go of pages that were kept for the host (mm/cow.c)
 * @mm: their address space
 * @all: also those that the backend has not been told of: it has lost @mm
 */
void um_tlb_put_kept(struct mm_struct *mm, bool all);

/**
 * um_tlb_tell_parent() - a child of fork() ends, or executes a program (mm/cow.c)
 * @task: the child
 * @mm: the address space it had until now
 *
 * What it wrote in shared pages may be copied at once for the next. Task context.
 */
void um_tlb_tell_parent(struct task_struct *task, struct mm_struct *mm);

/**
 * um_tlb_release() - guest code has been running
 *
 * What current's address space had to have mapped by then is mapped. Called
 * after resume() and wait() succeeded, in the kernel's context, and before
 * interrupts are enabled: what others send from then on waits for the next run.
 */
static inline void um_tlb_release(void)
{
	if (unlikely(current->mm->context.nr_sent))
		um_tlb_put_kept(current->mm, false);
}

/**
 * um_tlb_send_again() - guest code may not have been running
 *
 * As um_tlb_release(), if wait() can't tell: pages stay kept, and the backend is
 * told of them once more before the next run. If it has failed, it says so then.
 */
static inline void um_tlb_send_again(void)
{
	WRITE_ONCE(current->mm->context.nr_sent, 0);
}

#define init_new_context init_new_context
static inline int init_new_context(struct task_struct *task, struct mm_struct *mm)
{
	um_tlb_init(mm);
	return um_tlb_reserve(mm);
}

#define destroy_context destroy_context
static inline void destroy_context(struct mm_struct *mm)
{
	um_tlb_destroy(mm);
}

static inline void switch_mm(struct mm_struct *prev, struct mm_struct *next,
			     struct task_struct *task)
{
}

#define activate_mm activate_mm
static inline void activate_mm(struct mm_struct *prev, struct mm_struct *next)
{
}

#define deactivate_mm deactivate_mm
static inline void deactivate_mm(struct task_struct *task, struct mm_struct *mm)
{
	if (!mm)
		return;
	um_tlb_tell_parent(task, mm);
	fpstate_forget(task, mm);
	debugreg_forget(task, mm);
}

/**
 * um_tlb_forked() - all that is shared by copy-on-write is write-protected now
 * @mm: the parent's address space; flush_tlb_mm() follows
 */
void um_tlb_forked(struct mm_struct *mm);

static inline int arch_dup_mmap(struct mm_struct *oldmm, struct mm_struct *mm)
{
	um_tlb_forked(oldmm);
	return 0;
}

/* The host process goes first: no need to unmap page by page. */
static inline void arch_exit_mmap(struct mm_struct *mm)
{
	um_tlb_destroy(mm);
}

static inline bool arch_vma_access_permitted(struct vm_area_struct *vma, bool write,
					     bool execute, bool foreign)
{
	return true;
}

#include <asm-generic/mmu_context.h>

#endif
