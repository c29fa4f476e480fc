/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU is a host thread; everything the two halves share about it hangs off
 * struct vcpu. The gs base of the thread points at its struct vcpu: the C
 * library leaves gs alone, and an assembly read through %gs is never cached
 * across a task switch as a __thread access would be.
 */
#ifndef __HOST_VCPU_H
#define __HOST_VCPU_H

/* Offsets for assembly. */
#define VCPU_SELF		0
#define VCPU_CURRENT		8
#define VCPU_IRQS_ENABLED	16
#define VCPU_PENDING		20

#if !defined(__ASSEMBLY__) && !defined(__ASSEMBLER__)

/* Interrupt lines below the generic irq numbers; bits of vcpu.pending. */
#define UM_IRQ_TIMER		0	/* the one-shot timer expired */
#define UM_IRQ_EVENT		1	/* host_event_next() has something */
#define UM_IRQ_SHUTDOWN		2	/* SIGTERM, SIGINT or SIGHUP arrived */
#define UM_IRQ_COUNT		3

/**
 * struct vcpu - state of one virtual CPU
 * @self: its own address, so that %gs:0 yields a pointer
 * @current_task: the task_struct running on it (kernel half only)
 * @irqs_enabled: 1 when the kernel half accepts interrupts
 * @pending: bits 1 << UM_IRQ_*, set by host signal handlers and host threads,
 *	taken by the kernel half
 * @stack_lo: lowest address of the current kernel stack
 * @stack_hi: end of the current kernel stack
 * @emergency_stack: top of a stack for reporting a kernel stack overflow
 * @host_tid: thread id on the host
 * @id: number of the vCPU
 *
 * Assembly uses the first fields by offset (the VCPU_ macros below).
 */
struct vcpu {
	struct vcpu *self;
	void *current_task;
	unsigned int irqs_enabled;
	unsigned int pending;
	unsigned long stack_lo;
	unsigned long stack_hi;
	unsigned long emergency_stack;
	int host_tid;
	int id;
};

_Static_assert(__builtin_offsetof(struct vcpu, self) == VCPU_SELF, "vcpu");
_Static_assert(__builtin_offsetof(struct vcpu, current_task) == VCPU_CURRENT, "vcpu");
_Static_assert(__builtin_offsetof(struct vcpu, irqs_enabled) == VCPU_IRQS_ENABLED, "vcpu");
_Static_assert(__builtin_offsetof(struct vcpu, pending) == VCPU_PENDING, "vcpu");

/**
 * host_vcpu_idle() - sleep until an interrupt is pending
 * @vcpu: the calling vCPU
 *
 * Called with irqs_enabled == 0. Returns at once if something is pending;
 * there is no window in which a wake-up could be lost.
 */
void host_vcpu_idle(struct vcpu *vcpu);

/*
 * Entry points of the kernel half, reached by a host signal handler that
 * rewrote the interrupted instruction pointer; see os-Linux/signal.c for what
 * they find on the stack. Never called.
 */
void um_kernel_irq_entry(void);
void um_kernel_fault_entry(void);

#endif /* !__ASSEMBLY__ */
#endif
