/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stub: what is mapped above UM_STUB_START in every guest process, and how
 * the kernel process drives it. Shared by C and assembly.
 *
 *   STUB_CODE	the stub's only code, one read-only executable page
 *   STUB_CMD	one page of the control memory file, read-only here; the kernel
 *		process writes the operations into it
 *   STUB_STACK	alternate signal stack, the only writable page here, hence
 *		hostile whenever guest code has run since it was written
 *   STUB_VDSO	the host's vvar and vdso mappings, moved here where possible
 *
 * Between them nothing is mapped.
 */
#ifndef __UM_STUB_H
#define __UM_STUB_H

#include <host/layout.h>

#define STUB_CODE		UM_STUB_START
#define STUB_CMD		(UM_STUB_START + UM_UL(0x10000))
#define STUB_STACK		(UM_STUB_START + UM_UL(0x20000))
#define STUB_STACK_MAX		UM_UL(0x80000)
#define STUB_VDSO		(UM_STUB_START + UM_UL(0x100000))

/* Descriptors of a stub. Only its own code uses them: guest calls never run. */
#define STUB_FD_MEMORY		0
#define STUB_FD_CONTROL		1
#define STUB_FD_IMAGE		2	/* at start only */

/* struct stub_op by offset, for the assembly */
#define STUB_OP_NR		0
#define STUB_OP_ARG(n)		(8 + 8 * (n))
#define STUB_OP_SIZE		56
#define STUB_OPS_PER_PAGE	73

#ifndef __ASSEMBLY__

/**
 * struct stub_op - one host system call the stub is to make
 * @nr: number
 * @arg: arguments
 */
struct stub_op {
	long nr;
	unsigned long arg[6];
};

_Static_assert(sizeof(struct stub_op) == STUB_OP_SIZE, "stub_op");
_Static_assert(STUB_OPS_PER_PAGE * STUB_OP_SIZE <= UM_PAGE_SIZE, "stub_op");

/* The image in the kernel process (stub.S), and places in it. */
extern const char stub_image[], stub_image_end[];
extern const char stub_idle[], stub_call[], stub_call_trap[];
extern const char stub_batch[], stub_batch_trap[];
extern const char stub_bases[], stub_bases_trap[];
extern const char stub_fault[], stub_fault_fxsr[], stub_fault_trap[];

/* The address in the guest process of a place in the image. */
#define STUB_ADDR(label)	(STUB_CODE + (unsigned long)((label) - stub_image))

#endif
#endif
