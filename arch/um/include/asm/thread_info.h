/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel stacks and the per-task work flags. */
#ifndef __ASM_UM_THREAD_INFO_H
#define __ASM_UM_THREAD_INFO_H

#include <linux/const.h>
#include <asm/page.h>

#define THREAD_SIZE_ORDER	2
#define THREAD_SIZE		(PAGE_SIZE << THREAD_SIZE_ORDER)
#define THREAD_ALIGN		THREAD_SIZE

#ifndef __ASSEMBLY__
#include <linux/types.h>

struct thread_info {
	unsigned long flags;
	unsigned long syscall_work;
	int preempt_count;
	int cpu;
};

#define INIT_THREAD_INFO(tsk) { .preempt_count = INIT_PREEMPT_COUNT }
#endif

#define TIF_SIGPENDING		0
#define TIF_NOTIFY_SIGNAL	1
#define TIF_NOTIFY_RESUME	2
#define TIF_NEED_RESCHED	3
#define TIF_UPROBE		4
#define TIF_MEMDIE		5
#define TIF_SINGLESTEP		6
#define TIF_POLLING_NRFLAG	7
#define TIF_RESTORE_SIGMASK	8

#define _TIF_SIGPENDING		BIT(TIF_SIGPENDING)
#define _TIF_NOTIFY_SIGNAL	BIT(TIF_NOTIFY_SIGNAL)
#define _TIF_NOTIFY_RESUME	BIT(TIF_NOTIFY_RESUME)
#define _TIF_NEED_RESCHED	BIT(TIF_NEED_RESCHED)
#define _TIF_UPROBE		BIT(TIF_UPROBE)
#define _TIF_SINGLESTEP		BIT(TIF_SINGLESTEP)
#define _TIF_POLLING_NRFLAG	BIT(TIF_POLLING_NRFLAG)

#endif
