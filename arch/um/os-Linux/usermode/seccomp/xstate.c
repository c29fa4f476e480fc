// SPDX-License-Identifier: GPL-2.0
/*
 * XSAVE images that the CPU wrote and is to load again.
 *
 * The CPU writes only components that are in use and says which; the rest of
 * the image is what was in memory before. Others are shown it in full, with
 * the initial values where a component was not in use.
 */
#include <cpuid.h>
#include <errno.h>
#include <string.h>

#include "seccomp.h"

#define XFEATURES		63
#define XFEATURE_FP		1ULL
#define XFEATURE_SSE		2ULL
#define HEADER			512
#define HEADER_SIZE		64
#define FIRST_EXT		2
#define FXSAVE_CWD		0
#define FXSAVE_MXCSR		24
#define FXSAVE_MXCSR_MASK	28
#define FXSAVE_ST		32
#define FXSAVE_XMM		160
#define FXSAVE_PADDING		416
#define FXSAVE_SW		464
#define FCW_INIT		0x37f

static struct {
	unsigned int offset, size;
} component[XFEATURES];

/**
 * xstate_init() - learn where components are. 0, or -ENOSYS without XSAVE.
 */
int xstate_init(void)
{
	unsigned int eax, ebx, ecx, edx;

	if (!host_cpu.xfeatures)
		return -ENOSYS;
	for (int i = FIRST_EXT; i < XFEATURES; i++) {
		if (!(host_cpu.xfeatures >> i & 1))
			continue;
		__cpuid_count(0xd, i, eax, ebx, ecx, edx);
		if (ebx + eax > host_cpu.fp_size)
			return -ENOSYS;
		component[i].offset = ebx;
		component[i].size = eax;
	}
	return 0;
}

/**
 * xstate_normalise() - spell out an image as the host's ptrace would give it
 * @buf: fp_size bytes, ours; everything in it may have been tampered with
 */
void xstate_normalise(void *buf)
{
	unsigned char *fp = buf;
	unsigned long long used;

	memcpy(&used, fp + HEADER, sizeof(used));
	used &= host_cpu.xfeatures;
	if (!(used & XFEATURE_FP)) {
		memset(fp, 0, FXSAVE_MXCSR);
		fp[FXSAVE_CWD] = FCW_INIT & 0xff;
		fp[FXSAVE_CWD + 1] = FCW_INIT >> 8;
		memset(fp + FXSAVE_ST, 0, FXSAVE_XMM - FXSAVE_ST);
	}
	if (!(used & XFEATURE_SSE))
		memset(fp + FXSAVE_XMM, 0, FXSAVE_PADDING - FXSAVE_XMM);
	for (int i = FIRST_EXT; i < XFEATURES; i++)
		if (component[i].size && !(used >> i & 1))
			memset(fp + component[i].offset, 0, component[i].size);
	memcpy(fp + FXSAVE_MXCSR_MASK, &host_cpu.mxcsr_mask, sizeof(host_cpu.mxcsr_mask));
	memset(fp + FXSAVE_PADDING, 0, HEADER - FXSAVE_PADDING);
	memcpy(fp + FXSAVE_SW, &host_cpu.xfeatures, sizeof(host_cpu.xfeatures));
	memset(fp + HEADER, 0, HEADER_SIZE);
	used |= XFEATURE_FP | XFEATURE_SSE;
	memcpy(fp + HEADER, &used, sizeof(used));
}

/** xstate_valid() - would the CPU load this image? */
int xstate_valid(const void *buf)
{
	const unsigned char *fp = buf;
	unsigned long long used;
	unsigned int mxcsr;

	memcpy(&used, fp + HEADER, sizeof(used));
	memcpy(&mxcsr, fp + FXSAVE_MXCSR, sizeof(mxcsr));
	for (int i = sizeof(used); i < HEADER_SIZE; i++)
		if (fp[HEADER + i])
			return 0;
	return !(used & ~host_cpu.xfeatures) && !(mxcsr & ~host_cpu.mxcsr_mask);
}
