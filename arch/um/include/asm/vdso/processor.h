/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_UM_VDSO_PROCESSOR_H
#define __ASM_UM_VDSO_PROCESSOR_H

#ifndef __ASSEMBLY__

static __always_inline void cpu_relax(void)
{
	__builtin_ia32_pause();
}

#endif /* __ASSEMBLY__ */

#endif
