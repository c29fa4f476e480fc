// SPDX-License-Identifier: GPL-2.0
/* Registers by name, for probes and event filters. */
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/stddef.h>
#include <linux/string.h>

#define REG(name)	{ #name, offsetof(struct pt_regs, name) }

static const struct {
	const char *name;
	unsigned int offset;
} reg_names[] = {
	REG(r15), REG(r14), REG(r13), REG(r12), REG(r11), REG(r10), REG(r9), REG(r8),
	REG(bx), REG(cx), REG(dx), REG(si), REG(di), REG(bp), REG(ax), REG(orig_ax),
	REG(ip), REG(cs), REG(flags), REG(sp), REG(ss),
};

/**
 * regs_query_register_offset() - where a register lies in struct pt_regs
 * @name: its name without prefix, e.g. "ax"
 *
 * Returns the offset in bytes, or -EINVAL for an unknown name. Any context.
 */
int regs_query_register_offset(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(reg_names); i++) {
		if (!strcmp(reg_names[i].name, name))
			return reg_names[i].offset;
	}
	return -EINVAL;
}

/**
 * regs_query_register_name() - the register at an offset in struct pt_regs
 * @offset: in bytes
 *
 * Returns its name, or NULL. Any context.
 */
const char *regs_query_register_name(unsigned int offset)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(reg_names); i++) {
		if (reg_names[i].offset == offset)
			return reg_names[i].name;
	}
	return NULL;
}

/**
 * regs_get_kernel_stack_nth() - read a word of current's kernel stack
 * @regs: kernel-mode registers
 * @n: number of the word, counted from the stack pointer
 *
 * Returns 0 if that is not on the stack.
 */
unsigned long regs_get_kernel_stack_nth(struct pt_regs *regs, unsigned int n)
{
	unsigned long *addr = (unsigned long *)kernel_stack_pointer(regs) + n;
	unsigned long stack = (unsigned long)task_stack_page(current);

	if ((unsigned long)addr < stack || (unsigned long)addr > stack + THREAD_SIZE - sizeof(*addr))
		return 0;
	return READ_ONCE_NOCHECK(*addr);
}
