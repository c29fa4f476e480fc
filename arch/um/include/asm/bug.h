/* SPDX-License-Identifier: GPL-2.0 */
/* BUG() and WARN() are an undefined instruction plus a table entry. */
#ifndef __ASM_UM_BUG_H
#define __ASM_UM_BUG_H

#include <linux/stringify.h>

#define UM_BUG_INSN_LEN	2

#ifdef CONFIG_DEBUG_BUGVERBOSE
#define __UM_BUG_LOCATION	"\t.long %c0 - .\n\t.word %c1\n"
#else
#define __UM_BUG_LOCATION	""
#endif

#define __UM_BUG_ENTRY(flags)						\
	asm volatile("1:\tud2\n"					\
		     "\t.pushsection __bug_table,\"aw\"\n"		\
		     "2:\t.long 1b - .\n"				\
		     __UM_BUG_LOCATION					\
		     "\t.word %c2\n"					\
		     "\t.org 2b + %c3\n"				\
		     "\t.popsection\n"					\
		     : : "i" (__FILE__), "i" (__LINE__), "i" (flags),	\
			 "i" (sizeof(struct bug_entry)))

#ifdef CONFIG_GENERIC_BUG
#define HAVE_ARCH_BUG
#define BUG()						\
do {							\
	__UM_BUG_ENTRY(0);				\
	__builtin_unreachable();			\
} while (0)

#define __WARN_FLAGS(flags)	__UM_BUG_ENTRY(BUGFLAG_WARNING | (flags))
#endif

#include <asm-generic/bug.h>

#endif
