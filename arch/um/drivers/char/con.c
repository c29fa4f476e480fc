// SPDX-License-Identifier: GPL-2.0
/* The consoles: con0 to con15, /dev/tty0 to /dev/tty15. */
#include <linux/init.h>
#include <linux/tty_driver.h>
#include "line.h"

static const char *fallback(int nr)
{
	return nr ? CONFIG_CON_CHAN : CONFIG_CON_ZERO_CHAN;
}

static struct line_driver driver = {
	.name = "UML console",
	.dev_name = "tty",
	.irq_name = "console",
	.kind = HOST_LINE_CON,
	.type = TTY_DRIVER_TYPE_CONSOLE,
	.subtype = SYSTEM_TYPE_CONSOLE,
	.minor = 0,
	.nr = HOST_CON_LINES,
	.fallback = fallback,
};

static struct console console = {
	.name = "tty",
	.write = line_console_write,
	.device = line_console_device,
	.setup = line_console_setup,
	.flags = CON_PRINTBUFFER | CON_ANYTIME,
	.index = -1,
	.data = &driver,
};

static int __init con_console_init(void)
{
	register_console(&console);
	return 0;
}
console_initcall(con_console_init);

static int __init con_init(void)
{
	int err = line_register(&driver);

	if (!err && driver.lines[0].host)
		pr_info("Console initialized on /dev/tty0\n");
	return err;
}
device_initcall(con_init);
