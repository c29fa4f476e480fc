/* SPDX-License-Identifier: GPL-2.0 */
/* Terminals of the guest: what consoles (con.c) and serial lines (ssl.c) share. */
#ifndef __UM_LINE_H
#define __UM_LINE_H

#include <linux/console.h>
#include <linux/spinlock.h>
#include <linux/tty.h>
#include <linux/tty_port.h>
#include <linux/workqueue.h>
#include <asm/events.h>
#include "line_host.h"

/**
 * struct line - one console or serial line
 * @port: its tty
 * @host: its channels; NULL if the line does not exist
 * @lock: protects @in, @out and @port.xmit_fifo, the output that waits for room
 * @in: input watch, while the tty is open
 * @out: watch for room, while the tty is open
 * @throttled: the line discipline wants no more input
 * @ended: input is used up for good
 * @retry: reads again when the flip buffers were full
 * @hangup: hangs up after the other side went away
 */
struct line {
	struct tty_port port;
	struct host_line *host;
	spinlock_t lock;
	struct um_event_irq in;
	struct um_event_irq out;
	bool throttled;
	bool ended;
	struct delayed_work retry;
	struct delayed_work hangup;
};

/**
 * struct line_driver - a family of lines
 * @name: name of the tty driver
 * @dev_name: name of the devices, without number
 * @irq_name: for /proc/interrupts
 * @kind: as the host half calls them
 * @type: TTY_DRIVER_TYPE_*
 * @subtype: its SYSTEM_TYPE_* or SERIAL_TYPE_*
 * @minor: first minor number
 * @nr: number of lines
 * @lines: the lines, @nr of them; allocated by line_register()
 * @fallback: returns the channels of a line the command line doesn't name
 * @tty: the tty driver, once registered
 * @next: all drivers
 */
struct line_driver {
	const char *name;
	const char *dev_name;
	const char *irq_name;
	enum host_line_kind kind;
	short type;
	short subtype;
	int minor;
	int nr;
	struct line *lines;
	const char *(*fallback)(int nr);
	struct tty_driver *tty;
	struct line_driver *next;
};

/** line_register() - make the ttys of a family. 0 or a negative errno. */
int line_register(struct line_driver *driver);

/*
 * Operations of a struct console whose data points to its line_driver. The
 * console works from console_initcall() on, before there are ttys.
 */
int line_console_setup(struct console *console, char *options);
void line_console_write(struct console *console, const char *text, unsigned int len);
struct tty_driver *line_console_device(struct console *console, int *index);

#endif
