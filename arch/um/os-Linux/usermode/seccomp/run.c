// SPDX-License-Identifier: GPL-2.0
/*
 * Letting guest code run, and waiting for it.
 *
 * The turn word in STATE passes control between us and the runner; see stub.S
 * for the other side. One runner at most may be spinning for its next turn: the
 * one that had the last.
 */
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <host/vcpu.h>
#include "../../internal.h"
#include "../common.h"
#include "seccomp.h"

/* Interrupts, or seconds, beside a guest until it is checked that it lives. */
#define LOOK_EVERY		16
#define LOOK_S			1

static struct um_mm *spinner;		/* whose runner may be spinning */

void run_park(struct um_mm *mm)
{
	turn_step(mm, TURN_STOPPED, TURN_RSLEEP);
	run_forget(mm);
}

void run_forget(struct um_mm *mm)
{
	if (spinner == mm)
		spinner = NULL;
}

void run_let_go(struct um_mm *mm)
{
	unsigned int old = __atomic_exchange_n(&sc_state(mm)->turn, TURN_RUN, __ATOMIC_SEQ_CST);

	if (old >= TURN_RSLEEP)
		futex_wake(&sc_state(mm)->turn);
}

static unsigned long usable_base(unsigned long base)
{
	return is_canonical(base) ? base : 0;
}

/* Registers into STATE; returns how the runner is to leave. */
static unsigned int give_registers(struct um_mm *mm, const unsigned long *gp, unsigned int flags)
{
	struct sc_state *state = sc_state(mm);
	unsigned long regs[UM_NR_REGS];
	unsigned int resume = 0;

	memcpy(regs, gp, sizeof(regs));
	regs_sanitise(regs);
	regs[UM_RIP] = patch_resume(mm, regs[UM_RIP]);
	mm->stepping = 0;
	if (flags & UM_RUN_STEP && !(regs[UM_EFLAGS] & EFLAGS_TF)) {
		mm->stepping = 1;
		regs[UM_EFLAGS] |= EFLAGS_TF;
	}
	if (memcmp(mm->seg, &regs[UM_FS_BASE], sizeof(mm->seg))) {
		memcpy(mm->seg, &regs[UM_FS_BASE], sizeof(mm->seg));
		regs[UM_FS_BASE] = usable_base(regs[UM_FS_BASE]);
		regs[UM_GS_BASE] = usable_base(regs[UM_GS_BASE]);
		resume |= RESUME_SEGMENTS;
	}
	/* iretq also makes the CPU forget what it has fetched. */
	if (regs[UM_EFLAGS] & (EFLAGS_TF | EFLAGS_RF) || regs[UM_CS] != USER_CS ||
	    mm->serialise) {
		mm->serialise = 0;
		state->iret[0] = regs[UM_RIP];
		state->iret[1] = regs[UM_CS];
		state->iret[2] = regs[UM_EFLAGS];
		state->iret[3] = regs[UM_RSP];
		state->iret[4] = regs[UM_SS];
		resume |= RESUME_IRET;
	}
	/* Nobody loads these two. */
	regs[UM_ORIG_RAX] = state->gp[UM_ORIG_RAX];
	regs[UM_CS] = state->gp[UM_CS];
	/*
	 * Most are as they were, and a cache line that is not written need not
	 * travel. What the guest has put there meanwhile decides about no more.
	 */
	for (int i = 0; i < UM_NR_REGS; i++)
		if (state->gp[i] != regs[i])
			state->gp[i] = regs[i];
	if (mm->fp_addr) {
		state->fp = mm->fp_addr;
		resume |= RESUME_XRSTOR;
	}
	mm->fp_given = mm->fp_addr;
	return resume;
}

int sc_resume(struct um_mm *mm, unsigned long *gp, unsigned int flags)
{
	struct sc_state *state = sc_state(mm);
	unsigned long now = spin_now();
	unsigned int resume;

	table_reap(now);
	table_watch(now);
	spin_look(now);
	if (spinner && spinner != mm)
		run_park(spinner);
	mm->kicked = 0;
	mm->failed = 0;
	mm->looks = 0;
	mm->running = 1;
	if (!mm->agent || !mm->runner)
		return 0;	/* wait() will tell */
	if (!is_canonical(gp[UM_RIP])) {
		mm->map_error = map_settle(mm);
		mm->failed = mm->map_error != 0;
		return 0;
	}

	resume = give_registers(mm, gp, flags);
	__atomic_store_n(&state->resume, resume, __ATOMIC_RELAXED);
	place_runner(mm, now);
	/* It may have been less than what counting makes of it. */
	mm->runner_window = spin_adapt(mm->runner_window,
				       now > mm->stopped_at ? now - mm->stopped_at : 0);
	mm->resumed_at = now;
	__atomic_store_n(&state->spin, mm->far && spin_allowed() ? spin_pauses(mm->runner_window) : 0,
			 __ATOMIC_RELAXED);
	spinner = mm;
	if (mm->chained) {
		mm->chained = 0;
		agent_order(mm, sc_cmd(mm)->nr, 1);
		mm->map_error = agent_settle(mm);
		mm->failed = mm->map_error != 0;
	} else {
		run_let_go(mm);
	}
	return 0;
}

/*
 * Watch for a while, then sleep. -EINTR: something is pending. -ETIMEDOUT: it
 * takes long, better have a look.
 */
static int wait_for_turn(struct um_mm *mm)
{
	const struct timespec look = {
		mm->kicked ? 0 : LOOK_S, mm->kicked ? LOOK_MS * 1000000L : 0
	};
	unsigned int *word = &sc_state(mm)->turn;
	unsigned int *pending = &host_boot_vcpu.pending;
	unsigned int pauses = mm->far && spin_allowed() ? spin_pauses(mm->window) : 0;
	long ret;

	for (unsigned int i = 0; i <= pauses; i++) {
		if (turn(mm) >= TURN_STOPPED) {
			mm->window = spin_adapt(mm->window, 0);
			mm->stopped_at = mm->resumed_at + spin_paused(i);
			return 0;
		}
		if (__atomic_load_n(pending, __ATOMIC_RELAXED)) {
			mm->resumed_at = spin_now();
			return -EINTR;
		}
		__builtin_ia32_pause();
	}

	/* Another may have its CPU, and ours is free now. */
	if (mm->far)
		place_float(mm);
	while (turn(mm) < TURN_STOPPED) {
		turn_step(mm, TURN_RUN, TURN_RUN_KSLEEP);
		host_costs.sleeps++;
		ret = host_syscall_pending(&host_boot_vcpu, SYS_futex, (long)word, FUTEX_WAIT,
					   TURN_RUN_KSLEEP, (long)&look, 0, 0);
		if (ret == -EINTR || ret == -ETIMEDOUT) {
			mm->resumed_at = spin_now();
			return ret;
		}
	}
	mm->stopped_at = spin_now();
	mm->window = spin_adapt(mm->window, mm->stopped_at - mm->resumed_at);
	return 0;
}

/* The order before the guest was to run failed: it has not run. */
static int chain_failed(struct um_mm *mm, struct um_event *event)
{
	if (!mm->failed)
		return 0;
	mm->running = 0;
	if (mm->map_error == -ESRCH) {
		sc_abandon(mm);
		event->kind = UM_EV_DEAD;
	} else {
		event->kind = UM_EV_KICKED;
		event->code = 1;
	}
	return 1;
}

void run_send_kick(struct um_mm *mm)
{
	syscall(SYS_tgkill, mm->runner, mm->runner, SIGALRM);
}

/* It has not stopped yet. Will it ever? */
static int look(struct um_mm *mm, int waited_long)
{
	/* Interrupts keep the sleep short. */
	if ((waited_long || !(++mm->looks % LOOK_EVERY)) && process_gone(mm->runner))
		return -ESRCH;
	if (waited_long)
		place_float(mm);
	else
		place_interrupted(mm);
	if (mm->kicked) {
		int ret = watch_again(mm);

		if (ret < 0)
			return ret;
		/* Code of the stub may have swallowed it. */
		if (ret)
			run_send_kick(mm);
	}
	return 0;
}

void sc_wait(struct um_mm *mm, unsigned long *gp, struct um_event *event)
{
	unsigned int flags;
	int ret;

	event->kind = UM_EV_DEAD;
	event->code = 0;
	if (!mm->agent || !mm->runner) {
		sc_abandon(mm);
		return;
	}
	if (chain_failed(mm, event))
		return;
	if (!is_canonical(gp[UM_RIP])) {
		mm->running = 0;
		event_protection_fault(event, 0);
		return;
	}
	for (;;) {
		ret = wait_for_turn(mm);
		if (ret && look(mm, ret == -ETIMEDOUT))
			break;
		if (ret == -ETIMEDOUT)
			continue;
		if (ret) {
			event->kind = UM_EV_INTERRUPT;
			return;
		}
		ret = sc_decode(mm, gp, event);
		if (ret < 0)
			break;
		if (ret) {
			mm->running = 0;
			mm->kicked = 0;
			return;
		}
		/* Nothing: go on. */
		flags = mm->stepping ? UM_RUN_STEP : 0;
		__atomic_store_n(&sc_state(mm)->resume, give_registers(mm, gp, flags),
				 __ATOMIC_RELAXED);
		mm->resumed_at = spin_now();
		run_let_go(mm);
		/* However often that happens, interrupts must get through. */
		if (__atomic_load_n(&host_boot_vcpu.pending, __ATOMIC_RELAXED)) {
			event->kind = UM_EV_INTERRUPT;
			return;
		}
	}
	sc_abandon(mm);
	event->kind = UM_EV_DEAD;
}

void sc_kick(struct um_mm *mm)
{
	if (!mm->running || !mm->runner || mm->kicked)
		return;
	mm->kicked = 1;
	watch_start(mm);
	run_send_kick(mm);
}

void sc_park(void)
{
	if (spinner)
		run_park(spinner);
}
