// SPDX-License-Identifier: GPL-2.0
/*
 * Channel "fd:<n>": a descriptor we inherited, usually the terminal or a pipe
 * to the program that started us.
 *
 * Once open it stays so, and a terminal stays in raw mode, until the process
 * ends: init closes and opens its console all the time.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <host/tty.h>
#include "chan_host.h"

static const char *fd_parse(struct chan *chan)
{
	static char error[96];
	static int noticed;
	const char *number = chan->arg;
	char *end;
	long fd;

	if (*number == ':')
		number++;
	else if (isdigit((unsigned char)*number) && !noticed++)
		fprintf(stderr, "linux: \"fd%s\" is taken as \"fd:%s\"\n", number, number);
	fd = strtol(number, &end, 10);
	if (!isdigit((unsigned char)*number) || *end || fd > 0xfffff)
		return "the form is fd:<number>, e.g. fd:0";
	if (fcntl(fd, F_GETFD) < 0) {
		snprintf(error, sizeof(error), "descriptor %ld is not open", fd);
		return error;
	}
	chan->source = fd;
	return NULL;
}

static int fd_open(struct chan *chan, int raw)
{
	int err;

	if (chan->fd < 0) {
		int fd = host_tty_nonblock(chan->source);

		if (fd < 0)
			return fd;
		chan->fd = fd;
		chan->tty = host_tty_check(fd);
	}
	if (raw && chan->tty && !chan->raw) {
		err = host_tty_raw(chan->fd);
		if (err)
			return err;
		chan->raw = 1;
	}
	return 0;
}

static void fd_close(struct chan *chan)
{
}

/* Is the end of this file somebody's leaving, or just an end? */
static int end_is_hangup(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return 1;
	return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd);
}

static long fd_read(struct chan *chan, void *buf, unsigned long len)
{
	long n = read(chan->fd, buf, len);

	if (n < 0)
		return -errno;
	if (!n && !end_is_hangup(chan->fd))
		return -ENODATA;
	return n;
}

static const struct chan_ops chan_fd = {
	.name = "fd",
	.parse = fd_parse,
	.open = fd_open,
	.close = fd_close,
	.read = fd_read,
};

HOST_CHAN(chan_fd);
