/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few places where the kernel half needs its own hand on the stack:
 *
 *  - the start on the boot task's stack,
 *  - switching kernel stacks between tasks,
 *  - interrupts and faults of kernel code. A host signal handler pushed the
 *    interrupted instruction pointer (and, for a fault, its description) onto
 *    the interrupted stack and made the thread continue here; from here on it
 *    looks as if the interrupted code had called us, except that every
 *    register must survive. No host signal frame is live, so the code below
 *    may sleep, switch tasks and be interrupted again.
 */
#include <linux/init.h>
#include <linux/linkage.h>
#include <generated/asm-offsets.h>
#include <asm/thread_info.h>
#include <host/kernel_fault.h>
#include <host/vcpu.h>

	__REF

/* void um_kernel_start(const char *cmdline), see host/process.h */
SYM_CODE_START(um_kernel_start)
	leaq	init_stack + THREAD_SIZE - 16 - PT_SIZE(%rip), %rsp
	andq	$-16, %rsp
	xorl	%ebp, %ebp
	call	um_start
	ud2
SYM_CODE_END(um_kernel_start)

	.text

/*
 * struct task_struct *__um_switch_to(prev, next)
 * Returns prev on next's stack. A new task's stack was made by copy_thread().
 */
SYM_FUNC_START(__um_switch_to)
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, TASK_SP(%rdi)
	movq	TASK_SP(%rsi), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	movq	%rdi, %rax
	ret
SYM_FUNC_END(__um_switch_to)

/* First code of a new task: __um_switch_to() "returned" prev in %rax. */
SYM_CODE_START(um_ret_from_fork)
	movq	%rax, %rdi
	xorl	%ebp, %ebp
	andq	$-16, %rsp
	call	um_new_task
	ud2
SYM_CODE_END(um_ret_from_fork)

.macro SAVE_REGS
	movq	%r15, PT_R15(%rsp)
	movq	%r14, PT_R14(%rsp)
	movq	%r13, PT_R13(%rsp)
	movq	%r12, PT_R12(%rsp)
	movq	%rbp, PT_BP(%rsp)
	movq	%rbx, PT_BX(%rsp)
	movq	%r11, PT_R11(%rsp)
	movq	%r10, PT_R10(%rsp)
	movq	%r9, PT_R9(%rsp)
	movq	%r8, PT_R8(%rsp)
	movq	%rax, PT_AX(%rsp)
	movq	%rcx, PT_CX(%rsp)
	movq	%rdx, PT_DX(%rsp)
	movq	%rsi, PT_SI(%rsp)
	movq	%rdi, PT_DI(%rsp)
	movq	$-1, PT_ORIG_AX(%rsp)
	movq	$0, PT_CS(%rsp)
	movq	$0, PT_SS(%rsp)
.endm

.macro RESTORE_REGS
	movq	PT_R15(%rsp), %r15
	movq	PT_R14(%rsp), %r14
	movq	PT_R13(%rsp), %r13
	movq	PT_R12(%rsp), %r12
	movq	PT_BP(%rsp), %rbp
	movq	PT_BX(%rsp), %rbx
	movq	PT_R11(%rsp), %r11
	movq	PT_R10(%rsp), %r10
	movq	PT_R9(%rsp), %r9
	movq	PT_R8(%rsp), %r8
	movq	PT_AX(%rsp), %rax
	movq	PT_CX(%rsp), %rcx
	movq	PT_DX(%rsp), %rdx
	movq	PT_SI(%rsp), %rsi
	movq	PT_DI(%rsp), %rdi
.endm

/*
 * Interrupt of kernel code that accepts interrupts, or the replay of pending
 * ones by arch_local_irq_enable(), which calls here. On the stack: the
 * address to return to.
 */
SYM_CODE_START(um_kernel_irq_entry)
	pushfq
	movl	$0, %gs:VCPU_IRQS_ENABLED
	leaq	-PT_SIZE(%rsp), %rsp
	SAVE_REGS
	movq	PT_SIZE(%rsp), %rax
	movq	%rax, PT_FLAGS(%rsp)
	movq	PT_SIZE+8(%rsp), %rax
	movq	%rax, PT_IP(%rsp)
	leaq	PT_SIZE+16(%rsp), %rax
	movq	%rax, PT_SP(%rsp)
	cld
	movq	%rsp, %rbx
1:	movq	%rbx, %rdi
	andq	$-16, %rsp
	call	um_kernel_mode_irq
	movq	%rbx, %rsp
	/* Accept interrupts again, unless one arrived meanwhile. */
	movl	$1, %gs:VCPU_IRQS_ENABLED
	cmpl	$0, %gs:VCPU_PENDING
	je	2f
	movl	$0, %gs:VCPU_IRQS_ENABLED
	jmp	1b
2:	RESTORE_REGS
	leaq	PT_SIZE(%rsp), %rsp
	popfq
	ret
SYM_CODE_END(um_kernel_irq_entry)

/*
 * Fault of kernel code. On the stack: struct um_kernel_fault. Interrupts are
 * off. The stack pointer is given apart because the frame may be on the
 * emergency stack.
 */
SYM_CODE_START(um_kernel_fault_entry)
	leaq	-PT_SIZE(%rsp), %rsp
	SAVE_REGS
	movq	PT_SIZE + FAULT_IP(%rsp), %rax
	movq	%rax, PT_IP(%rsp)
	movq	PT_SIZE + FAULT_FLAGS(%rsp), %rax
	movq	%rax, PT_FLAGS(%rsp)
	movq	PT_SIZE + FAULT_SP(%rsp), %rax
	movq	%rax, PT_SP(%rsp)
	cld
	movq	%rsp, %rdi
	leaq	PT_SIZE(%rsp), %rsi
	movq	%rsp, %rbx
	andq	$-16, %rsp
	call	um_kernel_mode_fault
	movq	%rbx, %rsp
	/*
	 * The handler may have changed ip. Return through the interrupted
	 * stack: the words below its pointer are free, because the frame
	 * above left a gap there.
	 */
	movq	PT_SP(%rsp), %rcx
	movq	PT_IP(%rsp), %rax
	movq	%rax, -8(%rcx)
	movq	PT_FLAGS(%rsp), %rax
	movq	%rax, -16(%rcx)
	movq	PT_AX(%rsp), %rax
	movq	%rax, -24(%rcx)
	movq	PT_CX(%rsp), %rax
	movq	%rax, -32(%rcx)
	movl	PT_SIZE + FAULT_IRQS_ENABLED(%rsp), %eax
	movl	%eax, -40(%rcx)
	movq	%rcx, PT_CX(%rsp)
	RESTORE_REGS
	leaq	-40(%rcx), %rsp
	popq	%rax
	movl	%eax, %gs:VCPU_IRQS_ENABLED
	popq	%rcx
	popq	%rax
	popfq
	ret
SYM_CODE_END(um_kernel_fault_entry)

	.section .note.GNU-stack,"",@progbits
