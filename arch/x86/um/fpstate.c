// SPDX-License-Identifier: GPL-2.0
/*
 * Extended register state of tasks: x87, SSE, AVX and what else the CPU has.
 *
 * The state is an XSAVE image in the standard format, of the size the CPU
 * reports, as the host's ptrace and signal frames use it. thread.fp is the
 * truth unless the runner of the task's mm holds newer values; the owner of
 * those is mm->context.fp_owner. As one vCPU runs everything, a runner is
 * always stopped while code in this file runs. Who changes thread.fp first
 * takes it back from the runner; else a switch to another task of the mm in
 * the middle would save the old state over it.
 *
 * x87 and SSE are marked as in use in every image that is loaded: whether
 * loading the "initial state" also resets mxcsr depends on the CPU's and the
 * host's ways of saving, and a value left over from another task must not
 * shine through.
 */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/mm_types.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/cpuid.h>
#include <asm/fpstate.h>
#include <asm/user.h>
#include <host/usermode.h>

#define CPUID_XSTATE		0xd

#define XFEATURE_FP		BIT_ULL(0)
#define XFEATURE_SSE		BIT_ULL(1)
#define XFEATURE_FPSSE		(XFEATURE_FP | XFEATURE_SSE)
#define XFEATURE_TILEDATA	BIT_ULL(18)
#define XFEATURE_FIRST_EXT	2
#define XFEATURE_LIMIT		63

#define FCW_INIT		0x37f
#define MXCSR_INIT		0x1f80

/* Smallest image with a header: the legacy region and the XSAVE header. */
#define XSTATE_MIN_SIZE		576

static struct kmem_cache *fpstate_cache __ro_after_init;
static unsigned int frame_size __ro_after_init;

/* End of each component in the image. */
static unsigned int xfeature_end[XFEATURE_LIMIT] __ro_after_init;

/* On a CPU without XSAVE the header is kept all the same. */
unsigned int fpstate_size(void)
{
	return max_t(unsigned int, host_cpu.fp_size, XSTATE_MIN_SIZE);
}

unsigned int fpstate_frame_size(void)
{
	return frame_size;
}

u64 fpstate_features(void)
{
	return (host_cpu.xfeatures & ~XFEATURE_TILEDATA) | XFEATURE_FPSSE;
}

unsigned int fpstate_extent(u64 features)
{
	unsigned int end = XSTATE_MIN_SIZE;
	int i;

	for (i = XFEATURE_FIRST_EXT; i < XFEATURE_LIMIT; i++) {
		if (features & BIT_ULL(i))
			end = max(end, xfeature_end[i]);
	}
	return end;
}

/* Called by the generic kernel before the first fork. */
void __init arch_task_cache_init(void)
{
	u64 features = fpstate_features();
	int i;

	for (i = XFEATURE_FIRST_EXT; i < XFEATURE_LIMIT; i++) {
		if (features & BIT_ULL(i)) {
			struct cpuid_regs r = cpuid_read(CPUID_XSTATE, i);

			xfeature_end[i] = min(r.a + r.b, fpstate_size());
		}
	}
	frame_size = fpstate_extent(features);

	/* Images are copied from and to user space as a whole. */
	fpstate_cache = kmem_cache_create_usercopy("fpstate", fpstate_size(), 64,
						   SLAB_PANIC | SLAB_ACCOUNT,
						   0, fpstate_size(), NULL);
}

static struct user_xstate_header *xstate_header(void *fp)
{
	return fp + USER_XSTATE_HEADER_OFFSET;
}

/* The initial state of the x87 part, which shares the region with SSE's. */
static void reset_x87(struct user_i387_struct *fx)
{
	fx->cwd = FCW_INIT;
	fx->swd = 0;
	fx->twd = 0;
	fx->fop = 0;
	fx->rip = 0;
	fx->rdp = 0;
	memset(fx->st_space, 0, sizeof(fx->st_space));
}

/* Debuggers look here for the components that the image has room for. */
static void set_xcr0(void *fp)
{
	*(u64 *)(fp + USER_XSTATE_XCR0_OFFSET) = fpstate_features();
}

void fpstate_reset(struct task_struct *task)
{
	struct user_i387_struct *fx = task->thread.fp;

	if (!fx)
		return;
	fpstate_modify(task);
	memset(fx, 0, fpstate_size());
	fx->cwd = FCW_INIT;
	fx->mxcsr = MXCSR_INIT;
	fx->mxcsr_mask = host_cpu.mxcsr_mask;
	xstate_header(fx)->xfeatures = XFEATURE_FPSSE;
	set_xcr0(fx);
}

void fpstate_init_task(struct task_struct *task)
{
	if (!task->thread.fp) {
		task->thread.fp = kmem_cache_alloc(fpstate_cache, GFP_KERNEL);
		if (!task->thread.fp) {
			/* Past the point where exec could fail. */
			pr_warn("%s[%d]: no memory for its registers, killed\n",
				task->comm, task_pid_nr(task));
			force_sig(SIGKILL);
			return;
		}
	}
	fpstate_reset(task);
}

int fpstate_dup(struct task_struct *dst, struct task_struct *src)
{
	dst->thread.fp = NULL;
	if (!src->thread.fp)
		return 0;

	dst->thread.fp = kmem_cache_alloc(fpstate_cache, GFP_KERNEL);
	if (!dst->thread.fp)
		return -ENOMEM;

	fpstate_save(src);
	memcpy(dst->thread.fp, src->thread.fp, fpstate_size());
	return 0;
}

void fpstate_free(struct task_struct *task)
{
	if (task->thread.fp) {
		kmem_cache_free(fpstate_cache, task->thread.fp);
		task->thread.fp = NULL;
	}
}

void fpstate_save(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	if (!mm || !mm->context.host || mm->context.dead)
		return;

	/* Another task of this mm must not get into the runner meanwhile. */
	preempt_disable();
	/* If the host lost the runner, the task is about to be killed. */
	if (mm->context.fp_owner == task &&
	    host_usermode->fp_get(mm->context.host, task->thread.fp) == 0)
		set_xcr0(task->thread.fp);
	preempt_enable();
}

void fpstate_modify(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	if (mm && mm->context.fp_owner == task)
		mm->context.fp_owner = NULL;
}

void fpstate_prepare_run(struct mm_struct *mm)
{
	struct task_struct *task = current;

	if (likely(mm->context.fp_owner == task) || !task->thread.fp)
		return;

	if (mm->context.fp_owner)
		fpstate_save(mm->context.fp_owner);

	if (host_usermode->fp_set(mm->context.host, task->thread.fp) == -EINVAL) {
		pr_warn_ratelimited("%s[%d]: the host refuses its extended registers, they are reset\n",
				    task->comm, task_pid_nr(task));
		fpstate_reset(task);
		host_usermode->fp_set(mm->context.host, task->thread.fp);
	}
	mm->context.fp_owner = task;
}

void fpstate_forget(struct task_struct *task, struct mm_struct *mm)
{
	if (mm && mm->context.fp_owner == task)
		mm->context.fp_owner = NULL;
}

int fpstate_sanitise(void *fp)
{
	struct user_xstate_header *header = xstate_header(fp);
	struct user_i387_struct *fx = fp;

	if (header->xcomp_bv || memchr_inv(header->reserved, 0, sizeof(header->reserved)))
		return -EINVAL;
	if (fx->mxcsr & ~host_cpu.mxcsr_mask)
		return -EINVAL;

	if (!(header->xfeatures & XFEATURE_FP))
		reset_x87(fx);
	if (!(header->xfeatures & XFEATURE_SSE))
		memset(fx->xmm_space, 0, sizeof(fx->xmm_space));
	header->xfeatures &= fpstate_features();
	header->xfeatures |= XFEATURE_FPSSE;

	fx->mxcsr_mask = host_cpu.mxcsr_mask;
	set_xcr0(fp);
	return 0;
}
