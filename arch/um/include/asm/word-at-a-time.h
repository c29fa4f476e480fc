/* SPDX-License-Identifier: GPL-2.0 */
#include <asm-generic/word-at-a-time.h>
