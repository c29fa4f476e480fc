// SPDX-License-Identifier: GPL-2.0
/* Progress of long work (progress.h). */
#include <stdio.h>
#include <unistd.h>

#include "progress.h"

#define INTERVAL_MS	500

void progress_start(struct progress *progress, const char *what, uint64_t total)
{
	*progress = (struct progress){ .what = what, .total = total };
	clock_gettime(CLOCK_MONOTONIC, &progress->last);
}

void progress_add(struct progress *progress, uint64_t n)
{
	struct timespec now;
	long ms;

	progress->done += n;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (now.tv_sec - progress->last.tv_sec) * 1000 +
	     (now.tv_nsec - progress->last.tv_nsec) / 1000000;
	if (ms < INTERVAL_MS || !isatty(STDERR_FILENO))
		return;
	progress->last = now;
	progress->shown = 1;
	fprintf(stderr, "\r%s: %3d %% of %llu MiB", progress->what,
		(int)(progress->total ? progress->done * 100. / progress->total : 100),
		(unsigned long long)(progress->total >> 20));
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = 0;
}
