/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stub program, as a complete ELF file in one page.
 *
 * It is data to the kernel process, which writes it into a sealed memory file
 * and executes that; so no second link step or file is needed. The code has no
 * stack and no data: whoever traces it sets registers, lets it run, and waits
 * for one of the int3 instructions below. Which int3 was reached tells what
 * ended.
 *
 * Guest code can jump here, too. It gains nothing: its registers are its own,
 * every system call it makes is emulated, and the int3 becomes a trap of the
 * guest.
 */
#define __ASSEMBLY__
#include "../stub_elf.h"
#include "stub.h"

#define __NR_pause		34

/* struct ucontext and siginfo as the host kernel builds them on x86-64 */
#define SI_CODE			8
#define SI_ADDR			16
#define UC_ERR			192
#define UC_TRAPNO		200
#define UC_CR2			216
#define UC_FPSTATE		224

	.section .rodata.stub, "a", @progbits
	.balign	64
	.globl	stub_image
stub_image:
	STUB_ELF stub_image, stub_image_end, STUB_CODE, stub_idle

/* Entry: wait to be seized. */
	.globl	stub_idle
stub_idle:
	mov	$__NR_pause, %eax
	syscall
	jmp	stub_idle

/* One system call, all in registers; the result is in rax. */
	.globl	stub_call, stub_call_trap
stub_call:
	syscall
stub_call_trap:
	int3

/*
 * The operations from rbx up to r12, until one fails. At the end rbx == r12,
 * or rbx is the failed operation and rax the error. One with OP_OR_NEXT may fail:
 * then the next is its substitute, which is left out otherwise.
 */
	.globl	stub_batch, stub_batch_trap
stub_batch:
	cmp	%r12, %rbx
	jae	stub_batch_trap
	mov	STUB_OP_NR(%rbx), %eax
	/* Before the call: that may map another page of operations here. */
	mov	STUB_OP_NR + 4(%rbx), %r13d
	mov	STUB_OP_ARG(0)(%rbx), %rdi
	mov	STUB_OP_ARG(1)(%rbx), %rsi
	mov	STUB_OP_ARG(2)(%rbx), %rdx
	mov	STUB_OP_ARG(3)(%rbx), %r10
	mov	STUB_OP_ARG(4)(%rbx), %r8
	mov	STUB_OP_ARG(5)(%rbx), %r9
	syscall
	cmp	$-4095, %rax
	jae	1f
	test	%r13d, %r13d
	jz	2f
	add	$STUB_OP_SIZE, %rbx
2:	add	$STUB_OP_SIZE, %rbx
	jmp	stub_batch
1:	test	%r13d, %r13d
	jnz	2b
stub_batch_trap:
	int3

/* Segment bases that PTRACE_SETREGS refuses: rax to fs, rdx to gs. */
	.globl	stub_bases, stub_bases_trap
stub_bases:
	.byte	0xf3, 0x48, 0x0f, 0xae, 0xd0		/* wrfsbase %rax */
	.byte	0xf3, 0x48, 0x0f, 0xae, 0xda		/* wrgsbase %rdx */
stub_bases_trap:
	int3

/*
 * Handler of SIGSEGV, SIGBUS, SIGFPE and SIGILL: only the signal frame holds
 * the vector and the error code. They end up in r8 to r10, si_code in r12,
 * si_addr in r13. Entering the handler reset the extended state: load it from
 * the frame, so that the tracer need not save it.
 */
	.globl	stub_fault, stub_fault_fxsr, stub_fault_trap
stub_fault:
	mov	UC_FPSTATE(%rdx), %rbx
	mov	UC_ERR(%rdx), %r8
	mov	UC_TRAPNO(%rdx), %r9
	mov	UC_CR2(%rdx), %r10
	movslq	SI_CODE(%rsi), %r12
	mov	SI_ADDR(%rsi), %r13
	mov	$-1, %eax
	mov	%eax, %edx
	xrstor64 (%rbx)
stub_fault_trap:
	int3

/* The same for a CPU without XSAVE. */
stub_fault_fxsr:
	mov	UC_FPSTATE(%rdx), %rbx
	mov	UC_ERR(%rdx), %r8
	mov	UC_TRAPNO(%rdx), %r9
	mov	UC_CR2(%rdx), %r10
	movslq	SI_CODE(%rsi), %r12
	mov	SI_ADDR(%rsi), %r13
	fxrstor64 (%rbx)
	jmp	stub_fault_trap

	.globl	stub_image_end
stub_image_end:

	.section .note.GNU-stack, "", @progbits
