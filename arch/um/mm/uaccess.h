/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __UM_MM_UACCESS_H
#define __UM_MM_UACCESS_H

#include <linux/preempt.h>
#include <linux/types.h>

/**
 * um_user_begin_nofault() - reach one user page
 * @uaddr: any address, trusted or not
 * @write: whether it will be written
 *
 * Returns where the byte at @uaddr and the rest of its page can be accessed,
 * with preemption disabled until um_user_end(); or NULL, with preemption as
 * before, if that is not allowed or the page must be faulted in. Any context.
 */
void *um_user_begin_nofault(const void __user *uaddr, bool write);

/** um_user_end() - done with what um_user_begin_nofault() returned */
static inline void um_user_end(void)
{
	preempt_enable();
}

#endif
