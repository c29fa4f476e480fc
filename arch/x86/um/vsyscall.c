// SPDX-License-Identifier: GPL-2.0
/*
 * The vsyscall page: gettimeofday(), time() and getcpu() at fixed addresses
 * just below the top of the address space, which very old or statically
 * linked programs still call.
 *
 * The page is not mapped anywhere. A call faults (or, where the host has such
 * a page itself, is caught by the backend's filter) and is served here. The
 * page can be executed but not read, the mode that x86-64 kernels default to.
 */
#include <linux/errno.h>
#include <linux/getcpu.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>
#include <linux/syscalls.h>
#include <linux/time.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>
#include <asm/vsyscall.h>

#define VSYSCALL_SLOT	1024

static void complain(struct pt_regs *regs, const char *what)
{
	if (show_unhandled_signals)
		pr_info_ratelimited("%s[%d] vsyscall: %s ip:%lx sp:%lx\n", current->comm,
				    task_pid_nr(current), what, regs->ip, regs->sp);
}

static int vsyscall_nr(unsigned long addr)
{
	unsigned long slot = (addr - VSYSCALL_ADDR) / VSYSCALL_SLOT;

	if (addr < VSYSCALL_ADDR || addr % VSYSCALL_SLOT)
		return -1;

	switch (slot) {
	case 0:
		return __NR_gettimeofday;
	case 1:
		return __NR_time;
	case 2:
		return __NR_getcpu;
	default:
		return -1;
	}
}

static long call(int nr, struct pt_regs *regs)
{
	switch (nr) {
	case __NR_gettimeofday:
		return sys_gettimeofday((void __user *)regs->di, (void __user *)regs->si);
	case __NR_time:
		return sys_time((void __user *)regs->di);
	default:
		return sys_getcpu((void __user *)regs->di, (void __user *)regs->si, NULL);
	}
}

bool um_vsyscall(struct pt_regs *regs)
{
	unsigned long address = regs->ip;
	unsigned long caller;
	int nr, skip;
	long ret;

	if ((address & PAGE_MASK) != VSYSCALL_ADDR)
		return false;

	nr = vsyscall_nr(address);
	if (nr < 0) {
		complain(regs, "no call at this address");
		goto sigsegv;
	}
	if (get_user(caller, (unsigned long __user *)regs->sp)) {
		complain(regs, "bad stack");
		goto sigsegv;
	}

	/* Filters see it as the system call it stands for. */
	regs->orig_ax = nr;
	regs->ax = -ENOSYS;
	skip = secure_computing();
	if ((!skip && regs->orig_ax != nr) || regs->ip != address) {
		complain(regs, "seccomp tried to change the call");
		force_exit_sig(SIGSYS);
		return true;
	}
	regs->orig_ax = -1;

	if (!skip) {
		ret = call(nr, regs);
		/* The page's code would have faulted on a bad pointer. */
		if (ret == -EFAULT) {
			complain(regs, "bad pointer");
			goto sigsegv;
		}
		regs->ax = ret;
	}

	/* As its return instruction does. */
	regs->ip = caller;
	regs->sp += sizeof(caller);
	return true;

sigsegv:
	force_sig(SIGSEGV);
	return true;
}

static const char *vsyscall_vma_name(struct vm_area_struct *vma)
{
	return "[vsyscall]";
}

static const struct vm_operations_struct vsyscall_vma_ops = {
	.name	= vsyscall_vma_name,
};

/* Nothing is mapped; this only makes the page visible in /proc/PID/maps. */
static struct vm_area_struct vsyscall_vma __ro_after_init = {
	.vm_ops		= &vsyscall_vma_ops,
	.vm_flags	= VM_EXEC,
	.vm_start	= VSYSCALL_ADDR,
	.vm_end		= VSYSCALL_ADDR + PAGE_SIZE,
};

/**
 * get_gate_vma() - the pseudo mapping that /proc/PID/maps ends with
 * @mm: any address space; all have the same
 */
struct vm_area_struct *get_gate_vma(struct mm_struct *mm)
{
	return &vsyscall_vma;
}

/**
 * in_gate_area_no_mm() - whether an address is in the vsyscall page
 * @addr: the address
 *
 * Any context.
 */
int in_gate_area_no_mm(unsigned long addr)
{
	return (addr & PAGE_MASK) == VSYSCALL_ADDR;
}

/**
 * in_gate_area() - the same
 * @mm: ignored
 * @addr: the address
 */
int in_gate_area(struct mm_struct *mm, unsigned long addr)
{
	return in_gate_area_no_mm(addr);
}
