/* SPDX-License-Identifier: GPL-2.0 */
/* How far long work is, on stderr if that is a terminal. */
#ifndef __UM_PROGRESS_H
#define __UM_PROGRESS_H

#include <stdint.h>
#include <time.h>

/**
 * struct progress - a piece of work
 * @what: a word or two
 * @total: how much there is
 * @done: how much of it is done
 * @shown: something is on the screen
 * @last: when it was printed, or begun
 */
struct progress {
	const char *what;
	uint64_t total;
	uint64_t done;
	int shown;
	struct timespec last;
};

/** progress_start() - begin; nothing is printed in the first half second */
void progress_start(struct progress *progress, const char *what, uint64_t total);

/** progress_add() - so much more is done */
void progress_add(struct progress *progress, uint64_t n);

/** progress_end() - take it off the screen */
void progress_end(struct progress *progress);

#endif
