// SPDX-License-Identifier: GPL-2.0
/* The serial lines: ssl0 to ssl63, /dev/ttyS0 to /dev/ttyS63. */
#include <linux/init.h>
#include <linux/tty_driver.h>
#include "line.h"

static const char *fallback(int nr)
{
	return CONFIG_SSL_CHAN;
}

static struct line_driver driver = {
	.name = "UML serial line",
	.dev_name = "ttyS",
	.irq_name = "ssl",
	.kind = HOST_LINE_SSL,
	.type = TTY_DRIVER_TYPE_SERIAL,
	.subtype = SERIAL_TYPE_NORMAL,
	.minor = 64,
	.nr = HOST_SSL_LINES,
	.fallback = fallback,
};

static struct console console = {
	.name = "ttyS",
	.write = line_console_write,
	.device = line_console_device,
	.setup = line_console_setup,
	.flags = CON_PRINTBUFFER | CON_ANYTIME,
	.index = -1,
	.data = &driver,
};

static int __init ssl_console_init(void)
{
	register_console(&console);
	return 0;
}
console_initcall(ssl_console_init);

static int __init ssl_init(void)
{
	return line_register(&driver);
}
device_initcall(ssl_init);
