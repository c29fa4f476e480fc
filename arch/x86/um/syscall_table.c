// SPDX-License-Identifier: GPL-2.0
/*
 * The system call table, made from x86's list of 64-bit system calls.
 *
 * Every entry takes six registers, whatever the call's prototype: on x86-64
 * surplus register arguments are harmless. This file must not see the true
 * prototypes, so it includes hardly anything.
 *
 * Calls that act on hardware or on 32-bit segments don't exist here, as on
 * an x86 kernel configured without them.
 */
#include <linux/cache.h>
#include <linux/linkage.h>
#include <asm/unistd.h>

#define sys_ioperm		sys_ni_syscall
#define sys_iopl		sys_ni_syscall
#define sys_map_shadow_stack	sys_ni_syscall
#define sys_modify_ldt		sys_ni_syscall
#define sys_uretprobe		sys_ni_syscall

typedef long (*sys_call_ptr_t)(unsigned long, unsigned long, unsigned long,
			       unsigned long, unsigned long, unsigned long);

#define __SYSCALL(nr, sym)						\
	asmlinkage long sym(unsigned long, unsigned long, unsigned long, \
			    unsigned long, unsigned long, unsigned long);
#define __SYSCALL_NORETURN(nr, sym)	__SYSCALL(nr, sym)
#include <asm/syscall_table_64.h>
#undef __SYSCALL

asmlinkage long sys_ni_syscall(unsigned long, unsigned long, unsigned long,
			       unsigned long, unsigned long, unsigned long);

extern const sys_call_ptr_t sys_call_table[];

/* The list has gaps; x86 fills them with sys_ni_syscall(), too. */
#define __SYSCALL(nr, sym)	[nr] = sym,
const sys_call_ptr_t sys_call_table[NR_syscalls] ____cacheline_aligned = {
#include <asm/syscall_table_64.h>
};
