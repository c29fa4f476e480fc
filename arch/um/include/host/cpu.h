/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's CPU. Apart from host/usermode.h, because asm/elf.h needs it and
 * everything needs that.
 */
#ifndef __HOST_CPU_H
#define __HOST_CPU_H

/** struct host_cpu - facts about the CPU that the ABI towards guests needs */
struct host_cpu {
	unsigned int fp_size;		/* bytes of the standard XSAVE image, a multiple of 64 */
	unsigned long long xfeatures;	/* XCR0 */
	unsigned long hwcap, hwcap2;	/* AT_HWCAP, AT_HWCAP2 */
	unsigned long minsigstksz;	/* AT_MINSIGSTKSZ */
	unsigned int mxcsr_mask;
	char platform[16];		/* AT_PLATFORM */
};

extern struct host_cpu host_cpu;

#endif
