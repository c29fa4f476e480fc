/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_UM_VDSO_CLOCKSOURCE_H
#define __ASM_UM_VDSO_CLOCKSOURCE_H

/* The counter is the host's CLOCK_MONOTONIC, read through the host's vDSO. */
#define VDSO_ARCH_CLOCKMODES	VDSO_CLOCKMODE_UM

#endif
