/* SPDX-License-Identifier: GPL-2.0 */
/* Making pages accessible before guest code asks for them: mm/prefault.c. */
#ifndef __ASM_UM_PREFAULT_H
#define __ASM_UM_PREFAULT_H

#include <linux/types.h>

struct vm_area_struct;

/**
 * um_prefault_program() - current's new program is about to start
 * @sp: its stack pointer
 */
void um_prefault_program(unsigned long sp);

/**
 * um_prefault_child() - current is the new child of a fork()
 * @ip: where it goes on
 */
void um_prefault_child(unsigned long ip);

/**
 * um_prefault_mapped() - current has made a private mapping
 * @start: where
 * @len: its length
 * @fixed: it chose the place
 *
 * For what a loader does: parts of a file at fixed places, executable ones at any,
 * and bss.
 */
void um_prefault_mapped(unsigned long start, unsigned long len, bool fixed);

/**
 * um_prefault_next() - current's guest code has written a page
 * @vma: its mapping; the mmap lock is held
 * @addr: where
 */
void um_prefault_next(struct vm_area_struct *vma, unsigned long addr);

#endif
