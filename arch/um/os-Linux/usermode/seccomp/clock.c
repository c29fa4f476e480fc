// SPDX-License-Identifier: GPL-2.0
/*
 * Whether the host's vDSO answers by itself is tried in a stub as if it were
 * guest code: a system call would trap. It returns to address 0, where nothing
 * is mapped.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "../common.h"
#include "seccomp.h"

/* In the signal stack, far below where frames are. */
#define RESULT		SC_STACK
#define PROBE_SP	(SC_STACK + 0x4000 - 8)

static int call_clock(struct um_mm *mm, unsigned long function, int clock)
{
	char *stack = (char *)sc_state(mm) + sc_info.state_size;
	unsigned long gp[UM_NR_REGS] = { 0 }, seconds;
	struct um_event event;

	memset(stack, 0, PROBE_SP - SC_STACK + 8);
	gp[UM_RIP] = function;
	gp[UM_RSP] = PROBE_SP;
	gp[UM_RDI] = clock;
	gp[UM_RSI] = RESULT;
	seccomp_backend.resume(mm, gp, 0);
	do {
		seccomp_backend.wait(mm, gp, &event);
	} while (event.kind == UM_EV_INTERRUPT);
	if (event.kind != UM_EV_FAULT || gp[UM_RIP] || gp[UM_RAX])
		return 0;
	memcpy(&seconds, stack, sizeof(seconds));
	return vdso_clock_good(clock, seconds);
}

/**
 * sc_clock_probe() - find out what host_vdso_clock() is to be
 */
void sc_clock_probe(struct um_mm *mm)
{
	unsigned long offset = sc_info.vdso ? vdso_clock_offset() : 0;
	unsigned long addr = sc_info.vdso + offset;

	if (offset && call_clock(mm, addr, CLOCK_MONOTONIC) && call_clock(mm, addr, CLOCK_REALTIME))
		vdso_clock_set(addr);
}
