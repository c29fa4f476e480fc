// SPDX-License-Identifier: GPL-2.0
/* Channel "null": swallows output and never has input. */
#include <errno.h>

#include "chan_host.h"

static int null_open(struct chan *chan, int raw)
{
	return 0;
}

static void null_close(struct chan *chan)
{
}

static long null_read(struct chan *chan, void *buf, unsigned long len)
{
	return -EAGAIN;
}

static long null_write(struct chan *chan, const void *buf, unsigned long len)
{
	return len;
}

static const struct chan_ops chan_null = {
	.name = "null",
	.open = null_open,
	.close = null_close,
	.read = null_read,
	.write = null_write,
};

HOST_CHAN(chan_null);
