/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long to wait without sleeping (usermode/seccomp/spin.c). Only where the
 * seccomp mode is in use; otherwise spinning is never allowed. Host half only.
 */
#ifndef __UM_SPIN_H
#define __UM_SPIN_H

/** spin_init() - how many CPUs there are for us, and how fast they count */
void spin_init(void);

/**
 * spin_allowed() - whether spinning could do any good at present
 *
 * Cheap: what spin_look() found last.
 */
int spin_allowed(void);

/**
 * spin_look() - find out anew, if that was not done for a while
 * @now: spin_now(), which is not free either
 */
void spin_look(unsigned long now);

/** spin_now() - time stamp in ticks */
static inline unsigned long spin_now(void)
{
	return __builtin_ia32_rdtsc();
}

/** spin_ticks() - ns in ticks of spin_now() */
unsigned long spin_ticks(unsigned int ns);

/** spin_pauses() - ns in pause instructions, as the runner counts */
unsigned int spin_pauses(unsigned int ns);

/** spin_paused() - so many pause instructions in ticks, about */
unsigned long spin_paused(unsigned int pauses);

/**
 * spin_adapt() - the next window, after a wait
 * @window: the one that was used, ns
 * @ticks: how long the wait took
 */
unsigned int spin_adapt(unsigned int window, unsigned long ticks);

#endif
