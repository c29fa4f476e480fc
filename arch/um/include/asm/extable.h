/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The exception table: pairs of an instruction that may fault and the place
 * where execution goes on if it does, both relative to the entry's own fields.
 */
#ifndef __ASM_UM_EXTABLE_H
#define __ASM_UM_EXTABLE_H

#define ARCH_HAS_RELATIVE_EXTABLE

/* For inline assembly: a fault at label @insn continues at label @fixup. */
#define _ASM_EXTABLE(insn, fixup)		\
	".pushsection __ex_table, \"a\"\n"	\
	".balign 4\n"				\
	".long " insn " - .\n"			\
	".long " fixup " - .\n"			\
	".popsection\n"

#ifndef __ASSEMBLY__

struct pt_regs;

struct exception_table_entry {
	int insn, fixup;
};

/**
 * fixup_exception() - continue behind a fault that was expected
 * @regs: registers of the faulting kernel code
 *
 * Returns true if the instruction has an entry; the instruction pointer is
 * changed then. Any context.
 */
bool fixup_exception(struct pt_regs *regs);

#endif
#endif
