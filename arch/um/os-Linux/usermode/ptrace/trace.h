/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the ptrace backend: its state, and the layers its files offer each
 * other, lowest first. All functions run on the vCPU thread, which is the
 * tracer; errors are negative errno values. -ESRCH means that the host
 * process is gone.
 */
#ifndef __UM_TRACE_H
#define __UM_TRACE_H

#include <host/usermode.h>
#include "../common.h"
#include "stub.h"

/**
 * struct um_mm - one guest address space
 * @pid: its stub, or 0 when it is gone and reaped
 * @slot: its page of the control memory
 * @kicked: a kick was asked for and has not been reported
 * @settling: the zygote runs to its next int3 unobserved
 * @mode: PTRACE_SYSEMU or PTRACE_SYSEMU_SINGLESTEP while guest code runs, else 0
 * @next: free list, or list of dying stubs
 */
struct um_mm {
	int pid;
	unsigned int slot;
	unsigned char kicked;
	unsigned char settling;
	int mode;
	struct um_mm *next;
};

/* What is the same for all stubs; filled at start. */
struct stub_info {
	unsigned long stack_size;	/* bytes at STUB_STACK */
	unsigned long vdso;		/* where [vdso] is in a stub, 0 if nowhere */
	int memory_fd;
	int control_fd;
};

extern struct stub_info stub_info;

/* trace.c: the tracer's primitives */

#define STUB_STOP_FORK		0x0105	/* SIGTRAP and PTRACE_EVENT_FORK */

long trace_ptrace(long request, int pid, unsigned long addr, unsigned long data);

/**
 * trace_wait() - sleep until a stub stops
 * @mm: the stub
 * @stop: receives the wait status shifted right by 8: signal and event
 *
 * Not interruptible: for runs of the stub's own code, which are short. Returns
 * 0 or -ESRCH.
 */
int trace_wait(struct um_mm *mm, int *stop);

/**
 * trace_gone() - note that a wait status or ECHILD said a stub is dead
 *
 * Returns -ESRCH.
 */
int trace_gone(struct um_mm *mm);

/** trace_kill() - kill a stub that misbehaves, and reap it. Returns -ESRCH. */
int trace_kill(struct um_mm *mm);

/**
 * trace_finish() - wait until the stub's own code ends
 * @mm: a stub that was let go
 * @regs: receives its registers unless NULL
 * @end: STUB_ADDR() of the int3 that is expected
 *
 * Whatever stops the stub on the way (signals from outside, leftover kicks) is
 * swallowed. A stub that faults in its own code is killed. Returns 0, -ESRCH.
 */
int trace_finish(struct um_mm *mm, unsigned long *regs, unsigned long end);

/**
 * trace_run() - let a stopped stub execute its own code to the int3 at @end
 * @mm: the stub
 * @regs: registers to start with; receives those at the end
 * @end: STUB_ADDR() of the int3 that is expected
 *
 * Returns 0 or -ESRCH.
 */
int trace_run(struct um_mm *mm, unsigned long *regs, unsigned long end);

/** trace_start_regs() - a register file that starts the stub at @ip */
void trace_start_regs(unsigned long *regs, unsigned long ip);

/**
 * trace_call() - one system call in a stub
 *
 * Returns its result, or -ESRCH.
 */
long trace_call(struct um_mm *mm, long nr, unsigned long a1, unsigned long a2,
		unsigned long a3, unsigned long a4, unsigned long a5, unsigned long a6);

/**
 * trace_batch() - execute operations that are in the stub's CMD page
 * @mm: the stub
 * @nr: how many, at most STUB_OPS_PER_PAGE
 *
 * Stops at the first that fails. Returns 0, its error, or -ESRCH.
 */
int trace_batch(struct um_mm *mm, unsigned int nr);

/** trace_load() - set the registers guest code continues with, sanitised */
int trace_load(struct um_mm *mm, const unsigned long *gp);

/* decode.c */

/**
 * event_decode() - find out why guest code stopped
 * @mm: the stub, stopped while it ran guest code
 * @stop: as from trace_wait()
 * @gp: receives the registers
 * @event: receives the reason
 *
 * Returns 1 if @event is for the kernel half, 0 if it was nothing (the guest
 * is to continue with @gp), or -ESRCH.
 */
int event_decode(struct um_mm *mm, int stop, unsigned long *gp, struct um_event *event);

/* zygote.c */
int zygote_start(void);
int zygote_fork(struct um_mm *mm);
struct stub_op *zygote_page(unsigned int slot);
void zygote_stop(void);
extern struct um_mm zygote;

/* clock.c */
int clock_probe(struct um_mm *mm);

#endif
