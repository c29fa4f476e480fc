/* SPDX-License-Identifier: GPL-2.0 */
/* Spellings that x86's atomic headers use, for 64-bit operands only. */
#ifndef __ASM_UM_ASM_H
#define __ASM_UM_ASM_H

#include <linux/stringify.h>

#define __ASM_SIZE(insn, ...)	__stringify(insn##q __VA_ARGS__)

#define _ASM_SP			"rsp"

/* A flag as an output of an asm statement. */
#define CC_SET(c)		"\n\t"
#define CC_OUT(c)		"=@cc" #c

#endif
