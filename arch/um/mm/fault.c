// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults: of guest code, and those that stand for one when the kernel
 * itself reaches for user memory.
 *
 * A fault of guest code says that the host has no fitting mapping. The page
 * tables are asked first: if they allow the access, the generic fault handler
 * has nothing to do, the mapping is merely missing on the host
 * (um_tlb_refill()). Otherwise it is an ordinary page fault; whatever handling
 * it changes in the tables reaches the host through update_mmu_cache_range()
 * and um_tlb_sync().
 *
 * The error code a guest sees in its signal frame is made up from the guest's
 * page tables; the host's only tells what was attempted.
 */
#include <linux/mm.h>
#include <linux/perf_event.h>
#include <linux/pgtable.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/uaccess.h>
#include <asm/fault.h>
#include <asm/prefault.h>
#include <asm/ptrace.h>
#include <asm/trapnr.h>
#include <asm/vsyscall.h>
#include <host/usermode.h>
#include "tlb.h"
#include "walk.h"

/* Bits of the x86 page fault error code. */
#define PF_PROT		1	/* the page is present, the access is not allowed */
#define PF_WRITE	2
#define PF_USER		4
#define PF_INSTR	16	/* instruction fetch */

int show_unhandled_signals = 1;

static void report_signal(struct pt_regs *regs, int signo, unsigned long addr,
			  unsigned long error_code)
{
	struct task_struct *task = current;

	if (!show_unhandled_signals || !unhandled_signal(task, signo) || !printk_ratelimit())
		return;
	pr_info("%s[%d]: %s at %lx ip %lx sp %lx error %lx", task->comm, task_pid_nr(task),
		signo == SIGBUS ? "bus error" : "segfault", addr, regs->ip, regs->sp,
		error_code);
	print_vma_addr(KERN_CONT " in ", regs->ip);
	pr_cont("\n");
}

static void send_fault_signal(struct pt_regs *regs, int signo, int code, unsigned long addr,
			      unsigned long error_code)
{
	struct thread_struct *thread = &current->thread;
	pte_t pte;

	error_code &= PF_WRITE | PF_INSTR;
	error_code |= PF_USER;
	if ((long)addr < 0) {
		/* As on real machines: don't tell what the kernel has there. */
		error_code |= PF_PROT;
	} else {
		preempt_disable();
		um_walk_access(current->mm, addr, UM_READ, &pte);
		preempt_enable();
		if (pte_user(pte))
			error_code |= PF_PROT;
	}

	thread->trap_nr = X86_TRAP_PF;
	thread->error_code = error_code;
	thread->cr2 = addr;
	report_signal(regs, signo, addr, error_code);
	force_sig_fault(signo, code, (void __user *)addr);
}

static bool access_allowed(struct vm_area_struct *vma, unsigned int access)
{
	switch (access) {
	case UM_WRITE:
		return vma->vm_flags & VM_WRITE;
	case UM_EXEC:
		return vma->vm_flags & VM_EXEC;
	default:
		return vma_is_accessible(vma);
	}
}

static void fault_failed(struct pt_regs *regs, vm_fault_t fault, unsigned long addr,
			 unsigned long error_code)
{
	if (fault & VM_FAULT_OOM)
		pagefault_out_of_memory();
	else if (fault & (VM_FAULT_SIGBUS | VM_FAULT_HWPOISON | VM_FAULT_HWPOISON_LARGE))
		send_fault_signal(regs, SIGBUS, BUS_ADRERR, addr, error_code);
	else if (fault & VM_FAULT_SIGSEGV)
		send_fault_signal(regs, SIGSEGV, SEGV_MAPERR, addr, error_code);
	else
		WARN_ONCE(1, "unknown result %x of a page fault\n", fault);
}

static void page_fault(struct pt_regs *regs, unsigned long addr, unsigned int access,
		       unsigned long error_code)
{
	unsigned int flags = FAULT_FLAG_DEFAULT | FAULT_FLAG_USER;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	vm_fault_t fault;

	if (access == UM_WRITE)
		flags |= FAULT_FLAG_WRITE;
	else if (access == UM_EXEC)
		flags |= FAULT_FLAG_INSTRUCTION;

	perf_sw_event(PERF_COUNT_SW_PAGE_FAULTS, 1, regs, addr);
retry:
	vma = lock_mm_and_find_vma(mm, addr, regs);
	if (!vma) {
		send_fault_signal(regs, SIGSEGV, SEGV_MAPERR, addr, error_code);
		return;
	}
	if (!access_allowed(vma, access)) {
		mmap_read_unlock(mm);
		send_fault_signal(regs, SIGSEGV, SEGV_ACCERR, addr, error_code);
		return;
	}

	current->thread.in_fault = true;
	fault = handle_mm_fault(vma, addr, flags, regs);
	current->thread.in_fault = false;

	/* In both of these cases the lock is gone. */
	if (fault_signal_pending(fault, regs))
		return;
	if (fault & VM_FAULT_COMPLETED)
		return;
	if (fault & VM_FAULT_RETRY) {
		flags |= FAULT_FLAG_TRIED;
		goto retry;
	}

	if (access == UM_WRITE && !(fault & VM_FAULT_ERROR))
		um_prefault_next(vma, addr);
	mmap_read_unlock(mm);
	if (unlikely(fault & VM_FAULT_ERROR))
		fault_failed(regs, fault, addr, error_code);
}

/* The address is beyond user space. */
static void kernel_address(struct pt_regs *regs, unsigned long addr, unsigned long error_code)
{
	if ((error_code & PF_INSTR) && (addr & PAGE_MASK) == VSYSCALL_ADDR && um_vsyscall(regs))
		return;
	send_fault_signal(regs, SIGSEGV, SEGV_MAPERR, addr, error_code);
}

void um_user_fault(struct pt_regs *regs, const struct um_event *event)
{
	unsigned long error_code = event->error_code;
	unsigned long addr = event->addr;
	unsigned int access = UM_READ;

	if (error_code & PF_INSTR)
		access = UM_EXEC;
	else if (error_code & PF_WRITE)
		access = UM_WRITE;

	if (unlikely(addr >= TASK_SIZE_MAX)) {
		kernel_address(regs, addr, error_code);
		return;
	}
	if (unlikely(event->signo == SIGBUS)) {
		pr_err_ratelimited("%s[%d]: the host has no room for guest memory at %lx; free memory on the host (or space in TMPDIR)\n",
				   current->comm, task_pid_nr(current), addr);
		send_fault_signal(regs, SIGBUS, BUS_ADRERR, addr, error_code);
		return;
	}

	switch (um_tlb_refill(current->mm, addr, access)) {
	case 0:
		break;
	case -ENXIO:
		send_fault_signal(regs, SIGBUS, BUS_ADRERR, addr, error_code);
		break;
	case -ELOOP:
		pr_err("%s[%d]: killed: the host does not map its page at %lx\n",
		       current->comm, task_pid_nr(current), addr & PAGE_MASK);
		force_fatal_sig(SIGKILL);
		break;
	default:
		page_fault(regs, addr, access, error_code);
		break;
	}
}

bool um_fault_in(unsigned long addr, bool write)
{
	unsigned int flags = FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE;
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	vm_fault_t fault;
	pte_t pte;
	int err;

	if (faulthandler_disabled() || !mm || addr >= TASK_SIZE_MAX)
		return false;

	/* What the tables already lead to and still can't be used never will. */
	preempt_disable();
	err = um_walk_access(mm, addr, UM_READ, &pte);
	preempt_enable();
	if (err == -ENXIO)
		return false;

	if (write)
		flags |= FAULT_FLAG_WRITE;
retry:
	vma = lock_mm_and_find_vma(mm, addr, NULL);
	if (!vma)
		return false;
	if (!access_allowed(vma, write ? UM_WRITE : UM_READ)) {
		mmap_read_unlock(mm);
		return false;
	}

	/* What the kernel writes for its task is the task's doing. */
	current->thread.in_fault = true;
	fault = handle_mm_fault(vma, addr, flags, NULL);
	current->thread.in_fault = false;
	if (fault & VM_FAULT_COMPLETED)
		return true;
	if (fault & VM_FAULT_RETRY) {
		if (fatal_signal_pending(current))
			return false;
		flags |= FAULT_FLAG_TRIED;
		goto retry;
	}
	mmap_read_unlock(mm);
	return !(fault & VM_FAULT_ERROR);
}
