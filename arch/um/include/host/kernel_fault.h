/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fault of kernel code, as the host's signal handler (os-Linux/signal.c) leaves it
 * at the stack pointer with which it continues at um_kernel_fault_entry
 * (kernel/entry.S); that hands it to kernel/traps.c.
 */
#ifndef __HOST_KERNEL_FAULT_H
#define __HOST_KERNEL_FAULT_H

/* Offsets for assembly. */
#define FAULT_IRQS_ENABLED	24
#define FAULT_FLAGS		32
#define FAULT_IP		40
#define FAULT_SP		48

#if !defined(__ASSEMBLY__) && !defined(__ASSEMBLER__)

/**
 * struct um_kernel_fault - what happened, and where
 * @error_code: the CPU's, of a page fault
 * @addr: which address could not be accessed, for SIGSEGV and SIGBUS; else as
 *	siginfo has it
 * @trapno: vector of the CPU's exception
 * @signo: the host's signal
 * @irqs_enabled: of the vCPU before; they are off now
 * @flags: the CPU's
 * @ip: the instruction that faulted
 * @sp: the stack pointer then. This description is below it, or on the emergency
 *	stack if that stack is unusable.
 */
struct um_kernel_fault {
	unsigned long error_code;
	unsigned long addr;
	unsigned int trapno;
	unsigned int signo;
	unsigned long irqs_enabled;
	unsigned long flags;
	unsigned long ip;
	unsigned long sp;
};

_Static_assert(__builtin_offsetof(struct um_kernel_fault, irqs_enabled) == FAULT_IRQS_ENABLED,
	       "fault");
_Static_assert(__builtin_offsetof(struct um_kernel_fault, flags) == FAULT_FLAGS, "fault");
_Static_assert(__builtin_offsetof(struct um_kernel_fault, ip) == FAULT_IP, "fault");
_Static_assert(__builtin_offsetof(struct um_kernel_fault, sp) == FAULT_SP, "fault");

#endif /* !__ASSEMBLY__ */
#endif
