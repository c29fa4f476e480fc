// SPDX-License-Identifier: GPL-2.0
/* Expected faults of kernel code. */
#include <linux/extable.h>
#include <asm/extable.h>
#include <asm/ptrace.h>

bool fixup_exception(struct pt_regs *regs)
{
	const struct exception_table_entry *entry;

	entry = search_exception_tables(instruction_pointer(regs));
	if (!entry)
		return false;

	instruction_pointer_set(regs, (unsigned long)&entry->fixup + entry->fixup);
	return true;
}
