// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that old command lines name and this kernel does not have. A line
 * that asks for one is switched off with a message; the machine still starts.
 */
#include <stdio.h>

#include "chan_host.h"

static const char *missing_parse(struct chan *chan)
{
	static char error[96];

	snprintf(error, sizeof(error),
		 "this kernel has no channel \"%s\" (use fd:<number> or null); the line is switched off",
		 chan->ops->name);
	return error;
}

#define MISSING(id)						\
	static const struct chan_ops chan_##id = {		\
		.name = #id,					\
		.parse = missing_parse,				\
		.missing = 1,					\
	};							\
	HOST_CHAN(chan_##id)

MISSING(port);
MISSING(pts);
MISSING(pty);
MISSING(tty);
MISSING(xterm);
