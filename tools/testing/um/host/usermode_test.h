/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the user-mode backend share: usermode_harness.c. */
#ifndef USERMODE_TEST_H
#define USERMODE_TEST_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <host/layout.h>
#include <host/memory.h>
#include <host/process.h>
#include <host/usermode.h>
#include <host/vcpu.h>
#include "../../../../arch/um/os-Linux/internal.h"
#include "check.h"

#define MEM_SIZE	(16UL << 20)
#define CODE		0x400000UL	/* offset 0, r-x */
#define DATA		0x500000UL	/* offset 1 MiB, rw- */
#define STACK		0x600000UL	/* offset 2 MiB, rw-, 64 KiB */
#define RO		0x700000UL	/* offset 3 MiB, r-- */
#define HOLE		0x800000UL	/* nothing */
#define DATA_OFF	0x100000UL
#define STACK_OFF	0x200000UL
#define RO_OFF		0x300000UL
#define STACK_SIZE	0x10000UL
#define STACK_TOP	(STACK + STACK_SIZE - 0x100)
#define VSYSCALL_TIME	0xffffffffff600400UL

extern char *mem;		/* all of guest memory */

/* Guest code, as data of this program. */
#define GUEST(name, text)						\
	extern const char name[], name##_end[];				\
	__asm__(".pushsection .rodata\n.globl " #name ", " #name "_end\n" #name ":\n" text "\n" #name "_end:\n.popsection\n")

extern const char g_syscall[], g_syscall_end[], g_read[], g_read_end[];
extern const char g_write[], g_write_end[], g_jump[], g_jump_end[];
extern const char g_patched_loop[], g_patched_loop_end[];
extern const char g_loop[], g_loop_end[], g_call[], g_call_end[];

/* Copy a piece of guest code to CODE and point @gp at it. */
#define LOAD(gp, name) load_code(gp, name, name##_end)
void load_code(unsigned long *gp, const char *start, const char *end);

/* An option of the kernel command line that selects the backend. */
void choose(const char *option);
/* Memory and backend; ends the program if there is none. */
void start(void);
/* An address space with CODE, DATA, STACK and RO in it. */
struct um_mm *new_mm(void);
/* Wait for a running guest, not minding interrupts. */
void finish(struct um_mm *mm, unsigned long *gp, struct um_event *ev);
void run(struct um_mm *mm, unsigned long *gp, struct um_event *ev);
void run_briefly(struct um_mm *mm, unsigned long *gp, struct um_event *ev, int flags);
void run_flags(struct um_mm *mm, unsigned long *gp, struct um_event *ev, int flags);
int is_fault(const struct um_event *ev, unsigned long addr, unsigned long code);
int is_trap(const struct um_event *ev, int signo, int code, unsigned long trapno);
/* Stubs whose parent is @parent, and the one that executes the guest code of @mm. */
int stub_pids(int *pids, int max, int parent);
int stub_of(const struct um_mm *mm);
/* All of its processes; returns how many it has. */
int processes_of(const struct um_mm *mm, int *pids);
unsigned long long now_ns(void);
void run_exit_nodes(void);

void measure(void);
void test_clock(void);
void test_death(void);
void test_debugreg(void);
void test_faults(void);
void test_fp(void);
void test_interrupts(void);
void test_isolation(void);
void test_limits(void);
void test_many(void);
void test_orphans(void);
void test_patch(void);
void test_registers(void);
void test_signals(void);
void test_step(void);
void test_syscall(void);
void test_traps(void);
void test_vsyscall(void);

#endif
