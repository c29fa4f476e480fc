/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Extended (x87, SSE, AVX ...) state of user tasks.
 *
 * The kernel half never uses these registers, so a task's state stays in its
 * runner until somebody needs it: another task that runs in the same mm, a
 * signal frame, a tracer, a core dump, fork. mm->context.fp_owner names the
 * task whose state the runner holds; for everybody else thread.fp is the
 * truth.
 */
#ifndef __ASM_UM_FPSTATE_H
#define __ASM_UM_FPSTATE_H

#include <linux/types.h>

struct task_struct;
struct mm_struct;

/** fpstate_size() - bytes of thread.fp, a multiple of 64 */
unsigned int fpstate_size(void);

/**
 * fpstate_features() - the XCR0 bits of components that guests can have
 *
 * All the CPU has but those for which the host demands permission (AMX).
 */
u64 fpstate_features(void);

/**
 * fpstate_frame_size() - bytes of a signal frame's image, without the end mark
 *
 * At most fpstate_size(): components that guests can't have are left out.
 */
unsigned int fpstate_frame_size(void);

/**
 * fpstate_extent() - bytes of an image that holds these components
 * @features: XCR0 bits
 */
unsigned int fpstate_extent(u64 features);

/** fpstate_reset() - set @task's thread.fp to the state a program starts with */
void fpstate_reset(struct task_struct *task);

/** fpstate_init_task() - give a new or freshly executed task the initial state */
void fpstate_init_task(struct task_struct *task);

/** fpstate_dup() - allocate @dst's buffer and copy @src's current state (fork) */
int fpstate_dup(struct task_struct *dst, struct task_struct *src);

/** fpstate_free() - release the buffer of a dead task */
void fpstate_free(struct task_struct *task);

/**
 * fpstate_save() - make thread.fp current
 * @task: current, or a stopped task
 *
 * Leaves the runner's copy in place and valid.
 */
void fpstate_save(struct task_struct *task);

/**
 * fpstate_modify() - thread.fp is going to be changed
 * @task: current, or a stopped task
 *
 * The runner's copy is stale from now on. Call fpstate_save() before, unless
 * the whole state is replaced.
 */
void fpstate_modify(struct task_struct *task);

/** fpstate_prepare_run() - load current's state into its runner if needed */
void fpstate_prepare_run(struct mm_struct *mm);

/** fpstate_forget() - @task leaves @mm (exit, exec): its live state is dropped */
void fpstate_forget(struct task_struct *task, struct mm_struct *mm);

/**
 * fpstate_sanitise() - make an image that came from user space loadable
 * @fp: fpstate_size() bytes
 *
 * Leaves out components that guests can't have and spells out the initial
 * state of x87 and SSE. Returns -EINVAL, as the CPU would, for a reserved bit
 * in mxcsr or in the XSAVE header.
 */
int fpstate_sanitise(void *fp);

#endif
