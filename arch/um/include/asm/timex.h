/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_UM_TIMEX_H
#define __ASM_UM_TIMEX_H

#define CLOCK_TICK_RATE	1193182

/* A free entropy source; time keeping uses the host's clock. */
typedef unsigned long long cycles_t;

static inline cycles_t get_cycles(void)
{
	unsigned int lo, hi;

	asm volatile("rdtsc" : "=a" (lo), "=d" (hi));
	return ((unsigned long long)hi << 32) | lo;
}

#define get_cycles get_cycles

#endif
