/* SPDX-License-Identifier: GPL-2.0 */
/* Signals are x86-64's; only the kernel's own view of sigset_t is added. */
#ifndef __ASM_UM_SIGNAL_H
#define __ASM_UM_SIGNAL_H

#ifndef __ASSEMBLY__

#define _NSIG		64
#define _NSIG_BPW	64
#define _NSIG_WORDS	(_NSIG / _NSIG_BPW)

typedef unsigned long old_sigset_t;

typedef struct {
	unsigned long sig[_NSIG_WORDS];
} sigset_t;

#endif /* __ASSEMBLY__ */

#include "../../../x86/include/uapi/asm/signal.h"

#ifndef __ASSEMBLY__
#define __ARCH_HAS_SA_RESTORER

#include "../../../x86/include/uapi/asm/sigcontext.h"
#endif /* __ASSEMBLY__ */

#endif
