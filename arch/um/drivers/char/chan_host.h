/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Channels: what a console or serial line can be connected to. A new kind is
 * a file with a struct chan_ops and a HOST_CHAN() line. Host half only.
 */
#ifndef __UM_CHAN_HOST_H
#define __UM_CHAN_HOST_H

#define CHAN_INPUT	1
#define CHAN_OUTPUT	2

/**
 * struct chan - one end of a line
 * @ops: its kind
 * @arg: what followed the kind's name in the configuration
 * @dir: CHAN_INPUT, CHAN_OUTPUT or both
 * @fd: open descriptor, or -1
 * @source: number of an inherited descriptor (chan_fd_host.c)
 * @tty: @fd is a terminal
 * @raw: it was put in raw mode
 */
struct chan {
	const struct chan_ops *ops;
	const char *arg;
	int dir;
	int fd;
	int source;
	int tty;
	int raw;
};

/**
 * struct chan_ops - a kind of channel
 *
 * @name: the configuration begins with it
 * @parse: check @chan->arg. Returns NULL or what is wrong with it, as the end
 *	of a line for the user. At start-up, before anything is created; opens
 *	nothing.
 * @missing: true if this kernel merely knows the word: the line is switched
 *	off with a message instead of refusing to start
 * @open: open, and set @fd if there is something to watch; called again when
 *	@raw is wanted later. 0 or a negative errno.
 * @close: undo @open
 * @read: as host_line_read(); NULL for plain read() on @fd
 * @write: as host_line_write(); NULL for plain write() on @fd
 */
struct chan_ops {
	const char *name;
	const char *(*parse)(struct chan *chan);
	int missing;
	int (*open)(struct chan *chan, int raw);
	void (*close)(struct chan *chan);
	long (*read)(struct chan *chan, void *buf, unsigned long len);
	long (*write)(struct chan *chan, const void *buf, unsigned long len);
};

/* Adds a struct chan_ops to the table the linker gathers. */
#define HOST_CHAN(ops)							\
	static const struct chan_ops *const host_chan_##ops		\
	__attribute__((used, section("host_chans"), aligned(8))) = &(ops)

/**
 * chan_parse() - make a channel from its configuration
 * @chan: filled in
 * @text: e.g. "fd:0"; must stay
 * @dir: CHAN_INPUT, CHAN_OUTPUT or both
 *
 * Returns NULL or what is wrong. Allocates and opens nothing.
 */
const char *chan_parse(struct chan *chan, const char *text, int dir);

#endif
