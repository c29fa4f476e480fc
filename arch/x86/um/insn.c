// SPDX-License-Identifier: GPL-2.0-or-later
/* The decoder of x86 instructions, as it is. */
#include "../lib/insn.c"
