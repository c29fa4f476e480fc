/* SPDX-License-Identifier: GPL-2.0 */
/* What the backends share. */
#ifndef __UM_USERMODE_COMMON_H
#define __UM_USERMODE_COMMON_H

#include <host/layout.h>
#include <host/usermode.h>

#define TRAP_DB			1
#define TRAP_BP			3
#define TRAP_TS			10
#define TRAP_GP			13
#define TRAP_PF			14

/* Page-fault error code bits */
#define PF_PRESENT		1
#define PF_USER			4
#define PF_FETCH		16

#define GP_INT80		0x402	/* vector 0x80 of the interrupt table */

#define USER_CS			0x33
#define USER32_CS		0x23
#define USER_DS			0x2b
#define EFLAGS_START		0x202
#define EFLAGS_TF		0x100
#define EFLAGS_RF		0x10000
#define HWCAP2_FSGSBASE		2

/*
 * Added to the number of a host system call that a stub is to make: it may fail,
 * and then the next is made instead; otherwise that is left out.
 */
#define OP_OR_NEXT		(1L << 32)

/* regs.c */

/**
 * regs_sanitise() - make a register file one that guest code may have
 * @regs: cs, ss, data selectors and flags are forced to allowed values
 */
void regs_sanitise(unsigned long *regs);

/** is_canonical() - can the CPU use this as an address? */
static inline int is_canonical(unsigned long value)
{
	return (long)(value << 16) >> 16 == (long)value;
}

/* event.c: exceptions as the kernel half wants them. All return 1. */

/** in_vsyscall() - is this address in the host's vsyscall page? */
int in_vsyscall(unsigned long addr);

/** event_fetch_fault() - the guest jumped where it can't execute */
int event_fetch_fault(struct um_event *event, unsigned long ip, unsigned long bits);

/** event_protection_fault() - #GP, which the kernel half makes a SIGSEGV of */
int event_protection_fault(struct um_event *event, unsigned long error_code);

/**
 * event_sigtrap() - breakpoint, single step, watchpoint
 * @event: the result
 * @code: si_code
 * @addr: si_addr
 */
int event_sigtrap(struct um_event *event, int code, unsigned long addr);

/**
 * event_exception() - SIGSEGV, SIGBUS, SIGFPE or SIGILL by the CPU
 * @event: the result
 * @signo: the signal
 * @code: si_code, positive
 * @addr: si_addr
 * @trapno: vector, from the signal frame
 * @error_code: the CPU's, likewise
 * @cr2: likewise
 */
int event_exception(struct um_event *event, int signo, int code, unsigned long addr,
		    unsigned long trapno, unsigned long error_code, unsigned long cr2);

/* launch.c */

/**
 * launch_init() - prepare the program of the first stub
 * @image: ELF file, one page
 * @size: its bytes
 *
 * Returns 0 or a negative errno value.
 */
int launch_init(const void *image, unsigned long size);

/**
 * launch_stub() - start it
 * @memory: descriptor it will know as 0
 * @control: descriptor it will know as 1
 *
 * Descriptor 2 is the image. Returns the pid or a negative errno value.
 */
int launch_stub(int memory, int control);

/* maps.c */

/**
 * struct map_line - one line of /proc/PID/maps
 */
struct map_line {
	unsigned long start, end;
	char name[24];
};

#define MAPS_MAX	128

/**
 * maps_read() - the mappings of a process
 * @pid: whose
 * @maps: array of MAPS_MAX
 *
 * Returns their number or a negative errno value.
 */
int maps_read(int pid, struct map_line *maps);

/* space.c */

typedef long (*space_call_fn)(long nr, unsigned long a1, unsigned long a2,
			      unsigned long a3, unsigned long a4, unsigned long a5);

/**
 * space_clear() - leave nothing but the stub in a freshly executed stub
 * @pid: whose
 * @keep: addresses of mappings that stay, ended by 0
 * @vdso_area: where the vDSO and what it reads go
 * @vdso: 0, or where the vDSO must be; receives where it is
 * @last: accept to do without the vDSO
 * @call: makes the stub execute a system call
 *
 * Keeps distances. Where the host sealed these mappings they stay; that is no
 * harm if they lie in the stub's area by themselves. If not, another process
 * should be tried, as its vDSO will be elsewhere. Returns 0, -EAGAIN, -ESRCH,
 * or another error.
 */
int space_clear(int pid, const unsigned long *keep, unsigned long vdso_area,
		unsigned long *vdso, int last, space_call_fn call);

/* vdso.c */

/** vdso_clock_offset() - place of clock_gettime() in the host's vDSO, or 0 */
unsigned long vdso_clock_offset(void);

/** vdso_clock_good() - is what a stub's clock said about @clock believable? */
int vdso_clock_good(int clock, unsigned long seconds);

/** vdso_clock_set() - what host_vdso_clock() is to answer */
void vdso_clock_set(unsigned long addr);

/* cpu.c */
void cpu_init(void);
int cpu_has_xsave(void);

extern const struct um_backend ptrace_backend, seccomp_backend;

#endif
