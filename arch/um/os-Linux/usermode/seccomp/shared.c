// SPDX-License-Identifier: GPL-2.0
/*
 * Reading what the runner published: the one place where values are taken from
 * memory that guest code can write. Elsewhere only the turn word and the kind of
 * a stop are looked at, and whether a register is already what it should be.
 *
 * Rules. Everything here may hold any value, and another one at the next look,
 * because a guest may only pretend to have stopped. So each word is read once
 * into memory of our own and checked there. What is read decides about nothing
 * but this guest process: its registers, its exceptions, its extended state.
 * Addresses lead into the stub's own signal stack or are refused. Nothing is
 * concluded from the runner's claim to have stopped but that its registers are
 * of interest; see agent.c for what must be true.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ucontext.h>

#include "../common.h"
#include "seccomp.h"

/* siginfo by offset: the C library's struct hides parts of it. */
#define SI_CODE		8
#define SI_ADDR		16
#define SI_CALL_ADDR	16
#define SI_SYSCALL	24
#define SI_ARCH		28

#define FRAME_CS(csgsfs)	((csgsfs) & 0xffff)

/* Order of the general registers in a signal frame, as indices of gp[]. */
static const unsigned char frame_order[] = {
	UM_R8, UM_R9, UM_R10, UM_R11, UM_R12, UM_R13, UM_R14, UM_R15,
	UM_RDI, UM_RSI, UM_RBP, UM_RBX, UM_RDX, UM_RAX, UM_RCX, UM_RSP,
	UM_RIP, UM_EFLAGS,
};

/* The place in our mapping of @len bytes in the stub's signal stack, or NULL. */
static const void *in_stack(struct um_mm *mm, unsigned long addr, unsigned long len)
{
	unsigned long offset = addr - SC_STACK;

	if (offset >= sc_info.stack_size || len > sc_info.stack_size - offset || (addr & 7))
		return NULL;
	return (const char *)sc_state(mm) + sc_info.state_size + offset;
}

static unsigned long read_word(const void *base, unsigned long offset)
{
	return *(const volatile unsigned long *)((const char *)base + offset);
}

static unsigned int read_half(const void *base, unsigned long offset)
{
	return *(const volatile unsigned int *)((const char *)base + offset);
}

/* What the runner says in STATE whatever stopped it. */
static void copy_state(struct um_mm *mm, unsigned long *gp, unsigned int from, unsigned int to)
{
	const struct sc_state *state = sc_state(mm);

	for (unsigned int i = from; i <= to; i++)
		gp[i] = read_word(state->gp, i * sizeof(long));
}

/**
 * shared_frame() - registers and reason after a signal
 * @mm: whose
 * @gp: receives the registers
 * @frame: receives the reason
 *
 * Returns 0, or -EFAULT if the guest tampered with it.
 */
int shared_frame(struct um_mm *mm, unsigned long *gp, struct sc_frame *frame)
{
	const struct sc_state *state = sc_state(mm);
	unsigned long uc_addr = read_word(state, STATE_FRAME);
	unsigned long info_addr = read_word(state, STATE_INFO);
	const ucontext_t *uc = in_stack(mm, uc_addr, offsetof(ucontext_t, __fpregs_mem));
	const void *info = in_stack(mm, info_addr, SI_ARCH + 4);
	const unsigned long *gregs;

	if (!uc || !info)
		return -EFAULT;
	gregs = (const unsigned long *)uc->uc_mcontext.gregs;
	for (unsigned int i = 0; i < sizeof(frame_order); i++)
		gp[frame_order[i]] = read_word(gregs, i * sizeof(long));
	gp[UM_CS] = FRAME_CS(read_word(gregs, REG_CSGSFS * sizeof(long)));
	/* The kernel half tells by it that user mode was interrupted. */
	if (gp[UM_CS] != USER32_CS)
		gp[UM_CS] = USER_CS;
	gp[UM_SS] = USER_DS;
	gp[UM_ORIG_RAX] = -1UL;
	copy_state(mm, gp, UM_FS_BASE, UM_GS);

	frame->signo = read_half(state, STATE_SIGNO);
	frame->code = read_half(info, SI_CODE);
	frame->addr = read_word(info, SI_ADDR);
	frame->call_nr = read_half(info, SI_SYSCALL);
	frame->arch = read_half(info, SI_ARCH);
	frame->error_code = read_word(gregs, REG_ERR * sizeof(long));
	frame->trapno = read_word(gregs, REG_TRAPNO * sizeof(long));
	frame->cr2 = read_word(gregs, REG_CR2 * sizeof(long));
	frame->fpstate = read_word(&uc->uc_mcontext.fpregs, 0);
	return shared_fp(mm, frame->fpstate) ? 0 : -EFAULT;
}

/** shared_syscall() - registers after a system call from a patched site */
void shared_syscall(struct um_mm *mm, unsigned long *gp)
{
	copy_state(mm, gp, UM_R15, UM_RBX);
	copy_state(mm, gp, UM_R10, UM_RAX);
	copy_state(mm, gp, UM_RDX, UM_RDI);
	gp[UM_RIP] = read_word(sc_state(mm)->gp, UM_RIP * sizeof(long));
	gp[UM_EFLAGS] = read_word(sc_state(mm)->gp, UM_EFLAGS * sizeof(long));
	gp[UM_RSP] = read_word(sc_state(mm)->gp, UM_RSP * sizeof(long));
	copy_state(mm, gp, UM_FS_BASE, UM_GS);
	/* What the instruction would have done. */
	patch_called(mm, read_half(sc_state(mm), STATE_SLOT), gp[UM_RIP]);
	gp[UM_RCX] = gp[UM_RIP];
	gp[UM_R11] = gp[UM_EFLAGS];
	gp[UM_CS] = USER_CS;
	gp[UM_SS] = USER_DS;
}

/**
 * shared_again() - place of extended state after a kick on the way out
 *
 * Its address in the stub, or 0 if the guest tampered with it.
 */
unsigned long shared_again(struct um_mm *mm)
{
	unsigned long uc_addr = read_word(sc_state(mm), STATE_FRAME);
	const ucontext_t *uc = in_stack(mm, uc_addr, offsetof(ucontext_t, __fpregs_mem));
	unsigned long addr = uc ? read_word(&uc->uc_mcontext.fpregs, 0) : 0;

	return addr && shared_fp(mm, addr) ? addr : 0;
}

/**
 * shared_fp() - our mapping of extended state in the stub
 * @mm: whose
 * @addr: SC_STATE + STATE_AREA, or in the signal stack
 *
 * The image is fp_size bytes. NULL if it can't be there.
 */
void *shared_fp(struct um_mm *mm, unsigned long addr)
{
	if (addr == SC_STATE + STATE_AREA)
		return (char *)sc_state(mm) + STATE_AREA;
	if (addr & 63)
		return NULL;
	return (void *)in_stack(mm, addr, host_cpu.fp_size);
}
