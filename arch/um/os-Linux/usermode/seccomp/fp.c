// SPDX-License-Identifier: GPL-2.0
/*
 * Extended state of a stopped runner. It is where the last stop left it: in the
 * runner's registers or in a signal frame, and only touched when somebody asks.
 */
#include <errno.h>
#include <string.h>

#include "../common.h"
#include "seccomp.h"

#define AREA	(SC_STATE + STATE_AREA)

/* Nothing else is done while a runner is waited for. */
#define SAVE_LOOK_MS	10

/* Have the runner write its registers to AREA. */
static int save_registers(struct um_mm *mm)
{
	struct sc_state *state = sc_state(mm);
	int ret;

	memset((char *)state + STATE_AREA, 0, host_cpu.fp_size);
	state->fp = AREA;
	__atomic_store_n(&state->resume, RESUME_XSAVE, __ATOMIC_RELAXED);
	watch_start(mm);
	run_let_go(mm);
	while (turn(mm) < TURN_STOPPED) {
		turn_step(mm, TURN_RUN, TURN_RUN_KSLEEP);
		futex_wait(&state->turn, TURN_RUN_KSLEEP, SAVE_LOOK_MS);
		if (turn(mm) >= TURN_STOPPED)
			break;
		/* It may have lied about being stopped, and may wake us as often as it likes. */
		ret = process_gone(mm->runner) ? -ESRCH : watch_again(mm);
		if (ret < 0) {
			sc_abandon(mm);
			return ret;
		}
		/* Or sleep in the stub: a kick is answered, or takes CPU time. */
		if (ret)
			run_send_kick(mm);
	}
	if (__atomic_load_n(&state->kind, __ATOMIC_RELAXED) == KIND_AGAIN)
		mm->fp_addr = shared_again(mm);
	else
		mm->fp_addr = AREA;
	return mm->fp_addr ? 0 : -ESRCH;
}

int sc_fp_get(struct um_mm *mm, void *buf)
{
	const void *image;
	int err;

	if (!mm->agent || !mm->runner)
		return -ESRCH;
	if (!mm->fp_addr) {
		err = save_registers(mm);
		if (err)
			return err;
	}
	image = shared_fp(mm, mm->fp_addr);
	if (!image)
		return -ESRCH;
	memcpy(buf, image, host_cpu.fp_size);
	xstate_normalise(buf);
	return 0;
}

int sc_fp_set(struct um_mm *mm, const void *buf)
{
	if (!mm->agent || !mm->runner)
		return -ESRCH;
	if (!xstate_valid(buf))
		return -EINVAL;
	memcpy((char *)sc_state(mm) + STATE_AREA, buf, host_cpu.fp_size);
	mm->fp_addr = AREA;
	return 0;
}
