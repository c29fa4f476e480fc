// SPDX-License-Identifier: GPL-2.0
/*
 * Facts about the CPU that guests can see.
 *
 * Extended state is exchanged with the host in the standard XSAVE format. Its
 * size is computed from CPUID leaf 0xD over the features that are enabled,
 * without those a process must ask the host for first (AMX tile data): guests
 * can't get them, so their signal frames don't carry them.
 */
#include <cpuid.h>
#include <string.h>
#include <sys/auxv.h>

#include "common.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ	51
#endif

#define XFEATURES_DYNAMIC	(1ULL << 18)
#define LEGACY_SIZE		512
#define XSAVE_HEADER_END	576
#define MXCSR_MASK_DEFAULT	0xffbf
#define MINSIGSTKSZ_DEFAULT	2048

struct host_cpu host_cpu;

/* CPUID is slow in a virtual machine: asked once. */
static int has_xsave;

int cpu_has_xsave(void)
{
	return has_xsave;
}

static unsigned long long xcr0(void)
{
	unsigned int lo, hi;

	__asm__ volatile("xgetbv" : "=a" (lo), "=d" (hi) : "c" (0));
	return lo | (unsigned long long)hi << 32;
}

static unsigned int mxcsr_mask(void)
{
	unsigned char area[LEGACY_SIZE] __attribute__((aligned(16))) = { 0 };
	unsigned int mask;

	__asm__ volatile("fxsave64 %0" : "+m" (area));
	memcpy(&mask, area + 28, sizeof(mask));
	return mask ? mask : MXCSR_MASK_DEFAULT;
}

/**
 * cpu_init() - fill host_cpu
 */
void cpu_init(void)
{
	const char *platform = (const char *)getauxval(AT_PLATFORM);
	unsigned int size = LEGACY_SIZE;
	unsigned int eax, ebx, ecx, edx;

	has_xsave = __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_OSXSAVE);
	if (has_xsave) {
		host_cpu.xfeatures = xcr0() & ~XFEATURES_DYNAMIC;
		size = XSAVE_HEADER_END;
		for (int i = 2; i < 63; i++) {
			unsigned int len, offset, c, d;

			if (!(host_cpu.xfeatures >> i & 1))
				continue;
			__cpuid_count(0xd, i, len, offset, c, d);
			if (offset + len > size)
				size = offset + len;
		}
	}
	host_cpu.fp_size = (size + 63) & ~63u;
	host_cpu.mxcsr_mask = mxcsr_mask();
	host_cpu.hwcap = getauxval(AT_HWCAP);
	host_cpu.hwcap2 = getauxval(AT_HWCAP2);
	host_cpu.minsigstksz = getauxval(AT_MINSIGSTKSZ);
	if (!host_cpu.minsigstksz)
		host_cpu.minsigstksz = MINSIGSTKSZ_DEFAULT;
	strncpy(host_cpu.platform, platform ? platform : "x86_64",
		sizeof(host_cpu.platform) - 1);
}
