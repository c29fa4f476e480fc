/* SPDX-License-Identifier: GPL-2.0 */
#include "../../../x86/include/asm/cmpxchg.h"

/* Decided by a CPU feature word on bare metal; nothing here depends on it. */
#undef system_has_cmpxchg128
