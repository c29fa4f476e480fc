/* SPDX-License-Identifier: GPL-2.0 */
/* Copying parts of files such that zeroes take no room where they arrive. */
#ifndef __UM_SPARSE_COPY_H
#define __UM_SPARSE_COPY_H

#include <stdint.h>

#include "progress.h"

/**
 * struct sparse_target - the file that is written
 * @fd: open for writing
 * @empty: it is new: what is not written reads as zeroes
 * @progress: counts bytes
 */
struct sparse_target {
	int fd;
	int empty;
	struct progress *progress;
};

/**
 * sparse_copy() - copy a part of a file
 * @target: where to
 * @offset: at this byte
 * @fd: from this file; -1: zeroes
 * @from: and this byte of it; past its end are zeroes
 * @len: bytes
 *
 * Returns 0 or a negative errno.
 */
int sparse_copy(struct sparse_target *target, uint64_t offset, int fd, uint64_t from,
		uint64_t len);

#endif
