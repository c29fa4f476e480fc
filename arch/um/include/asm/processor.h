/* SPDX-License-Identifier: GPL-2.0 */
/* What the architecture keeps per task, and the shape of user addresses. */
#ifndef __ASM_UM_PROCESSOR_H
#define __ASM_UM_PROCESSOR_H

#include <asm/ptrace.h>
#include <asm/vdso/processor.h>
#include <host/layout.h>
#include <linux/math.h>

struct task_struct;
struct mm_struct;

/**
 * struct thread_struct - per-task state of the architecture
 * @sp: kernel stack pointer while the task does not run
 * @fp: extended state (host_cpu.fp_size bytes, standard XSAVE format). It is
 *	the truth unless mm->context.fp_owner is this task: then the runner
 *	holds newer values, see asm/fpstate.h
 * @trap_nr: vector of the last user-mode exception, for signal frames
 * @error_code: its error code
 * @cr2: its address
 * @debugreg: debug registers set by a tracer (0-3 addresses, 6 status, 7 control)
 * @in_fault: handles a page fault of its guest code, or of its own on its behalf
 * @in_prefault: makes pages accessible in advance, see mm/prefault.c
 * @run_error: why the runner could not be prepared (0: it was)
 * @kernel_fn: body of a kernel thread, NULL for user tasks
 * @kernel_arg: its argument
 */
struct thread_struct {
	unsigned long sp;
	void *fp;
	unsigned long trap_nr;
	unsigned long error_code;
	unsigned long cr2;
	unsigned long debugreg[8];
	bool in_fault;
	bool in_prefault;
	int run_error;
	int (*kernel_fn)(void *arg);
	void *kernel_arg;
};

#define INIT_THREAD { }

#define TASK_SIZE		UM_STUB_START
#define TASK_SIZE_MAX		TASK_SIZE
#define STACK_TOP		TASK_SIZE
#define STACK_TOP_MAX		STACK_TOP
#define TASK_UNMAPPED_BASE	PAGE_ALIGN(TASK_SIZE / 3)

#define task_pt_regs(t) \
	((struct pt_regs *)(task_stack_page(t) + THREAD_SIZE - 16) - 1)

#define KSTK_EIP(t)	(task_pt_regs(t)->ip)
#define KSTK_ESP(t)	(task_pt_regs(t)->sp)

void start_thread(struct pt_regs *regs, unsigned long ip, unsigned long sp);
unsigned long arch_align_stack(unsigned long sp);
unsigned long __get_wchan(struct task_struct *p);

#define ARCH_HAS_PREFETCH
#define ARCH_HAS_PREFETCHW
#define prefetch(x)	__builtin_prefetch(x)
#define prefetchw(x)	__builtin_prefetch(x, 1)

/* /proc/cpuinfo: arch/x86/um/cpuinfo.c */
extern const struct seq_operations cpuinfo_op;

#endif
