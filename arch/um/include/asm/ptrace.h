/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Saved registers. The layout is the host's register file (enum um_reg of
 * host/usermode.h and struct user_regs_struct of the x86-64 ABI), so that a
 * guest's registers travel between the backend, the kernel stack and a
 * tracer without translation. Kernel-mode frames have cs == 0.
 */
#ifndef __ASM_UM_PTRACE_H
#define __ASM_UM_PTRACE_H

#include <asm/ptrace-abi.h>

#ifndef __ASSEMBLY__
#include <linux/types.h>
#include <linux/compiler.h>

struct task_struct;

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax;
	unsigned long ip, cs, flags, sp, ss;
	unsigned long fs_base, gs_base;
	unsigned long ds, es, fs, gs;
};

#define MAX_REG_OFFSET	offsetof(struct pt_regs, gs)

#define UM_USER_CS	0x33
#define UM_USER_SS	0x2b

static inline bool user_mode(const struct pt_regs *regs)
{
	return (regs->cs & 3) == 3;
}

static inline unsigned long instruction_pointer(const struct pt_regs *regs)
{
	return regs->ip;
}

static inline void instruction_pointer_set(struct pt_regs *regs, unsigned long ip)
{
	regs->ip = ip;
}

static inline unsigned long user_stack_pointer(const struct pt_regs *regs)
{
	return regs->sp;
}

static inline unsigned long kernel_stack_pointer(const struct pt_regs *regs)
{
	return regs->sp;
}

static inline unsigned long frame_pointer(const struct pt_regs *regs)
{
	return regs->bp;
}

#define GET_FP(regs)		frame_pointer(regs)
#define profile_pc(regs)	instruction_pointer(regs)

static inline long regs_return_value(const struct pt_regs *regs)
{
	return regs->ax;
}

static inline void regs_set_return_value(struct pt_regs *regs, unsigned long rc)
{
	regs->ax = rc;
}

static inline bool regs_irqs_disabled(const struct pt_regs *regs)
{
	/* Kernel code is interrupted only while it accepts interrupts. */
	return false;
}

int regs_query_register_offset(const char *name);
const char *regs_query_register_name(unsigned int offset);
unsigned long regs_get_kernel_stack_nth(struct pt_regs *regs, unsigned int n);

static inline unsigned long regs_get_register(const struct pt_regs *regs, unsigned int offset)
{
	if (unlikely(offset > MAX_REG_OFFSET))
		return 0;
	return *(const unsigned long *)((const char *)regs + offset);
}

static inline unsigned long regs_get_kernel_argument(const struct pt_regs *regs, unsigned int n)
{
	switch (n) {
	case 0: return regs->di;
	case 1: return regs->si;
	case 2: return regs->dx;
	case 3: return regs->cx;
	case 4: return regs->r8;
	case 5: return regs->r9;
	default: return 0;
	}
}

#define arch_has_single_step()	1
#define arch_has_block_step()	0
#define ARCH_HAS_USER_SINGLE_STEP_REPORT

#define current_user_stack_pointer()	user_stack_pointer(current_pt_regs())

#endif /* __ASSEMBLY__ */
#endif
