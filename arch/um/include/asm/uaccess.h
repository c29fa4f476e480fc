/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Access to user memory.
 *
 * A user address means nothing in the kernel process. It is translated by a
 * walk of the task's page tables to an address in the linear map; pages that
 * are absent are faulted in first, if the context allows it. User pointers
 * are never dereferenced, and addresses from TASK_SIZE_MAX up are refused by
 * access_ok() and once more by the walk. See mm/uaccess.c.
 */
#ifndef __ASM_UM_UACCESS_H
#define __ASM_UM_UACCESS_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/extable.h>
#include <asm/processor.h>

/* Both return the number of bytes that could not be copied. */
unsigned long raw_copy_from_user(void *to, const void __user *from, unsigned long n);
unsigned long raw_copy_to_user(void __user *to, const void *from, unsigned long n);

/* Single values of 1, 2, 4 or 8 bytes. Both return 0 or -EFAULT. */
int um_get_user(void *to, const void __user *from, unsigned int size);
int um_put_user(void __user *to, const void *from, unsigned int size);

#define __get_user_fn(size, from, to)	um_get_user(to, from, size)
#define __put_user_fn(size, to, from)	um_put_user(to, from, size)

unsigned long um_clear_user(void __user *to, unsigned long n);
#define __clear_user um_clear_user

#include <asm-generic/uaccess.h>

/*
 * Kernel memory that may not be there. The value travels through a register
 * between two addresses, so that neither form needs an output operand, which
 * not every compiler allows in asm goto.
 */
#define UM_NOFAULT_MOVE(dst, src, insn, reg, label)			\
	asm goto("1: " insn " (%[from]), %%" reg "\n"			\
		 "2: " insn " %%" reg ", (%[to])\n"			\
		 _ASM_EXTABLE("1b", "%l[" #label "]")			\
		 _ASM_EXTABLE("2b", "%l[" #label "]")			\
		 : : [from] "r" (src), [to] "r" (dst)			\
		 : "rax", "memory" : label)

#define UM_NOFAULT_COPY(dst, src, type, label)				\
do {									\
	switch (sizeof(type)) {						\
	case 1:								\
		UM_NOFAULT_MOVE(dst, src, "movb", "al", label);		\
		break;							\
	case 2:								\
		UM_NOFAULT_MOVE(dst, src, "movw", "ax", label);		\
		break;							\
	case 4:								\
		UM_NOFAULT_MOVE(dst, src, "movl", "eax", label);	\
		break;							\
	case 8:								\
		UM_NOFAULT_MOVE(dst, src, "movq", "rax", label);	\
		break;							\
	}								\
} while (0)

#define __get_kernel_nofault(dst, src, type, label)			\
	UM_NOFAULT_COPY(dst, src, type, label)
#define __put_kernel_nofault(dst, src, type, label)			\
	UM_NOFAULT_COPY(dst, src, type, label)

#endif
