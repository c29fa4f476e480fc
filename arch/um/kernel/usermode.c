// SPDX-License-Identifier: GPL-2.0
/*
 * Running guest code.
 *
 * Where hardware would enter the kernel by an exception, here a task's kernel
 * half calls the backend, which lets the guest run and returns what stopped
 * it. The loop in um_user_loop() is the bottom of every user task's kernel
 * stack; from the generic entry code's point of view "user mode" is the time
 * between resume() and the event that wait() reports.
 *
 * An interrupt does not stop the guest. wait() returns UM_EV_INTERRUPT while
 * guest code goes on in its own host process; the interrupt is served with
 * the registers of user mode, and only if that left work for the way out
 * (reschedule, signal ...) the guest is kicked. The generic exit code must
 * not run before it has stopped, since it would schedule away from a runner
 * that still executes.
 */
#include <linux/entry-common.h>
#include <linux/sched/signal.h>
#include <linux/sched/mm.h>
#include <linux/printk.h>
#include <asm/fault.h>
#include <asm/fpstate.h>
#include <asm/irq.h>
#include <asm/mmu_context.h>
#include <asm/prefault.h>
#include <asm/syscall.h>
#include <asm/text_shadow.h>
#include <asm/traps.h>
#include <asm/usermode.h>
#include <host/usermode.h>
#include "../mm/tlb.h"

static_assert(sizeof(struct pt_regs) == UM_NR_REGS * sizeof(long));
static_assert(offsetof(struct pt_regs, orig_ax) == UM_ORIG_RAX * sizeof(long));
static_assert(offsetof(struct pt_regs, fs_base) == UM_FS_BASE * sizeof(long));

/**
 * um_prepare_run() - last preparations on the way to user mode
 *
 * Called by the generic exit code with interrupts off, after all work that
 * may sleep. The host's mappings, the extended state and the debug registers
 * of the runner become current's. A failure is kept for um_user_loop(), which
 * may still turn it into a signal.
 */
void um_prepare_run(void)
{
	struct mm_struct *mm = current->mm;
	int err = um_tlb_sync(mm);

	if (!err) {
		fpstate_prepare_run(mm);
		debugreg_prepare_run(mm);
	}
	current->thread.run_error = err;
}

/*
 * A task that can't go on. Nobody may send SIGKILL to the global init, not even
 * us: without another signal it would come here again, for ever.
 */
static void kill_current(void)
{
	force_fatal_sig(is_global_init(current) ? SIGSEGV : SIGKILL);
}

static void fail_run(struct pt_regs *regs)
{
	local_irq_enable();
	pr_err_ratelimited("%s[%d]: killed: the host can't run its address space (error %d)\n",
			   current->comm, task_pid_nr(current), current->thread.run_error);
	kill_current();
	local_irq_disable();
}

static void runner_died(struct pt_regs *regs)
{
	local_irq_enable();
	pr_err_ratelimited("%s[%d]: killed: its host process is gone\n",
			   current->comm, task_pid_nr(current));
	current->mm->context.dead = true;
	kill_current();
	local_irq_disable();
}

static void do_syscall(struct pt_regs *regs)
{
	long nr = (int)regs->orig_ax;

	/* What an int3 or a fault leaves as default, a system call sets. */
	regs->ax = -ENOSYS;
	enter_from_user_mode(regs);
	instrumentation_begin();
	/* Before anybody else can run, who may have more to be kept. */
	um_tlb_release();
	local_irq_enable();
	nr = syscall_enter_from_user_mode_work(regs, nr);
	if (likely(nr >= 0 && nr < NR_syscalls)) {
		nr = array_index_nospec(nr, NR_syscalls);
		regs->ax = sys_call_table[nr](regs->di, regs->si, regs->dx,
					      regs->r10, regs->r8, regs->r9);
	} else if (nr != -1) {
		/* Invalid, but still a system call: also after a tracer set ax. */
		regs->ax = -ENOSYS;
	}
	instrumentation_end();
	syscall_exit_to_user_mode(regs);
}

static void do_exception(struct pt_regs *regs, const struct um_event *event)
{
	irqentry_state_t state = irqentry_enter(regs);

	instrumentation_begin();
	/* A kick may mean that it has not been running. */
	if (event->kind == UM_EV_KICKED) {
		um_tlb_send_again();
		/* Changed rights may be among what is lost. */
		if (event->code)
			um_tlb_record(current->mm, 0, TASK_SIZE);
	} else {
		um_tlb_release();
	}
	regs->orig_ax = -1;
	switch (event->kind) {
	case UM_EV_FAULT:
		local_irq_enable();
		um_user_fault(regs, event);
		local_irq_disable();
		break;
	case UM_EV_TRAP:
		local_irq_enable();
		um_user_trap(regs, event);
		local_irq_disable();
		break;
	case UM_EV_DEAD:
		runner_died(regs);
		break;
	default:
		break;
	}
	instrumentation_end();
	irqentry_exit(regs, state);
}

/* Interrupts beside the running guest; true if the guest has to stop. */
static bool interrupt_beside_guest(struct pt_regs *regs)
{
	bool work;

	enter_from_user_mode(regs);
	instrumentation_begin();
	um_tlb_release();
	um_do_irqs(regs);
	work = read_thread_flags() & EXIT_TO_USER_MODE_WORK;
	instrumentation_end();
	exit_to_user_mode();
	return work;
}

static void run_guest(struct pt_regs *regs, struct um_event *event)
{
	struct um_mm *host = current->mm->context.host;
	unsigned int flags = test_thread_flag(TIF_SINGLESTEP) ? UM_RUN_STEP : 0;
	bool kicked = false;

	if (host_usermode->resume(host, (unsigned long *)regs, flags)) {
		event->kind = UM_EV_DEAD;
		return;
	}
	for (;;) {
		host_usermode->wait(host, (unsigned long *)regs, event);
		if (event->kind != UM_EV_INTERRUPT)
			break;
		if (interrupt_beside_guest(regs) && !kicked) {
			kicked = true;
			host_usermode->kick(host);
		}
	}
}

/**
 * um_user_loop() - execute guest code until the task exits
 * @regs: its registers
 *
 * Entered like the end of a system call: interrupts off, state of user mode.
 */
void __noreturn um_user_loop(struct pt_regs *regs)
{
	struct um_event event;

	for (;;) {
		if (unlikely(current->thread.run_error)) {
			irqentry_state_t state = irqentry_enter(regs);

			fail_run(regs);
			irqentry_exit(regs, state);
			continue;
		}
		run_guest(regs, &event);
		if (event.kind != UM_EV_SYSCALL && !list_empty(&current->mm->context.texts) &&
		    !text_shadow_leave(regs, &event)) {
			event.kind = UM_EV_KICKED;
			event.code = 0;
		}
		if (event.kind == UM_EV_SYSCALL) {
			if (event.code == UM_BY_PATCH)
				text_counters.patched++;
			else
				text_sites_trapped(regs);
			do_syscall(regs);
		} else {
			do_exception(regs, &event);
		}
	}
}

/**
 * um_new_task() - first C code of a new task, on its own stack
 * @prev: the task that was switched away from
 */
void __noreturn um_new_task(struct task_struct *prev)
{
	struct pt_regs *regs = current_pt_regs();

	schedule_tail(prev);
	if (current->thread.kernel_fn) {
		int (*fn)(void *) = current->thread.kernel_fn;

		/* Returns only after it became a user program by exec. */
		current->thread.kernel_fn = NULL;
		fn(current->thread.kernel_arg);
	} else if (!current->mm->context.host) {
		um_prefault_child(regs->ip);
	}
	syscall_exit_to_user_mode(regs);
	um_user_loop(regs);
}
