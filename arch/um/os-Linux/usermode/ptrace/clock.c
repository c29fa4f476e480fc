// SPDX-License-Identifier: GPL-2.0
/*
 * Whether the host's vDSO answers by itself is tried in the zygote as if it
 * were guest code: with SYSEMU a call would show.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <time.h>

#include "trace.h"

/* Call the function for one clock. Returns 1 if it answered by itself. */
static int call_clock(struct um_mm *mm, unsigned long function, int clock)
{
	unsigned long top = STUB_STACK + stub_info.stack_size;
	unsigned long sp = top - 72, result = STUB_STACK + 256;
	unsigned long regs[UM_NR_REGS], seconds;
	int stop;

	trace_start_regs(regs, function);
	regs[UM_RDI] = clock;
	regs[UM_RSI] = result;
	regs[UM_RSP] = sp;
	if (trace_ptrace(PTRACE_POKEDATA, mm->pid, sp, STUB_ADDR(stub_call_trap)) ||
	    trace_ptrace(PTRACE_SETREGS, mm->pid, 0, (unsigned long)regs))
		return 0;
	do {
		if (trace_ptrace(PTRACE_SYSEMU, mm->pid, 0, 0) || trace_wait(mm, &stop))
			return 0;
		/* Not interested in signals from outside. */
	} while (stop != SIGTRAP && stop != (SIGTRAP | 0x80) && stop != SIGSEGV);
	if (stop != SIGTRAP ||
	    trace_ptrace(PTRACE_GETREGS, mm->pid, 0, (unsigned long)regs) ||
	    regs[UM_RIP] != STUB_ADDR(stub_call_trap) + 1 || regs[UM_RAX] ||
	    trace_ptrace(PTRACE_PEEKDATA, mm->pid, result, (unsigned long)&seconds))
		return 0;
	return vdso_clock_good(clock, seconds);
}

/**
 * clock_probe() - find out what host_vdso_clock() is to be
 * @mm: the zygote
 *
 * Returns 0, or -ESRCH if the zygote is gone.
 */
int clock_probe(struct um_mm *mm)
{
	unsigned long offset = stub_info.vdso ? vdso_clock_offset() : 0;

	if (offset && call_clock(mm, stub_info.vdso + offset, CLOCK_MONOTONIC) &&
	    call_clock(mm, stub_info.vdso + offset, CLOCK_REALTIME))
		vdso_clock_set(stub_info.vdso + offset);
	return mm->pid ? 0 : -ESRCH;
}
