/* SPDX-License-Identifier: GPL-2.0 */
/* Clocks and the one-shot timer. All times are nanoseconds. */
#ifndef __HOST_TIME_H
#define __HOST_TIME_H

/** host_clock_ns() - the host's CLOCK_MONOTONIC. Any context. */
unsigned long long host_clock_ns(void);

/** host_realtime_ns() - the host's wall clock. Any context. */
unsigned long long host_realtime_ns(void);

/**
 * host_timer_oneshot() - arm the calling vCPU's timer
 * @delta_ns: time from now; 0 fires at once. Raises UM_IRQ_TIMER.
 */
void host_timer_oneshot(unsigned long long delta_ns);

/** host_timer_stop() - disarm the calling vCPU's timer */
void host_timer_stop(void);

#endif
