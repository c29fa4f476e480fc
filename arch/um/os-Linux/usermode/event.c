// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions of guest code as the kernel half wants them, from what the host
 * reports by signals.
 */
#include <signal.h>

#include <host/costs.h>
#include "common.h"

struct host_costs host_costs;

#define VSYSCALL_START	0xffffffffff600000UL
#define VSYSCALL_END	0xffffffffff601000UL

int in_vsyscall(unsigned long addr)
{
	return addr >= VSYSCALL_START && addr < VSYSCALL_END;
}

int event_fetch_fault(struct um_event *event, unsigned long ip, unsigned long bits)
{
	event->kind = UM_EV_FAULT;
	event->signo = SIGSEGV;
	event->code = SEGV_MAPERR;
	event->addr = ip;
	event->trapno = TRAP_PF;
	event->error_code = PF_USER | PF_FETCH | bits;
	return 1;
}

int event_protection_fault(struct um_event *event, unsigned long error_code)
{
	event->kind = UM_EV_TRAP;
	event->signo = SIGSEGV;
	event->code = SI_KERNEL;
	event->addr = 0;
	event->trapno = TRAP_GP;
	event->error_code = error_code;
	return 1;
}

int event_sigtrap(struct um_event *event, int code, unsigned long addr)
{
	event->kind = UM_EV_TRAP;
	event->signo = SIGTRAP;
	event->code = code;
	event->addr = addr;
	event->trapno = code == SI_KERNEL ? TRAP_BP : TRAP_DB;
	event->error_code = 0;
	return 1;
}

int event_exception(struct um_event *event, int signo, int code, unsigned long addr,
		    unsigned long trapno, unsigned long error_code, unsigned long cr2)
{
	event->kind = UM_EV_TRAP;
	event->signo = signo;
	event->code = code;
	event->addr = addr;
	event->trapno = trapno;
	event->error_code = error_code;
	if (signo == SIGSEGV && code == SI_KERNEL) {
		/* Where the host forces a SIGSEGV, the vector is an older one. */
		if (trapno < TRAP_TS || trapno > TRAP_GP)
			return event_protection_fault(event, 0);
	} else if (trapno == TRAP_PF && (signo == SIGSEGV || signo == SIGBUS)) {
		event->kind = UM_EV_FAULT;
		event->addr = cr2;
	}
	return 1;
}
