/* SPDX-License-Identifier: GPL-2.0 */
/* Atomic operations on futex words; see mm/futex.c. */
#ifndef __ASM_UM_FUTEX_H
#define __ASM_UM_FUTEX_H

#include <linux/types.h>

/**
 * arch_futex_atomic_op_inuser() - read, modify, write a user word
 * @op: FUTEX_OP_*
 * @oparg: its operand
 * @oval: where to put the word's old value
 * @uaddr: the word, aligned
 *
 * Never sleeps: returns -EFAULT when the page must be faulted in first,
 * -ENOSYS for an unknown operation, else 0.
 */
int arch_futex_atomic_op_inuser(int op, u32 oparg, int *oval, u32 __user *uaddr);

/**
 * futex_atomic_cmpxchg_inatomic() - compare and exchange a user word
 * @uval: where to put the word's value before the operation
 * @uaddr: the word, aligned
 * @oldval: expected value
 * @newval: value to store if the expectation holds
 *
 * Never sleeps: returns -EFAULT when the page must be faulted in first, else 0.
 */
int futex_atomic_cmpxchg_inatomic(u32 *uval, u32 __user *uaddr, u32 oldval, u32 newval);

#endif
