// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of kernel code: exception-table fix-ups, WARN(), and the oops.
 *
 * The host's signal handler (os-Linux/signal.c) describes the fault in a
 * struct um_kernel_fault on the interrupted stack, or on the emergency stack
 * when the interrupted one is unusable, and continues at
 * um_kernel_fault_entry.
 */
#include <linux/bug.h>
#include <linux/extable.h>
#include <linux/cpu.h>
#include <linux/init.h>
#include <linux/kdebug.h>
#include <linux/kexec.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/sched/debug.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/signal.h>
#include <linux/utsname.h>
#include <asm/bug.h>
#include <asm/extable.h>
#include <asm/stacktrace.h>
#include <asm/kernel_entry.h>
#include <host/kernel_fault.h>
#include <host/vcpu.h>

static const char *fault_name(const struct um_kernel_fault *fault)
{
	switch (fault->signo) {
	case SIGSEGV:
		return fault->trapno == 14 ? "kernel access of bad memory" :
					     "general protection fault";
	case SIGBUS:
		return "bus error: the host could not provide guest memory";
	case SIGILL:
		return "invalid opcode";
	case SIGFPE:
		return "divide error";
	default:
		return "exception";
	}
}

void show_regs(struct pt_regs *regs)
{
	show_regs_print_info(KERN_DEFAULT);
	printk("RIP: %pS [%px]  RSP: %px  EFLAGS: %08lx\n", (void *)regs->ip,
	       (void *)regs->ip, (void *)regs->sp, regs->flags);
	printk("RAX: %016lx RBX: %016lx RCX: %016lx\n", regs->ax, regs->bx, regs->cx);
	printk("RDX: %016lx RSI: %016lx RDI: %016lx\n", regs->dx, regs->si, regs->di);
	printk("RBP: %016lx R08: %016lx R09: %016lx\n", regs->bp, regs->r8, regs->r9);
	printk("R10: %016lx R11: %016lx R12: %016lx\n", regs->r10, regs->r11, regs->r12);
	printk("R13: %016lx R14: %016lx R15: %016lx\n", regs->r13, regs->r14, regs->r15);
	if (!user_mode(regs))
		um_show_stack(current, regs, KERN_DEFAULT);
}

static void __noreturn die(struct pt_regs *regs, const struct um_kernel_fault *fault,
			   const char *what, bool fatal)
{
	static int count;

	oops_enter();
	console_verbose();
	bust_spinlocks(1);
	pr_emerg("Oops: %s at %016lx, error code %lx [#%d]\n", what, fault->addr,
		 fault->error_code, ++count);
	print_modules();
	show_regs(regs);
	notify_die(DIE_OOPS, what, regs, fault->error_code, fault->trapno, fault->signo);
	bust_spinlocks(0);
	add_taint(TAINT_DIE, LOCKDEP_NOW_UNRELIABLE);
	oops_exit();

	if (fatal || in_interrupt())
		panic("Fatal exception%s", in_interrupt() ? " in interrupt" : "");
	if (panic_on_oops)
		panic("Fatal exception");
	/* The exit path wants a stack and interrupts as a task has them. */
	local_irq_enable();
	make_task_dead(fault->signo);
}

static bool handle_bug(struct pt_regs *regs, const struct um_kernel_fault *fault)
{
	enum bug_trap_type type;

	/* What a warning calls must find interrupts as lockdep believes they are. */
	if (fault->irqs_enabled)
		raw_local_irq_enable();
	type = report_bug(regs->ip, regs);
	if (fault->irqs_enabled)
		raw_local_irq_disable();
	if (type != BUG_TRAP_TYPE_WARN)
		return false;
	regs->ip += UM_BUG_INSN_LEN;
	return true;
}

int is_valid_bugaddr(unsigned long addr)
{
	return __kernel_text_address(addr);
}

/**
 * um_kernel_mode_fault() - fault of kernel code, called from entry.S
 * @regs: the faulting registers; ip may be changed
 * @fault: what the host reported
 *
 * Interrupts are off. Returns only if the fault was served.
 */
void um_kernel_mode_fault(struct pt_regs *regs, struct um_kernel_fault *fault)
{
	unsigned long stack = (unsigned long)task_stack_page(current);
	bool on_stack = regs->sp >= stack && regs->sp < stack + THREAD_SIZE;

	if (!on_stack)
		die(regs, fault, "kernel stack overflow", true);
	if (fault->signo == SIGILL && handle_bug(regs, fault))
		goto out;
	if ((fault->signo == SIGSEGV || fault->signo == SIGBUS) && fixup_exception(regs))
		goto out;
	die(regs, fault, fault_name(fault), !__kernel_text_address(regs->ip));

out:
	/* Serve what arrived meanwhile; the return itself does not look. */
	if (fault->irqs_enabled) {
		arch_local_irq_enable();
		arch_local_irq_disable();
	}
}

