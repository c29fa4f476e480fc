/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_UM_EARLY_CONSOLE_H
#define __ASM_UM_EARLY_CONSOLE_H

#ifdef CONFIG_PRINTK
/** um_early_console() - make kernel messages visible; early in setup_arch() */
void um_early_console(void);
#else
static inline void um_early_console(void) { }
#endif

#endif
