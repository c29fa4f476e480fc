// SPDX-License-Identifier: GPL-2.0
/*
 * Stack traces by frame pointers. A frame counts only while it lies on the
 * task's own stack and above the one before, so a broken chain ends the walk
 * instead of wandering off.
 */
#include <linux/export.h>
#include <linux/kallsyms.h>
#include <linux/sched/debug.h>
#include <linux/sched/task_stack.h>
#include <linux/stacktrace.h>
#include <asm/stacktrace.h>

/* What __um_switch_to() left at thread.sp. */
struct switch_frame {
	unsigned long r15, r14, r13, r12, bx, bp;
	unsigned long return_address;
};

static bool frame_ok(struct task_struct *task, struct stack_frame *frame)
{
	unsigned long lo = (unsigned long)task_stack_page(task);
	unsigned long addr = (unsigned long)frame;

	return addr >= lo && addr <= lo + THREAD_SIZE - sizeof(*frame) && !(addr & 7);
}

void arch_stack_walk(stack_trace_consume_fn consume, void *cookie,
		     struct task_struct *task, struct pt_regs *regs)
{
	struct stack_frame *frame, *next;
	unsigned long ip;

	if (regs) {
		ip = regs->ip;
		frame = (struct stack_frame *)regs->bp;
	} else if (task == current) {
		frame = __builtin_frame_address(0);
		ip = frame->return_address;
		frame = frame->next;
	} else {
		struct switch_frame *sw = (struct switch_frame *)task->thread.sp;

		ip = sw->return_address;
		frame = (struct stack_frame *)sw->bp;
	}

	if (!consume(cookie, ip))
		return;
	while (frame_ok(task, frame)) {
		if (!frame->return_address || !consume(cookie, frame->return_address))
			return;
		next = frame->next;
		if (next <= frame)
			return;
		frame = next;
	}
}

static bool print_entry(void *arg, unsigned long addr)
{
	const char *loglvl = arg;

	if (__kernel_text_address(addr))
		printk("%s [<%px>] %pS\n", loglvl, (void *)addr, (void *)addr);
	return true;
}

void um_show_stack(struct task_struct *task, struct pt_regs *regs, const char *loglvl)
{
	if (!task)
		task = current;
	if (!try_get_task_stack(task))
		return;
	printk("%sCall Trace:\n", loglvl);
	arch_stack_walk(print_entry, (void *)loglvl, task, regs);
	put_task_stack(task);
}

void show_stack(struct task_struct *task, unsigned long *sp, const char *loglvl)
{
	um_show_stack(task, NULL, loglvl);
}
