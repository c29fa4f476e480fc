/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The code of agent and runner, as a complete ELF file in one page. It is data
 * to the kernel process, which writes it into a sealed memory file that the
 * first stub executes; all others are its clones.
 *
 * The agent has no stack and keeps what it must rely on in registers: the
 * offset of its answers (rbx), the last order (r12d), the operation at hand
 * (ebp of r14d, at r15). All else it reads from pages that nobody in this
 * address space can write.
 *
 * The runner enters by runner_signal, the handler of all signals it accepts, or
 * by runner_syscall from a patched call site, publishes where the registers
 * are, hands over the turn, and waits to get it back. It never returns from a
 * signal: leaving loads all registers from STATE. The filters know every
 * syscall instruction here by its address; labels *_insn_end mark them.
 *
 * Guest code can jump anywhere here, and can write STATE and the stack at any
 * time. It can only confuse its own process by that.
 */
#define __ASSEMBLY__
#include "../stub_elf.h"
#include "layout.h"

#define __NR_mmap		9
#define __NR_pwrite64		18
#define __NR_clone		56
#define __NR_getppid		110
#define __NR_prctl		157
#define __NR_futex		202
#define __NR_exit_group		231

#define PROT_READ		1
#define MAP_SHARED_FIXED	0x11
#define PR_SET_PDEATHSIG	1
#define SIGKILL			9
#define FUTEX_WAIT		0
#define FUTEX_WAKE		1
#define EFLAGS_CLEAN		0x202
#define USER_CS			0x33
#define USER_DS			0x2b

/* struct ucontext and siginfo as the host kernel builds them on x86-64 */
#define SI_CODE			8
#define UC_R8			40
#define UC_R9			48
#define UC_R10			56
#define UC_R11			64
#define UC_R12			72
#define UC_R13			80
#define UC_R14			88
#define UC_R15			96
#define UC_RDI			104
#define UC_RSI			112
#define UC_RBP			120
#define UC_RBX			128
#define UC_RDX			136
#define UC_RAX			144
#define UC_RCX			152
#define UC_RSP			160
#define UC_RIP			168
#define UC_EFLAGS		176
#define UC_FPSTATE		224

/* enum um_reg */
#define GP(n)			STATE(STATE_GP + 8 * (n))
#define R15			0
#define R14			1
#define R13			2
#define R12			3
#define RBP			4
#define RBX			5
#define R11			6
#define R10			7
#define R9			8
#define R8			9
#define RAX			10
#define RCX			11
#define RDX			12
#define RSI			13
#define RDI			14
#define ORIG_RAX		15
#define RIP			16
#define EFLAGS			18
#define RSP			19
#define FS_BASE			21
#define GS_BASE			22
#define DS			23
#define ES			24
#define FS			25
#define GS			26

/* Places in the stub's pages, relative to the instruction. */
#define AT(addr)		(sc_image + ((addr) - SC_CODE))(%rip)
#define STATE(off)		AT(SC_STATE + (off))
#define CMD(off)		AT(SC_CMD + (off))

	.section .rodata.seccomp_stub, "a", @progbits
	.balign	64
	.globl	sc_image
sc_image:
	STUB_ELF sc_image, sc_image_end, SC_CODE, agent_entry

/* Every byte value, for the agent to write from. */
sc_bytes:
	.set	value, 0
	.rept	256
	.byte	value
	.set	value, value + 1
	.endr

/* A system call whose address the filters know. */
.macro	CALL_AT name
	syscall
	.globl	\name\()_insn_end
\name\()_insn_end:
.endm

/* All but rip, rsp, flags and segments. */
.macro	LOAD_REGISTERS
	movq	GP(R15), %r15
	movq	GP(R14), %r14
	movq	GP(R13), %r13
	movq	GP(R12), %r12
	movq	GP(RBP), %rbp
	movq	GP(RBX), %rbx
	movq	GP(R11), %r11
	movq	GP(R10), %r10
	movq	GP(R9), %r9
	movq	GP(R8), %r8
	movq	GP(RAX), %rax
	movq	GP(RCX), %rcx
	movq	GP(RDX), %rdx
	movq	GP(RSI), %rsi
	movq	GP(RDI), %rdi
.endm

/* A cache line that is not written need not travel between CPUs. */
.macro	STORE_CHANGED n
	cmpq	%rax, GP(\n)
	je	.Lsame\@
	movq	%rax, GP(\n)
.Lsame\@:
.endm

/*
 * The first stub begins here after exec. Slot 0 is its own.
 */
	.balign	16
agent_entry:
	xorl	%r9d, %r9d
	jmp	agent_map

/* A clone made by another agent: the other's orders say which slot is ours. */
agent_child:
	movq	CMD(CMD_CHILD), %r9
agent_map:
	leaq	4096(%r9), %rbx
	movl	$__NR_mmap, %eax
	leaq	CMD(0), %rdi
	movl	$8192, %esi
	movl	$PROT_READ, %edx
	movl	$MAP_SHARED_FIXED, %r10d
	movl	$SC_FD_CONTROL, %r8d
	CALL_AT	agent_map
	testq	%rax, %rax
	js	agent_exit
	/* Die with the kernel process, also if it died before this. */
	movl	$__NR_prctl, %eax
	movl	$PR_SET_PDEATHSIG, %edi
	movl	$SIGKILL, %esi
	CALL_AT	agent_deathsig
	movl	$__NR_getppid, %eax
	CALL_AT	agent_getppid
	cmpl	CMD(CMD_KERNEL_PID), %eax
	jne	agent_exit
	/* Not a value read from anywhere: orders start at 1. */
	xorl	%r12d, %r12d

agent_loop:
	movl	CMD(CMD_SEQ), %eax
	cmpl	%r12d, %eax
	jne	agent_order
	movl	$__NR_futex, %eax
	leaq	CMD(CMD_SEQ), %rdi
	movl	$FUTEX_WAIT, %esi
	movl	%r12d, %edx
	xorl	%r10d, %r10d
	CALL_AT	agent_wait
	jmp	agent_loop

agent_order:
	movl	%eax, %r12d
	movl	CMD(CMD_NR), %r14d
	leaq	CMD(CMD_OPS), %r15
	xorl	%ebp, %ebp
agent_op:
	cmpl	%r14d, %ebp
	jae	agent_done
	movl	OP_NR(%r15), %eax
	movl	OP_NR + 4(%r15), %r13d
	movq	OP_ARG(0)(%r15), %rdi
	movq	OP_ARG(1)(%r15), %rsi
	movq	OP_ARG(2)(%r15), %rdx
	movq	OP_ARG(3)(%r15), %r10
	movq	OP_ARG(4)(%r15), %r8
	movq	OP_ARG(5)(%r15), %r9
	CALL_AT	agent_call
	cmpq	$-4095, %rax
	jae	agent_call_failed
	/* What worked needs no substitute. */
	testl	%r13d, %r13d
	jnz	agent_skip
	/* clone() in the child: a runner shares our memory, an agent does not. */
	testq	%rax, %rax
	jnz	1f
	cmpl	$__NR_clone, OP_NR(%r15)
	je	agent_cloned
1:	addq	$OP_SIZE, %r15
	incl	%ebp
	jmp	agent_op

agent_skip:
	addq	$OP_SIZE, %r15
	incl	%ebp
	jmp	1b
agent_call_failed:
	testl	%r13d, %r13d
	jnz	1b
	jmp	agent_failed

agent_cloned:
	testl	$0x100, OP_ARG(0)(%r15)		/* CLONE_VM */
	jz	agent_child
	jmp	runner_start

agent_done:
	cmpl	$0, CMD(CMD_CHAIN)
	je	agent_ack
	/* Let the guest go first, the kernel process can wait. */
	xorl	%eax, %eax
	xchgl	%eax, STATE(STATE_TURN)
	cmpl	$TURN_RSLEEP, %eax
	jne	agent_ack
	movl	$__NR_futex, %eax
	leaq	STATE(STATE_TURN), %rdi
	movl	$FUTEX_WAKE, %esi
	movl	$1, %edx
	CALL_AT	agent_wake_runner
agent_ack:
	movl	$__NR_pwrite64, %eax
	movl	$SC_FD_CONTROL, %edi
	leaq	CMD(CMD_SEQ), %rsi
	movl	$4, %edx
	movq	%rbx, %r10
	CALL_AT	agent_ack
	movl	$__NR_futex, %eax
	leaq	AT(SC_ACK), %rdi
	movl	$FUTEX_WAKE, %esi
	movl	$1, %edx
	CALL_AT	agent_wake_kernel
	jmp	agent_loop

agent_failed:
	negl	%eax
	movl	$255, %ecx
	cmpl	%ecx, %eax
	cmoval	%ecx, %eax
	leaq	sc_bytes(%rip), %rsi
	addq	%rax, %rsi
	movl	$__NR_pwrite64, %eax
	movl	$SC_FD_CONTROL, %edi
	movl	$1, %edx
	leaq	ACK_ERROR(%rbx), %r10
	CALL_AT	agent_error
	jmp	agent_ack

agent_exit:
	movl	$__NR_exit_group, %eax
	movl	$1, %edi
	CALL_AT	agent_exit
	jmp	agent_exit

/*
 * A new runner: start-up calls, the last of which installs its filter, then
 * wait as if guest code had just stopped.
 */
runner_start:
	movl	$__NR_prctl, %eax
	movl	$PR_SET_PDEATHSIG, %edi
	movl	$SIGKILL, %esi
	CALL_AT	runner_deathsig
	movl	$__NR_getppid, %eax
	CALL_AT	runner_getppid
	cmpl	CMD(CMD_KERNEL_PID), %eax
	jne	runner_exit
	xorl	%ebp, %ebp
	leaq	CMD(CMD_RUNNER_OPS), %r15
1:	cmpl	CMD(CMD_RUNNER_NR), %ebp
	jae	runner_publish
	movq	OP_NR(%r15), %rax
	movq	OP_ARG(0)(%r15), %rdi
	movq	OP_ARG(1)(%r15), %rsi
	movq	OP_ARG(2)(%r15), %rdx
	movq	OP_ARG(3)(%r15), %r10
	CALL_AT	runner_call
	cmpq	$-4095, %rax
	jae	runner_exit
	addq	$OP_SIZE, %r15
	incl	%ebp
	jmp	1b
runner_exit:
	movl	$__NR_exit_group, %eax
	movl	$1, %edi
	CALL_AT	runner_exit
	jmp	runner_exit

/*
 * A system call at a patched site: rcx is where it returns to, as after the
 * instruction, and r11 its slot. No use of the guest's stack; flags go through
 * STATE. rcx and r11 are stored as they will be loaded, so that the kernel
 * process finds nothing to change.
 */
	.balign	16
	.globl	runner_syscall
runner_syscall:
	movq	%rsp, GP(RSP)
	leaq	GP(EFLAGS + 1), %rsp
	pushfq
	movq	%r15, GP(R15)
	movq	%r14, GP(R14)
	movq	%r13, GP(R13)
	movq	%r12, GP(R12)
	movq	%rbp, GP(RBP)
	movq	%rbx, GP(RBX)
	movl	%r11d, STATE(STATE_SLOT)
	movq	GP(EFLAGS), %r11
	movq	%r11, GP(R11)
	movq	%r10, GP(R10)
	movq	%r9, GP(R9)
	movq	%r8, GP(R8)
	movq	%rax, GP(RAX)
	movq	%rdx, GP(RDX)
	movq	%rsi, GP(RSI)
	movq	%rdi, GP(RDI)
	movq	%rcx, GP(RCX)
	movq	%rcx, GP(RIP)
	movl	$KIND_SYSCALL, STATE(STATE_KIND)
	jmp	runner_segments

/*
 * The signal handler. What it interrupted may be guest code with any flags.
 */
	.balign	16
	.globl	runner_signal
runner_signal:
	pushq	$EFLAGS_CLEAN
	popfq
	movq	UC_RIP(%rdx), %rax
	leaq	sc_image(%rip), %rcx
	subq	%rcx, %rax
	cmpq	$4096, %rax
	jb	runner_in_stub
runner_frame:
	movq	%rdx, STATE(STATE_FRAME)
	movq	%rsi, STATE(STATE_INFO)
	movl	%edi, STATE(STATE_SIGNO)
	movl	$KIND_SIGNAL, STATE(STATE_KIND)
	/* What is not in the frame. */
runner_segments:
	movl	%ds, %eax
	STORE_CHANGED DS
	movl	%es, %eax
	STORE_CHANGED ES
	movl	%fs, %eax
	STORE_CHANGED FS
	movl	%gs, %eax
	STORE_CHANGED GS
	rdfsbase %rax
	STORE_CHANGED FS_BASE
	rdgsbase %rax
	STORE_CHANGED GS_BASE
runner_publish:
	movl	$TURN_STOPPED, %eax
	xchgl	%eax, STATE(STATE_TURN)

/* Since the exchange a kick means nothing until it is our turn again. */
runner_waits:
	cmpl	$TURN_RUN_KSLEEP, %eax
	jne	1f
	movl	$__NR_futex, %eax
	leaq	STATE(STATE_TURN), %rdi
	movl	$FUTEX_WAKE, %esi
	movl	$1, %edx
	CALL_AT	runner_wake
1:	movl	STATE(STATE_SPIN), %ecx
2:	movl	STATE(STATE_TURN), %eax
	cmpl	$TURN_STOPPED, %eax
	jb	runner_leaves
	ja	3f
	subl	$1, %ecx
	jb	4f
	pause
	jmp	2b
4:	movl	$TURN_RSLEEP, %ecx
	lock cmpxchgl %ecx, STATE(STATE_TURN)
	jne	1b
	movl	%ecx, %eax
3:	movl	%eax, %edx
	movl	$__NR_futex, %eax
	leaq	STATE(STATE_TURN), %rdi
	movl	$FUTEX_WAIT, %esi
	xorl	%r10d, %r10d
	CALL_AT	runner_wait
	jmp	1b

runner_leaves:
	movl	STATE(STATE_RESUME), %ebx
	testl	%ebx, %ebx
	jnz	5f
6:	LOAD_REGISTERS
	leaq	GP(EFLAGS), %rsp
	popfq
	movq	GP(RSP), %rsp
	jmp	*GP(RIP)

5:	movl	$-1, %eax
	movl	%eax, %edx
	movq	STATE(STATE_FP), %rcx
	testl	$RESUME_XSAVE, %ebx
	jz	1f
	/* Nobody has asked the host for AMX tiles, so touching them would trap. */
	movl	$~(1 << 18), %eax
	xsave64	(%rcx)
	movl	$KIND_SAVED, STATE(STATE_KIND)
	jmp	runner_publish
1:	testl	$RESUME_XRSTOR, %ebx
	jz	1f
	xrstor64 (%rcx)
1:	testl	$RESUME_SEGMENTS, %ebx
	jz	1f
	movl	GP(DS), %eax
	movl	%eax, %ds
	movl	GP(ES), %eax
	movl	%eax, %es
	movl	GP(FS), %eax
	movl	%eax, %fs
	movl	GP(GS), %eax
	movl	%eax, %gs
	movq	GP(FS_BASE), %rax
	wrfsbase %rax
	movq	GP(GS_BASE), %rax
	wrgsbase %rax
1:	testl	$RESUME_IRET, %ebx
	jz	6b
	/* iretq faults if NT is set. */
	leaq	STATE(STATE_GP), %rsp
	pushq	$EFLAGS_CLEAN
	popfq
	LOAD_REGISTERS
	leaq	STATE(STATE_IRET), %rsp
	iretq
runner_left:

/*
 * A signal interrupted this page's code. Exceptions are the guest's doing.
 * Others were sent: by the kernel process, which wants the guest stopped, or
 * by somebody else.
 */
runner_in_stub:
	cmpl	$0, SI_CODE(%rsi)
	jg	runner_frame
	cmpq	$(runner_waits - sc_image), %rax
	jb	runner_return
	cmpq	$(runner_left - sc_image), %rax
	jae	runner_return
	cmpl	$TURN_STOPPED, STATE(STATE_TURN)
	jae	runner_return
	/*
	 * On the way out: stop again. Registers are still where the kernel
	 * process put them; extended state, unless it came from memory, is now
	 * in this frame. If it is not, the frame's room is given back: kicks that
	 * come before each start would fill the stack. The stack pointer must be
	 * one of this stack, though: from any other the next frame would begin
	 * at its top, on the one that is in use.
	 */
	movq	%rdx, STATE(STATE_FRAME)
	movl	$KIND_AGAIN, STATE(STATE_KIND)
	testl	$RESUME_XRSTOR, STATE(STATE_RESUME)
	jz	runner_publish
	movq	UC_RSP(%rdx), %rax
	movq	%rax, %rcx
	subq	%rsp, %rcx
	cmpq	$SC_STACK_MAX, %rcx
	cmovbq	%rax, %rsp
	jmp	runner_publish

/* As if it had not happened. rt_sigreturn() is nothing a runner may call. */
runner_return:
	pushq	$USER_DS
	pushq	UC_RSP(%rdx)
	pushq	UC_EFLAGS(%rdx)
	pushq	$USER_CS
	pushq	UC_RIP(%rdx)
	movq	%rdx, %rbx
	movq	UC_FPSTATE(%rbx), %rcx
	movl	$-1, %eax
	movl	%eax, %edx
	xrstor64 (%rcx)
	movq	UC_R8(%rbx), %r8
	movq	UC_R9(%rbx), %r9
	movq	UC_R10(%rbx), %r10
	movq	UC_R11(%rbx), %r11
	movq	UC_R12(%rbx), %r12
	movq	UC_R13(%rbx), %r13
	movq	UC_R14(%rbx), %r14
	movq	UC_R15(%rbx), %r15
	movq	UC_RDI(%rbx), %rdi
	movq	UC_RSI(%rbx), %rsi
	movq	UC_RBP(%rbx), %rbp
	movq	UC_RDX(%rbx), %rdx
	movq	UC_RAX(%rbx), %rax
	movq	UC_RCX(%rbx), %rcx
	movq	UC_RBX(%rbx), %rbx
	iretq

	.globl	sc_restorer
sc_restorer:
	ud2

	/* Fails to assemble if the stub outgrows its page. */
	.org	sc_image + 4096, 0xcc
	.globl	sc_image_end
sc_image_end:

	.section .note.GNU-stack, "", @progbits
