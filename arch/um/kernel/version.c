// SPDX-License-Identifier: GPL-2.0
/* The release, for --version: answered before the kernel half runs. */
#include <generated/utsrelease.h>

extern const char um_kernel_release[];
const char um_kernel_release[] = UTS_RELEASE;
