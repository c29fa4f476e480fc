// SPDX-License-Identifier: GPL-2.0
/*
 * Signal frames: pushed when a handler is called, popped by rt_sigreturn().
 *
 * From high to low addresses, on the normal or the alternate stack:
 *
 *	red zone	128 bytes below the interrupted stack pointer
 *	extended state	XSAVE image, 64-byte aligned, an end mark behind it
 *	rt_sigframe	return address, ucontext, siginfo; the stack pointer is
 *			8 below a multiple of 16, as after a call
 *
 * Programs read and write all of this (garbage collectors, debuggers, green
 * threads), so layout and marks are exactly x86-64's, sized by the CPU.
 */
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/signal.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <asm/elf.h>
#include <asm/fpstate.h>
#include <asm/processor-flags.h>
#include <asm/sigframe.h>
#include <asm/syscalls.h>
#include <asm/user.h>
#include <host/usermode.h>
#include "signal.h"

#define RED_ZONE		128
#define FRAME_ALIGN		16UL
#define XSTATE_ALIGN		64UL

/* What rt_sigreturn() may change of the flags. */
#define SIGRETURN_FLAGS							\
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF |	\
	 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF |	\
	 X86_EFLAGS_RF | X86_EFLAGS_AC)

static_assert(offsetof(struct _fpstate_64, sw_reserved) == USER_XSTATE_XCR0_OFFSET);

unsigned long get_sigframe_size(void)
{
	unsigned long size = sizeof(struct rt_sigframe) + FRAME_ALIGN - 1 +
			     fpstate_frame_size() + FP_XSTATE_MAGIC2_SIZE + XSTATE_ALIGN - 1;

	return max(round_up(size, FRAME_ALIGN), host_cpu.minsigstksz);
}

static unsigned int fpframe_size(void)
{
	return fpstate_frame_size() + FP_XSTATE_MAGIC2_SIZE;
}

/* Writes the image, and around it the marks that tell a handler its size. */
static int put_fpframe(void __user *buf)
{
	struct user_xstate_header *header;
	struct _fpx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = fpframe_size(),
		.xfeatures = fpstate_features(),
		.xstate_size = fpstate_frame_size(),
	};
	void *fp = current->thread.fp;
	u64 xfeatures;

	if (!fp)
		return -EFAULT;
	fpstate_save(current);

	/* Old programs change x87 and SSE without marking them as in use. */
	header = fp + USER_XSTATE_HEADER_OFFSET;
	xfeatures = header->xfeatures & fpstate_features();
	xfeatures |= XFEATURE_MASK_LEGACY;

	if (copy_to_user(buf, fp, fpstate_frame_size()) ||
	    copy_to_user(buf + USER_XSTATE_XCR0_OFFSET, &sw, sizeof(sw)) ||
	    put_user(xfeatures, (u64 __user *)(buf + USER_XSTATE_HEADER_OFFSET)) ||
	    put_user(FP_XSTATE_MAGIC2, (u32 __user *)(buf + fpstate_frame_size())))
		return -EFAULT;
	return 0;
}

/*
 * Takes what a handler left of the image. A frame without the marks holds
 * the legacy part only; the rest then returns to its initial state.
 */
static int get_fpframe(const void __user *buf)
{
	struct user_xstate_header *header;
	unsigned int size = USER_XSTATE_HEADER_OFFSET;
	u64 xfeatures = XFEATURE_MASK_LEGACY;
	struct _fpx_sw_bytes sw;
	void *fp = current->thread.fp;
	u32 magic2;

	if (!fp)
		return -EFAULT;
	if (!buf) {
		fpstate_reset(current);
		return 0;
	}
	if (copy_from_user(&sw, buf + USER_XSTATE_XCR0_OFFSET, sizeof(sw)))
		return -EFAULT;

	if (sw.magic1 == FP_XSTATE_MAGIC1 &&
	    sw.xstate_size >= USER_XSTATE_HEADER_OFFSET + sizeof(*header) &&
	    sw.xstate_size <= fpstate_frame_size() &&
	    sw.xstate_size <= sw.extended_size) {
		if (get_user(magic2, (u32 __user *)(buf + sw.xstate_size)))
			return -EFAULT;
		if (magic2 == FP_XSTATE_MAGIC2) {
			xfeatures = sw.xfeatures & fpstate_features();
			size = fpstate_extent(xfeatures);
		}
	}

	/* From here on nothing of the old state is needed. */
	fpstate_reset(current);
	if (copy_from_user(fp, buf, size)) {
		fpstate_reset(current);
		return -EFAULT;
	}
	header = fp + USER_XSTATE_HEADER_OFFSET;
	header->xfeatures &= xfeatures;
	if (fpstate_sanitise(fp)) {
		fpstate_reset(current);
		return -EINVAL;
	}
	return 0;
}

/*
 * Where the frame goes. NULL if the alternate stack is too small: a frame
 * that overflows it would destroy what lies below.
 */
static struct rt_sigframe __user *place_frame(struct ksignal *ksig, struct pt_regs *regs,
					      void __user **fpframe)
{
	bool on_altstack = on_sig_stack(regs->sp);
	unsigned long sp = regs->sp - RED_ZONE;

	if ((ksig->ka.sa.sa_flags & SA_ONSTACK) && sas_ss_flags(sp) == 0) {
		sp = current->sas_ss_sp + current->sas_ss_size;
		on_altstack = true;
	}

	sp = round_down(sp - fpframe_size(), XSTATE_ALIGN);
	*fpframe = (void __user *)sp;
	sp = round_down(sp - sizeof(struct rt_sigframe), FRAME_ALIGN) - 8;

	if (on_altstack && !__on_sig_stack(sp)) {
		if (show_unhandled_signals)
			pr_info_ratelimited("%s[%d] overflowed sigaltstack\n",
					    current->comm, task_pid_nr(current));
		return NULL;
	}
	return (struct rt_sigframe __user *)sp;
}

static void fill_sigcontext(struct sigcontext *sc, struct pt_regs *regs)
{
	sc->r8 = regs->r8;
	sc->r9 = regs->r9;
	sc->r10 = regs->r10;
	sc->r11 = regs->r11;
	sc->r12 = regs->r12;
	sc->r13 = regs->r13;
	sc->r14 = regs->r14;
	sc->r15 = regs->r15;
	sc->di = regs->di;
	sc->si = regs->si;
	sc->bp = regs->bp;
	sc->bx = regs->bx;
	sc->dx = regs->dx;
	sc->ax = regs->ax;
	sc->cx = regs->cx;
	sc->sp = regs->sp;
	sc->ip = regs->ip;
	sc->flags = regs->flags;
	sc->cs = regs->cs;
	sc->ss = regs->ss;
	sc->err = current->thread.error_code;
	sc->trapno = current->thread.trap_nr;
	sc->cr2 = current->thread.cr2;
}

int setup_rt_frame(struct ksignal *ksig, struct pt_regs *regs)
{
	sigset_t *set = sigmask_to_save();
	struct rt_sigframe __user *frame;
	void __user *fpframe;
	struct rt_sigframe kframe = { };

	/* There is no other way back: this ABI has no trampoline of the kernel's. */
	if (!(ksig->ka.sa.sa_flags & SA_RESTORER))
		return -EFAULT;

	frame = place_frame(ksig, regs, &fpframe);
	if (!frame || put_fpframe(fpframe))
		return -EFAULT;

	kframe.pretcode = (char __user *)ksig->ka.sa.sa_restorer;
	kframe.uc.uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	kframe.uc.uc_stack.ss_sp = (void __user *)current->sas_ss_sp;
	kframe.uc.uc_stack.ss_flags = current->sas_ss_flags;
	kframe.uc.uc_stack.ss_size = current->sas_ss_size;
	fill_sigcontext(&kframe.uc.uc_mcontext, regs);
	kframe.uc.uc_mcontext.fpstate = (unsigned long)fpframe;
	kframe.uc.uc_mcontext.oldmask = set->sig[0];
	kframe.uc.uc_sigmask = *set;

	/* Without SA_SIGINFO nobody looks at the siginfo; it isn't written. */
	if (copy_to_user(frame, &kframe, offsetof(struct rt_sigframe, info)))
		return -EFAULT;
	if ((ksig->ka.sa.sa_flags & SA_SIGINFO) && copy_siginfo_to_user(&frame->info, &ksig->info))
		return -EFAULT;

	regs->di = ksig->sig;
	regs->si = (unsigned long)&frame->info;
	regs->dx = (unsigned long)&frame->uc;
	regs->ax = 0;
	regs->ip = (unsigned long)ksig->ka.sa.sa_handler;
	regs->sp = (unsigned long)frame;
	regs->cs = UM_USER_CS;
	regs->ss = UM_USER_SS;
	return 0;
}

static int restore_sigcontext(struct pt_regs *regs, const struct ucontext *uc)
{
	const struct sigcontext *sc = &uc->uc_mcontext;

	/* A call that was being restarted ends here. */
	current->restart_block.fn = do_no_restart_syscall;

	/*
	 * Only 64-bit user code can be returned to; a bad code segment would
	 * fault on the way there. Without the strict flag a bad stack segment
	 * is repaired, for programs that predate it.
	 */
	if ((sc->cs | 3) != UM_USER_CS)
		return -EINVAL;
	if ((sc->ss | 3) != UM_USER_SS && (uc->uc_flags & UC_STRICT_RESTORE_SS))
		return -EINVAL;

	regs->r8 = sc->r8;
	regs->r9 = sc->r9;
	regs->r10 = sc->r10;
	regs->r11 = sc->r11;
	regs->r12 = sc->r12;
	regs->r13 = sc->r13;
	regs->r14 = sc->r14;
	regs->r15 = sc->r15;
	regs->di = sc->di;
	regs->si = sc->si;
	regs->bp = sc->bp;
	regs->bx = sc->bx;
	regs->dx = sc->dx;
	regs->ax = sc->ax;
	regs->cx = sc->cx;
	regs->sp = sc->sp;
	regs->ip = sc->ip;
	regs->cs = UM_USER_CS;
	regs->ss = UM_USER_SS;
	regs->flags = (regs->flags & ~SIGRETURN_FLAGS) | (sc->flags & SIGRETURN_FLAGS);

	/* What is in ax now is no result that could ask for a restart. */
	regs->orig_ax = -1;

	return get_fpframe((const void __user *)(unsigned long)sc->fpstate);
}

SYSCALL_DEFINE0(rt_sigreturn)
{
	struct pt_regs *regs = current_pt_regs();
	struct rt_sigframe __user *frame;
	struct ucontext uc;

	/* The handler's return popped pretcode. */
	frame = (struct rt_sigframe __user *)(regs->sp - sizeof(frame->pretcode));
	if (copy_from_user(&uc, &frame->uc, sizeof(uc)))
		goto bad;

	set_current_blocked(&uc.uc_sigmask);
	/* In this order: the alternate stack can be changed once it was left. */
	if (restore_sigcontext(regs, &uc) || restore_altstack(&frame->uc.uc_stack))
		goto bad;
	return regs->ax;

bad:
	if (show_unhandled_signals)
		pr_info_ratelimited("%s[%d] bad frame in rt_sigreturn frame:%p ip:%lx sp:%lx\n",
				    current->comm, task_pid_nr(current), frame, regs->ip, regs->sp);
	force_sig(SIGSEGV);
	return 0;
}
