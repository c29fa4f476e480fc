// SPDX-License-Identifier: GPL-2.0
/*
 * Register sets, as tracers and core dumps see them: general, x87 and SSE,
 * and the whole extended state.
 */
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/fpstate.h>
#include <asm/processor-flags.h>
#include <asm/user.h>
#include <host/usermode.h>
#include "ptrace.h"
#include "signal.h"

static_assert(sizeof(struct pt_regs) == sizeof(struct user_regs_struct));
static_assert(offsetof(struct pt_regs, gs) == offsetof(struct user_regs_struct, gs));

/* Flags that a tracer may change; the others belong to the system. */
#define TRACER_FLAGS							\
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF |	\
	 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF |	\
	 X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_NT)

static bool valid_data_selector(u16 selector)
{
	return selector == 0 || (selector & 3) == 3;
}

unsigned long getreg(struct task_struct *task, unsigned long offset)
{
	return regs_get_register(task_pt_regs(task), offset);
}

int putreg(struct task_struct *task, unsigned long offset, unsigned long value)
{
	struct pt_regs *regs = task_pt_regs(task);

	switch (offset) {
	case offsetof(struct pt_regs, cs):
		/* There are no 32-bit programs to switch to. */
		if ((u16)value != UM_USER_CS)
			return -EIO;
		return 0;
	case offsetof(struct pt_regs, ss):
		if ((u16)value != UM_USER_SS)
			return -EIO;
		return 0;
	case offsetof(struct pt_regs, ds):
	case offsetof(struct pt_regs, es):
	case offsetof(struct pt_regs, fs):
	case offsetof(struct pt_regs, gs):
		value = (u16)value;
		if (!valid_data_selector(value))
			return -EIO;
		break;
	case offsetof(struct pt_regs, flags):
		value = (regs->flags & ~TRACER_FLAGS) | (value & TRACER_FLAGS);
		break;
	case offsetof(struct pt_regs, fs_base):
	case offsetof(struct pt_regs, gs_base):
		if (value >= TASK_SIZE_MAX)
			return -EIO;
		break;
	}

	*(unsigned long *)((void *)regs + offset) = value;
	return 0;
}

static int genregs_get(struct task_struct *target, const struct user_regset *regset,
		       struct membuf to)
{
	return membuf_write(&to, task_pt_regs(target), sizeof(struct pt_regs));
}

static int genregs_set(struct task_struct *target, const struct user_regset *regset,
		       unsigned int pos, unsigned int count,
		       const void *kbuf, const void __user *ubuf)
{
	struct pt_regs new = *task_pt_regs(target);
	unsigned int end = pos + count;
	unsigned int offset;
	int ret;

	offset = pos;
	ret = user_regset_copyin(&pos, &count, &kbuf, &ubuf, &new, 0, sizeof(new));
	for (; !ret && offset < end; offset += sizeof(long))
		ret = putreg(target, offset, regs_get_register(&new, offset));
	return ret;
}

static int fpregs_get(struct task_struct *target, const struct user_regset *regset,
		      struct membuf to)
{
	if (!target->thread.fp)
		return -ENODEV;

	fpstate_save(target);
	membuf_write(&to, target->thread.fp, offsetof(struct user_i387_struct, padding));
	return membuf_zero(&to, sizeof_field(struct user_i387_struct, padding));
}

static int fpregs_set(struct task_struct *target, const struct user_regset *regset,
		      unsigned int pos, unsigned int count,
		      const void *kbuf, const void __user *ubuf)
{
	struct user_xstate_header *header;
	struct user_i387_struct new;
	void *fp = target->thread.fp;
	int ret;

	if (!fp)
		return -ENODEV;
	if (pos != 0 || count != sizeof(new))
		return -EINVAL;
	ret = user_regset_copyin(&pos, &count, &kbuf, &ubuf, &new, 0, sizeof(new));
	if (ret)
		return ret;
	if (new.mxcsr & ~host_cpu.mxcsr_mask)
		return -EINVAL;

	fpstate_save(target);
	fpstate_modify(target);
	memcpy(fp, &new, offsetof(struct user_i387_struct, padding));
	header = fp + USER_XSTATE_HEADER_OFFSET;
	header->xfeatures |= XFEATURE_MASK_LEGACY;
	return fpstate_sanitise(fp);
}

static int xstate_active(struct task_struct *target, const struct user_regset *regset)
{
	return target->thread.fp ? fpstate_size() / regset->size : 0;
}

static int xstate_get(struct task_struct *target, const struct user_regset *regset,
		      struct membuf to)
{
	if (!target->thread.fp)
		return -ENODEV;

	fpstate_save(target);
	return membuf_write(&to, target->thread.fp, fpstate_size());
}

static int xstate_set(struct task_struct *target, const struct user_regset *regset,
		      unsigned int pos, unsigned int count,
		      const void *kbuf, const void __user *ubuf)
{
	struct user_xstate_header *header;
	void *new;
	int ret;

	if (!target->thread.fp)
		return -ENODEV;
	/* Components depend on the header: parts of an image mean nothing. */
	if (pos != 0 || count != fpstate_size())
		return -EFAULT;

	new = kmalloc(count, GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	ret = user_regset_copyin(&pos, &count, &kbuf, &ubuf, new, 0, fpstate_size());
	if (ret)
		goto out;

	ret = -EINVAL;
	header = new + USER_XSTATE_HEADER_OFFSET;
	if (header->xfeatures & ~fpstate_features())
		goto out;
	ret = fpstate_sanitise(new);
	if (ret)
		goto out;

	fpstate_modify(target);
	memcpy(target->thread.fp, new, fpstate_size());
out:
	kfree(new);
	return ret;
}

static struct user_regset regsets[] __ro_after_init = {
	[REGSET_GENERAL] = {
		.core_note_type	= NT_PRSTATUS,
		.n		= sizeof(struct user_regs_struct) / sizeof(long),
		.size		= sizeof(long),
		.align		= sizeof(long),
		.regset_get	= genregs_get,
		.set		= genregs_set,
	},
	[REGSET_FP] = {
		.core_note_type	= NT_PRFPREG,
		.n		= sizeof(struct user_i387_struct) / sizeof(long),
		.size		= sizeof(long),
		.align		= sizeof(long),
		.regset_get	= fpregs_get,
		.set		= fpregs_set,
	},
	[REGSET_XSTATE] = {
		.core_note_type	= NT_X86_XSTATE,
		.size		= sizeof(u64),
		.align		= sizeof(u64),
		.active		= xstate_active,
		.regset_get	= xstate_get,
		.set		= xstate_set,
	},
};

static const struct user_regset_view regset_view = {
	.name		= "x86_64",
	.e_machine	= EM_X86_64,
	.regsets	= regsets,
	.n		= ARRAY_SIZE(regsets),
};

/* The size of the extended state is known only at run time. */
static int __init regset_init(void)
{
	regsets[REGSET_XSTATE].n = fpstate_size() / sizeof(u64);
	return 0;
}
core_initcall(regset_init);

/** task_user_regset_view() - the register sets of a task */
const struct user_regset_view *task_user_regset_view(struct task_struct *task)
{
	return &regset_view;
}
