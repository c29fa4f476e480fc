/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is mapped above UM_STUB_START in a guest process of the seccomp
 * backend. Shared by C and assembly.
 *
 *   SC_CODE	the only code, one page of a sealed memory file
 *   SC_CMD	orders for the agent, written by the kernel process, read-only here
 *   SC_ACK	the agent's answers: read-only here as well, the agent writes
 *		them with pwrite() into the control memory file
 *   SC_STATE	the runner's: turn word, registers. Guest code can write it.
 *   SC_STACK	the runner's signal stack. Guest code can write it.
 *   SC_PATCH	trampolines of patched call sites; SC_TABLE points to them. Both
 *		are written by the kernel process and read-only here.
 *   SC_VDSO	the host's vvar and vdso mappings, moved here where possible
 *
 * CMD, ACK, STATE, STACK, TABLE and PATCH are consecutive in the control memory
 * file: a slot.
 */
#ifndef __SECCOMP_LAYOUT_H
#define __SECCOMP_LAYOUT_H

#include <host/layout.h>

#define SC_CODE			UM_STUB_START
#define SC_CMD			(UM_STUB_START + UM_UL(0x10000))
#define SC_ACK			(UM_STUB_START + UM_UL(0x11000))
#define SC_STATE		(UM_STUB_START + UM_UL(0x20000))
#define SC_STATE_MAX		UM_UL(0x20000)
#define SC_STACK		(UM_STUB_START + UM_UL(0x40000))
#define SC_STACK_MAX		UM_UL(0xc0000)
#define SC_PATCH		(UM_STUB_START + UM_UL(0x200000))
#define SC_PATCH_SIZE		(UM_PATCH_SLOTS * PATCH_SIZE)
#define SC_TABLE		UM_PATCH_TABLE
#define SC_TABLE_SIZE		(UM_PATCH_TABLE_END - UM_PATCH_TABLE)
#define SC_VDSO			(UM_STUB_START + UM_UL(0x100000))

/* Descriptors of an agent; a runner has none. */
#define SC_FD_MEMORY		0
#define SC_FD_CONTROL		1

/* struct sc_cmd by offset */
#define CMD_SEQ			0
#define CMD_NR			4
#define CMD_CHAIN		8
#define CMD_KERNEL_PID		12
#define CMD_RUNNER_NR		16
#define CMD_CHILD		24
#define CMD_RUNNER_OPS		32
#define CMD_DATA		512
#define CMD_OPS			1024
#define SC_RUNNER_OPS		8
#define SC_OPS_MAX		54

/* struct sc_ack by offset */
#define ACK_SEQ			0
#define ACK_ERROR		4

/* struct sc_state by offset */
#define STATE_TURN		0x00
#define STATE_SPIN		0x04
#define STATE_KIND		0x08
#define STATE_RESUME		0x0c
#define STATE_FRAME		0x10
#define STATE_INFO		0x18
#define STATE_SIGNO		0x20
#define STATE_PID		0x24
#define STATE_FP		0x28
#define STATE_SLOT		0x30
#define STATE_IRET		0x40
#define STATE_GP		0x80
#define STATE_AREA		0x400

/*
 * The turn word. Only the side whose turn it is changes it, but for the steps
 * RUN -> RUN_KSLEEP by the kernel process and STOPPED -> RSLEEP by the runner.
 */
#define TURN_RUN		0	/* guest code runs */
#define TURN_RUN_KSLEEP		1	/* ... and the kernel process sleeps */
#define TURN_STOPPED		2	/* the kernel's; the runner spins */
#define TURN_RSLEEP		3	/* the kernel's; the runner sleeps, or is to */

/* Why the runner stopped */
#define KIND_SIGNAL		0	/* a signal; registers in its frame */
#define KIND_SYSCALL		1	/* a patched site; registers in gp[] */
#define KIND_AGAIN		2	/* kicked on the way out: as it was given */
#define KIND_SAVED		3	/* extended state is in AREA, as ordered */

/* What the runner is to do on its way out */
#define RESUME_XRSTOR		1	/* load extended state from *fp */
#define RESUME_SEGMENTS		2	/* load selectors and bases */
#define RESUME_IRET		4	/* leave by iretq: sets TF, RF or cs */
#define RESUME_XSAVE		8	/* don't leave: save extended state and stop */

/* A trampoline's size; patch.c writes them */
#define PATCH_SIZE		64

#define OP_NR			0
#define OP_ARG(n)		(8 + 8 * (n))
#define OP_SIZE			56

#endif
