// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel messages before the consoles exist: a boot console on con0's output,
 * or on stderr with stderr=1. The first real console replaces it; without
 * CONFIG_TTY it stays.
 */
#include <linux/console.h>
#include <linux/init.h>
#include <asm/early_console.h>
#include "line_host.h"

static void early_write(struct console *console, const char *text, unsigned int len)
{
	host_line_early_print(CONFIG_CON_ZERO_CHAN, text, len);
}

static struct console early_console_um = {
	.name = "uml",
	.write = early_write,
	.flags = CON_PRINTBUFFER | CON_BOOT | CON_ANYTIME,
	.index = -1,
};

void __init um_early_console(void)
{
	register_console(&early_console_um);
}
