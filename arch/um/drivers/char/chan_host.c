// SPDX-License-Identifier: GPL-2.0
/* The table of channel kinds: from a word to a struct chan. */
#include <stdio.h>
#include <string.h>

#include "chan_host.h"

extern const struct chan_ops *const __start_host_chans[];
extern const struct chan_ops *const __stop_host_chans[];

/*
 * Kinds are matched by prefix; "ptsX" must find neither "pty" nor "pt", but
 * what a kind makes of the rest is its own affair.
 */
static const struct chan_ops *find_kind(const char *text)
{
	const struct chan_ops *const *ops;
	const struct chan_ops *best = NULL;

	for (ops = __start_host_chans; ops < __stop_host_chans; ops++) {
		size_t len = strlen((*ops)->name);

		if (!strncmp(text, (*ops)->name, len) &&
		    (!best || len > strlen(best->name)))
			best = *ops;
	}
	return best;
}

const char *chan_parse(struct chan *chan, const char *text, int dir)
{
	static char unknown[160];

	*chan = (struct chan){ .dir = dir, .fd = -1, .source = -1 };
	chan->ops = find_kind(text);
	if (!chan->ops) {
		snprintf(unknown, sizeof(unknown),
			 "\"%.64s\" is no channel; there are fd:<number>, null and none", text);
		return unknown;
	}
	chan->arg = text + strlen(chan->ops->name);
	return chan->ops->parse ? chan->ops->parse(chan) : NULL;
}
