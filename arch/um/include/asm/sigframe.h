/* SPDX-License-Identifier: GPL-2.0 */
/* The frame a signal handler of a 64-bit program finds on its stack. */
#ifndef __ASM_UM_SIGFRAME_H
#define __ASM_UM_SIGFRAME_H

#include <linux/signal.h>
#include <linux/stddef.h>
#include <asm/siginfo.h>
#include <asm/ucontext.h>

/**
 * struct rt_sigframe - ABI: stack pointer at the handler's first instruction
 * @pretcode: return address of the handler, that is sa_restorer
 * @uc: registers, mask and alternate stack to return to
 * @info: why
 *
 * The extended state lies above, at uc.uc_mcontext.fpstate, 64-byte aligned.
 */
struct rt_sigframe {
	char __user *pretcode;
	struct ucontext uc;
	struct siginfo info;
};

/* What compilers, unwinders and debuggers of x86-64 know by heart. */
static_assert(offsetof(struct rt_sigframe, uc) == 8);
static_assert(offsetof(struct rt_sigframe, uc.uc_mcontext) == 48);
static_assert(offsetof(struct rt_sigframe, uc.uc_sigmask) == 304);
static_assert(offsetof(struct rt_sigframe, info) == 312);
static_assert(sizeof(struct rt_sigframe) == 440);

#endif
