// SPDX-License-Identifier: GPL-2.0
/*
 * Debug registers of traced tasks.
 *
 * All tasks of an mm share one runner, whose host process has one set of
 * debug registers: that of the task that runs is loaded before it runs, and
 * taken out before another one does. A new set is loaded when the tracer
 * writes it, for then the tracer can be told that the host has none to give
 * (and gdb falls back to single-stepping).
 *
 * thread.debugreg[6] keeps only the condition bits, all of them set to 1 when
 * true; the register's odd constant bits are added when it is read.
 */
#include <linux/errno.h>
#include <linux/mm_types.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <asm/debugreg.h>
#include <host/usermode.h>

#define NR_BREAKPOINTS	4

static unsigned int control_bits(unsigned long control, int n)
{
	return (control >> (DR_CONTROL_SHIFT + n * DR_CONTROL_SIZE)) & 0xf;
}

static bool is_enabled(unsigned long control, int n)
{
	return (control >> (n * DR_ENABLE_SIZE)) & (DR_LOCAL_ENABLE | DR_GLOBAL_ENABLE);
}

static bool any_enabled(unsigned long control)
{
	return control & (DR_LOCAL_ENABLE_MASK | DR_GLOBAL_ENABLE_MASK);
}

static unsigned long length_of(unsigned int bits)
{
	switch (bits & ~3) {
	case DR_LEN_2:
		return 2;
	case DR_LEN_4:
		return 4;
	case DR_LEN_8:
		return 8;
	default:
		return 1;
	}
}

/* Whether breakpoint @n means something to the CPU and stays in user space. */
static bool valid_breakpoint(const unsigned long *dr, int n)
{
	unsigned int bits = control_bits(dr[DR_CONTROL], n);
	unsigned long len = length_of(bits);

	switch (bits & 3) {
	case DR_RW_EXECUTE:
		if (len != 1)
			return false;
		break;
	case DR_RW_WRITE:
	case DR_RW_READ:
		break;
	default:
		return false;	/* I/O ports */
	}
	return IS_ALIGNED(dr[n], len) && dr[n] <= TASK_SIZE_MAX - len;
}

static int validate(const unsigned long *dr)
{
	int n;

	for (n = 0; n < NR_BREAKPOINTS; n++) {
		if (dr[n] >= TASK_SIZE_MAX)
			return -EINVAL;
		if (is_enabled(dr[DR_CONTROL], n) && !valid_breakpoint(dr, n))
			return -EINVAL;
	}
	return 0;
}

/* Control first off and last on: no mixture of two sets is ever active. */
static int load(struct mm_struct *mm, struct task_struct *task)
{
	struct um_mm *host = mm->context.host;
	const unsigned long *dr = task->thread.debugreg;
	int n, ret;

	mm->context.debugreg_owner = DEBUGREG_STALE;
	ret = host_usermode->debugreg_set(host, DR_CONTROL, 0);
	if (!ret && any_enabled(dr[DR_CONTROL])) {
		for (n = 0; !ret && n < NR_BREAKPOINTS; n++) {
			if (is_enabled(dr[DR_CONTROL], n))
				ret = host_usermode->debugreg_set(host, n, dr[n]);
		}
		if (!ret)
			ret = host_usermode->debugreg_set(host, DR_CONTROL,
							  dr[DR_CONTROL] & ~DR_CONTROL_RESERVED);
		if (!ret)
			mm->context.debugreg_owner = task;
	} else if (!ret) {
		mm->context.debugreg_owner = NULL;
	}
	return ret;
}

void debugreg_prepare_run(struct mm_struct *mm)
{
	struct task_struct *owner = mm->context.debugreg_owner;

	if (likely(!owner && !any_enabled(current->thread.debugreg[DR_CONTROL])))
		return;
	if (owner == current)
		return;

	/* The tracer was told when it set them; here nobody listens. */
	if (load(mm, current))
		host_usermode->debugreg_set(mm->context.host, DR_CONTROL, 0);
}

void debugreg_forget(struct task_struct *task, struct mm_struct *mm)
{
	if (mm && mm->context.debugreg_owner == task)
		mm->context.debugreg_owner = DEBUGREG_STALE;
}

unsigned long debugreg_trapped(unsigned long condition)
{
	struct mm_struct *mm = current->mm;
	unsigned long dr6;

	/*
	 * The status outlives a switch of owners: it is right even if another
	 * task ran here since the trap, unless that trapped as well.
	 */
	if (any_enabled(current->thread.debugreg[DR_CONTROL]) &&
	    host_usermode->debugreg_get(mm->context.host, DR_STATUS, &dr6) == 0)
		condition |= (dr6 ^ DR6_RESERVED) & (DR_TRAP_BITS | DR_STEP);

	current->thread.debugreg[DR_STATUS] = condition;
	return condition;
}

unsigned long debugreg_get(struct task_struct *task, int n)
{
	unsigned long value = task->thread.debugreg[n];

	return n == DR_STATUS ? value ^ DR6_RESERVED : value;
}

int debugreg_set(struct task_struct *task, int n, unsigned long value)
{
	unsigned long *dr = task->thread.debugreg;
	struct mm_struct *mm = task->mm;
	unsigned long old = dr[n];
	int ret;

	if (n == DR_STATUS) {
		dr[n] = value ^ DR6_RESERVED;
		return 0;
	}
	if (n >= NR_BREAKPOINTS && n != DR_CONTROL)
		return -EIO;

	/* No other task of the mm may get into the runner meanwhile. */
	preempt_disable();
	dr[n] = value;
	ret = validate(dr);
	if (!ret && mm && mm->context.host && !mm->context.dead &&
	    (any_enabled(dr[DR_CONTROL]) || mm->context.debugreg_owner == task))
		ret = load(mm, task);
	if (ret)
		dr[n] = old;
	preempt_enable();
	return ret;
}
