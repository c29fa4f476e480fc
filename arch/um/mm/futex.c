// SPDX-License-Identifier: GPL-2.0
/*
 * Futex words, reached through the linear map. The host page is the same one
 * that guest code uses, so the operations are truly atomic towards guest code
 * running elsewhere.
 */
#include <linux/atomic.h>
#include <linux/errno.h>
#include <uapi/linux/futex.h>
#include <linux/uaccess.h>
#include <asm/futex.h>
#include "uaccess.h"

int arch_futex_atomic_op_inuser(int op, u32 oparg, int *oval, u32 __user *uaddr)
{
	atomic_t *word;
	int ret = 0;

	if (!access_ok(uaddr, sizeof(*uaddr)))
		return -EFAULT;
	word = um_user_begin_nofault(uaddr, true);
	if (!word)
		return -EFAULT;

	switch (op) {
	case FUTEX_OP_SET:
		*oval = atomic_xchg(word, oparg);
		break;
	case FUTEX_OP_ADD:
		*oval = atomic_fetch_add(oparg, word);
		break;
	case FUTEX_OP_OR:
		*oval = atomic_fetch_or(oparg, word);
		break;
	case FUTEX_OP_ANDN:
		*oval = atomic_fetch_andnot(oparg, word);
		break;
	case FUTEX_OP_XOR:
		*oval = atomic_fetch_xor(oparg, word);
		break;
	default:
		ret = -ENOSYS;
		break;
	}
	um_user_end();
	return ret;
}

int futex_atomic_cmpxchg_inatomic(u32 *uval, u32 __user *uaddr, u32 oldval, u32 newval)
{
	atomic_t *word;

	if (!access_ok(uaddr, sizeof(*uaddr)))
		return -EFAULT;
	word = um_user_begin_nofault(uaddr, true);
	if (!word)
		return -EFAULT;
	*uval = atomic_cmpxchg(word, oldval, newval);
	um_user_end();
	return 0;
}
