// SPDX-License-Identifier: GPL-2.0
/* Register values that guest code may have. */
#include "common.h"

#define CPUNODE_SELECTOR	0x7b
/* CF PF AF ZF SF TF DF OF NT RF AC ID */
#define EFLAGS_USER		0x254dd5

static unsigned long data_selector(unsigned long value)
{
	switch (value) {
	case USER_DS:
	case USER_CS:
	case USER32_CS:
	case CPUNODE_SELECTOR:
		return value;
	}
	return 0;
}

void regs_sanitise(unsigned long *regs)
{
	/* A guest may switch to a 32-bit code segment; its calls are refused. */
	if (regs[UM_CS] != USER32_CS)
		regs[UM_CS] = USER_CS;
	regs[UM_SS] = USER_DS;
	regs[UM_DS] = data_selector(regs[UM_DS]);
	regs[UM_ES] = data_selector(regs[UM_ES]);
	regs[UM_FS] = data_selector(regs[UM_FS]);
	regs[UM_GS] = data_selector(regs[UM_GS]);
	regs[UM_EFLAGS] = (regs[UM_EFLAGS] & EFLAGS_USER) | EFLAGS_START;
}
