/* SPDX-License-Identifier: GPL-2.0 */
/* struct user and the register sets of ptrace and core dumps: x86-64's. */
#ifndef __ASM_UM_USER_H
#define __ASM_UM_USER_H

#include "../../../x86/include/asm/user_64.h"

/*
 * An NT_X86_XSTATE image is what XSAVE writes, except for the bytes software
 * may use: the first word of them holds XCR0, so that a debugger knows which
 * components the image has room for.
 */
#define USER_XSTATE_XCR0_OFFSET		464
#define USER_XSTATE_HEADER_OFFSET	512

/**
 * struct user_xstate_header - at USER_XSTATE_HEADER_OFFSET of the image
 * @xfeatures: components that are not in their initial state
 * @xcomp_bv: format; 0 in every image user space sees
 * @reserved: zero
 */
struct user_xstate_header {
	__u64 xfeatures;
	__u64 xcomp_bv;
	__u64 reserved[6];
};

#endif
