/* SPDX-License-Identifier: GPL-2.0 */
/*
 * long host_syscall_pending(vcpu, nr, a1, a2, a3, a4, a5, a6)
 *
 * Between the check of vcpu->pending and the system call there is a window in
 * which a signal would be noticed by nobody. The handler closes it: if it
 * interrupts [begin, insn], it continues at abort. Nothing between begin and
 * insn changes state, so giving up there is always right.
 */
#include <host/vcpu.h>
#define EINTR	4

	.text
	.globl	host_syscall_pending
	.globl	host_syscall_pending_begin
	.globl	host_syscall_pending_insn
	.globl	host_syscall_pending_abort
	.type	host_syscall_pending, @function
host_syscall_pending:
	movq	%rdi, %r11
	movq	%rsi, %rax
	movq	%rdx, %rdi
	movq	%rcx, %rsi
	movq	%r8, %rdx
	movq	%r9, %r10
	movq	8(%rsp), %r8
	movq	16(%rsp), %r9
host_syscall_pending_begin:
	cmpl	$0, VCPU_PENDING(%r11)
	jne	host_syscall_pending_abort
host_syscall_pending_insn:
	syscall
	ret
host_syscall_pending_abort:
	movq	$-EINTR, %rax
	ret
	.size	host_syscall_pending, . - host_syscall_pending

	.section .note.GNU-stack,"",@progbits
