// SPDX-License-Identifier: GPL-2.0
/* Tasks: their kernel stacks, their birth, and the idle loop. */
#include <linux/cpu.h>
#include <linux/personality.h>
#include <linux/ptrace.h>
#include <linux/random.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/stacktrace.h>
#include <linux/elf-randomize.h>
#include <asm/fpstate.h>
#include <asm/prefault.h>
#include <asm/switch_to.h>
#include <asm/usermode.h>
#include <host/usermode.h>
#include <host/vcpu.h>

asmlinkage void um_ret_from_fork(void);

struct task_struct *um_switch_to(struct task_struct *prev, struct task_struct *next)
{
	struct vcpu *vcpu = this_vcpu();

	vcpu->current_task = next;
	vcpu->stack_lo = (unsigned long)task_stack_page(next);
	vcpu->stack_hi = vcpu->stack_lo + THREAD_SIZE;
	return __um_switch_to(prev, next);
}

int arch_dup_task_struct(struct task_struct *dst, struct task_struct *src)
{
	*dst = *src;
	/* copy_thread() makes its own; until then there is nothing to free. */
	dst->thread.fp = NULL;
	return 0;
}

void arch_release_task_struct(struct task_struct *task)
{
	fpstate_free(task);
}

int copy_thread(struct task_struct *p, const struct kernel_clone_args *args)
{
	struct pt_regs *regs = task_pt_regs(p);
	unsigned long *frame = (unsigned long *)regs;

	/* What __um_switch_to() pops: six registers, then the first code. */
	*--frame = (unsigned long)um_ret_from_fork;
	frame -= 6;
	memset(frame, 0, 6 * sizeof(*frame));
	p->thread.sp = (unsigned long)frame;

	memset(p->thread.debugreg, 0, sizeof(p->thread.debugreg));
	clear_tsk_thread_flag(p, TIF_SINGLESTEP);
	p->thread.run_error = 0;
	p->thread.kernel_fn = args->fn;
	p->thread.kernel_arg = args->fn_arg;

	if (args->fn) {
		memset(regs, 0, sizeof(*regs));
		return 0;
	}

	*regs = *current_pt_regs();
	regs->ax = 0;
	if (args->stack)
		regs->sp = args->stack;
	if (args->flags & CLONE_SETTLS)
		regs->fs_base = args->tls;
	return fpstate_dup(p, current);
}

void flush_thread(void)
{
	memset(current->thread.debugreg, 0, sizeof(current->thread.debugreg));
	fpstate_init_task(current);
}

void exit_thread(struct task_struct *task)
{
}

void start_thread(struct pt_regs *regs, unsigned long ip, unsigned long sp)
{
	memset(regs, 0, sizeof(*regs));
	regs->orig_ax = -1;
	regs->ip = ip;
	regs->sp = sp;
	regs->cs = UM_USER_CS;
	regs->ss = UM_USER_SS;
	regs->flags = BIT(9) | BIT(1);		/* interrupts on, the fixed bit */
	um_prefault_program(sp);
}
EXPORT_SYMBOL_GPL(start_thread);

unsigned long arch_align_stack(unsigned long sp)
{
	if (!(current->personality & ADDR_NO_RANDOMIZE) && randomize_va_space)
		sp -= get_random_u32_below(8192);
	return sp & ~0xfUL;
}

/* Interrupts are off; the caller enables them, which serves what woke us. */
void __cpuidle arch_cpu_idle(void)
{
	if (host_usermode->park)
		host_usermode->park();
	host_vcpu_idle(this_vcpu());
}

static bool find_wchan(void *arg, unsigned long addr)
{
	unsigned long *wchan = arg;

	if (in_sched_functions(addr))
		return true;
	*wchan = addr;
	return false;
}

unsigned long __get_wchan(struct task_struct *p)
{
	unsigned long wchan = 0;

	if (!try_get_task_stack(p))
		return 0;
	arch_stack_walk(find_wchan, &wchan, p, NULL);
	put_task_stack(p);
	return wchan;
}
